import Glibc

extension ExpectedOutcome.Fate {
  /// `true` iff somebody must get the packet.
  var wantsArrival: Bool { self == .open || self == .arrives }
}

/// What was seen of the packets that were sent: by those whom they reached, and by those who sent them.
struct Evidence {
  /// A line that an observer wrote, in words.
  struct Arrival {
    var place: Int
    var name: String
    var words: [String]
    var text: String { "\(name) got \(words[0]) \(words[1]) \(words[2]) -> \(words[3]) \(words[4])" }
  }

  /// What arrived anywhere.
  var arrivals: [Arrival] = []
  /// What became of each packet, in the words of its sender's probe.
  var results: [String: [String]] = [:]
  /// The names of the namespaces, by number.
  var names: [String] = []

  /// Returns the arrivals of the packet of `trial`, at whatever address and port.
  func arrivals(of trial: LabRun.Trial) -> [Arrival] {
    let question = trial.question
    return arrivals.filter { arrival in
      // Whoever sends a broadcast hears it too.
      guard arrival.place == 0 || arrival.place != trial.sender else { return false }
      guard arrival.words[0] == question.port.transport else { return false }
      if question.port.transport == "icmp" {
        return arrival.words[2] == trial.identifier && arrival.words[4] == question.message.map { "\($0.type)" }
      }
      guard let port = question.sourcePort else { return arrival.words[2] == trial.identifier }
      return arrival.words[2] == "\(port)" && arrival.words[1] == "\(question.source)"
    }
  }

  /// Returns how the sender of `trial` was told of a refusal: `reset`, `admin`, `port`, or another ICMP error.
  func refusal(of trial: LabRun.Trial) -> String? {
    let question = trial.question
    let number = question.sourcePort.map { "\($0)" } ?? trial.identifier
    for arrival in arrivals where arrival.place == trial.sender {
      let words = arrival.words
      if words[0] == "tcp", words[4] == number, words.count > 5, words[5].contains("R") { return "reset" }
      guard words[0] == "icmp", words.count >= 11, words[6] == "inner", words[7] == question.port.transport,
        words[9] == number
      else { continue }
      switch (question.source.isIPv6, words[4], words[5]) {
      case (false, "3", "13"), (false, "3", "9"), (false, "3", "10"), (true, "1", "1"): return "admin"
      case (false, "3", "3"), (true, "1", "4"): return "port"
      default: return "icmp \(words[4])/\(words[5])"
      }
    }
    return results[trial.identifier]?.first == "reset" ? "reset" : nil
  }

  /// Returns what was wrong with what came of `trial`, or nothing.
  func fault(of trial: LabRun.Trial) -> (expected: String, seen: String)? {
    let question = trial.question
    let arrived = arrivals(of: trial)
    let result = results[trial.identifier] ?? ["nothing"]
    let refusal = refusal(of: trial)
    let seen =
      (arrived.isEmpty ? "nobody got it" : Array(Set(arrived.map(\.text))).sorted().joined(separator: ", "))
      + "; the sender: \(result.joined(separator: " "))\(refusal.map { ", refused: \($0)" } ?? "")"
    if result.first == "failed" { return ("to be sent", seen) }
    switch question.expectation.fate {
    case .closed:
      return arrived.isEmpty && result.first != "answered" ? nil : ("closed: nobody gets it", seen)
    case .silent:
      return arrived.isEmpty && result.first != "answered" && refusal == nil
        ? nil : ("silent: nobody gets it, and no answer", seen)
    case .refused:
      let wanted = question.expectation.refusal
      return arrived.isEmpty && refusal != nil && (wanted == nil || wanted == refusal)
        ? nil : ("refused\(wanted.map { " with \($0)" } ?? ""): nobody gets it, and an error comes back", seen)
    case .open, .arrives:
      let address = question.expectation.address ?? question.destination
      let port = question.expectation.port ?? question.number
      let source = question.expectation.source ?? question.source
      let isRight =
        !arrived.isEmpty && arrived.allSatisfy { $0.words[3] == "\(address)" && $0.words[1] == "\(source)" }
        && arrived.allSatisfy { $0.words[4] == "\(port)" }
      let expected = "\(question.expectation.fate): at \(address) \(port), from \(source)"
      guard isRight else { return (expected, seen) }
      guard question.expectation.fate == .open else { return nil }
      return isAnswered(result, at: address, port, question) ? nil : (expected + ", and answered from there", seen)
    case .counted: return nil
    }
  }

  /// Returns `true` iff `result` is the answer of the server at `address` and `port`.
  private func isAnswered(_ result: [String], at address: LabAddress, _ port: UInt16, _ question: Question) -> Bool {
    guard result.first == "answered" else { return false }
    if question.port.transport == "icmp" { return result.count > 1 }
    return result.count >= 4 && result[2] == "\(address)" && result[3] == "\(port)"
  }
}

extension Question {
  /// The type and code of the ICMP message that is sent.
  var message: (type: UInt16, code: UInt8)? { port.message(isIPv6: source.isIPv6) }

  /// The number in the place of the destination port: the port, or the type of the ICMP message.
  var number: UInt16 { port.transport == "icmp" ? message?.type ?? 0 : port.number }
}

extension LabRun {
  /// Sends the packets of `trials`, waits for answers, and collects what was seen everywhere.
  ///
  /// What must be delivered may take a second on a busy machine; `isComplete` tells that nothing more is awaited.
  func send(_ trials: [Trial], until isComplete: (Evidence) -> Bool) throws -> Evidence {
    let senders = Set(trials.map(\.sender)).sorted()
    for sender in senders {
      let commands = try trials.filter { $0.sender == sender }.map { try command(for: $0) }
      try bench.probes[sender].tell(commands)
    }
    var results: [String: [String]] = [:]
    for sender in senders { try bench.probes[sender].begin(["collect"]) }
    for sender in senders {
      for line in try bench.probes[sender].answer() {
        let words = line.split(separator: " ").map(String.init)
        if words.count > 2 { results[words[1]] = Array(words[2...]) }
      }
    }
    var evidence = Evidence()
    for attempt in 0..<10 {
      evidence = Evidence(results: results, names: bench.probes.map(\.name))
      for (i, probe) in bench.probes.enumerated() {
        for line in try probe.tell(["seen"]) {
          let words = line.split(separator: " ").dropFirst().map(String.init)
          evidence.arrivals.append(.init(place: i, name: probe.name, words: words))
        }
      }
      if isComplete(evidence) || attempt == 9 { break }
      sleep(milliseconds: 100)
    }
    for probe in bench.probes { try probe.tell(["forget"]) }
    return evidence
  }

  /// Returns the command that sends the packet of `trial`.
  private func command(for trial: Trial) throws -> String {
    let question = trial.question
    let wait =
      switch question.expectation.fate {
      case .open: question.isSpoofed ? 200 : 2500
      case .arrives: 0
      case .closed, .silent, .refused: 200
      case .counted: 100
      }
    var words = [
      "send", trial.identifier, question.port.transport, "\(question.source)",
      "\(question.sourcePort ?? trial.number)", "\(question.destination)", "\(question.number)", "\(wait)",
    ]
    if let code = question.message?.code, question.port.transport == "icmp" { words.append("code=\(code)") }
    if let flags = question.flags { words.append("flags=\(flags)") }
    if question.holdName != nil { words.append("held=yes") }
    if let quoted = question.quoted { words.append("quote=\(try quote(quoted, question))") }
    let needsInterface =
      question.destination.isMulticast || question.destination.isLinkLocal
      || question.destination.description == "255.255.255.255"
    if needsInterface, let peer = bench.lab.peers.first(where: { $0.name == question.sender }) {
      words.append("via=\(peer.link)")
    }
    return words.joined(separator: " ")
  }

  /// Returns what an ICMP error quotes: a packet that the host sent along the held connection `name`, or one of none.
  private func quote(_ name: String, _ question: Question) throws -> String {
    if name == "nothing" { return "\(question.destination),443,\(question.source),39999" }
    guard let trial = held[name] else {
      throw LabError(description: "\(bench.lab.file):\(question.line): no connection `\(name)` is held")
    }
    let other = trial.question
    return "\(other.destination),\(other.port.number),\(other.source),\(trial.number)"
  }

  func sleep(milliseconds: Int) { usleep(UInt32(milliseconds) * 1000) }
}
