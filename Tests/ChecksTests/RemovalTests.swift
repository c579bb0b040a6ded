import Checks
import Firewalls
import Foundation
import Packets
import Policies
import Support
import Syntax
import Testing

/// What the checks of exposures and blocks call needless may go, and nothing else may; what invariants say of pods is so for
/// every connection.
@Suite struct RemovalTests {
  /// What a policy means on its hosts and clusters.
  private struct Meanings {
    let hosts: [Meaning]
    let clusters: [ClusterMeaning]

    func isEqual(to other: Meanings) -> Bool {
      zip(hosts, other.hosts).allSatisfy { $0.isEqual(to: $1) }
        && zip(clusters, other.clusters).allSatisfy { $0.isEqual(to: $1) }
    }
  }

  /// Returns what each of `texts` means, in one universe, on days on which it may change.
  private func meanings(_ texts: [String]) throws -> [Meanings] {
    let inspections = try texts.map { try ExactTests.findings("idle-block", $0).1 }
    let days =
      [ExactTests.today]
      + Removals.dates.compactMap { CalendarDate($0) }.map {
        CalendarDate(daysSinceEpoch: $0.daysSinceEpoch + 1)
      }
    let lowerings = inspections.map { Lowering($0.policy) }
    let universe = Universe()
    let clusters = lowerings.map { lowering in
      lowering.policy.clusters.indices.flatMap { c in days.map { (lowering.firewall(of: ID(c), on: $0), $0) } }
    }
    let pods = try ClusterUniverse(
      pods: lowerings[0].policy.clusters[0].pods, selectors: clusters.flatMap { $0.flatMap(\.0.selectors) })
    let window = Universe.moments(from: ExactTests.today)
    let moments = try universe.space.set(.time, in: universe.space.values(window, of: .time))
    return try zip(inspections, clusters).map { inspection, clusters in
      Meanings(
        hosts: try inspection.firewalls.map { try $0.meaning(in: universe).restricted(to: moments) },
        clusters: try clusters.map { try $0.0.meaning(in: pods, on: $0.1) })
    }
  }

  @Test(arguments: 0..<60) func whatIsNeedlessMayGoAndNothingElse(seed: Int) throws {
    var removals = Removals(seed: seed)
    let lines = removals.policy()
    let text = lines.joined(separator: "\n")
    func flagged(_ check: String) throws -> Set<Int> {
      Set(
        try ExactTests.findings(check, text).0.filter { $0.primary.text != "is within the others" }.map { finding in
          text.utf8.prefix(Int(finding.primary.span.lower)).count { $0 == UInt8(ascii: "\n") }
        })
    }
    func without(_ removed: Set<Int>) -> String {
      lines.indices.map { removed.contains($0) ? "" : lines[$0] }.joined(separator: "\n")
    }
    let redundant = try flagged("redundant-exposure")
    let blocked = try flagged("blocked-exposure")
    let idle = try flagged("idle-block")
    // Exposures that are blocked are needless as long as the blocks stand.
    let kinds: [(beginning: String, needless: Set<Int>, kept: Set<Int>)] = [
      (" expose", redundant, blocked), ("block", idle, Set<Int>()),
    ]
    for (beginning, needless, kept) in kinds {
      let candidates = lines.indices.filter { lines[$0].hasPrefix(beginning) }
      let others = candidates.filter { !needless.contains($0) && !kept.contains($0) }
      let all = try meanings([text, without(needless)] + others.map { without(needless.union([$0])) })
      #expect(all[1].isEqual(to: all[0]), "not needless: \(needless.map { lines[$0] }) in:\n\(text)")
      let rest = Set(
        lines.indices.filter {
          lines[$0].hasPrefix("block") || lines[$0].hasPrefix(" expose") && !lines[$0].contains("192.0.2.7")
        })
      for (i, other) in others.enumerated() {
        // What nobody is in the audience of opens nothing anyway, and is the business of other checks.
        if beginning == " expose", rest.contains(other) {
          let bare = lines.indices.map { line in
            rest.contains(line) ? lines[line].hasPrefix("block") ? "" : " expose a, b to 192.0.2.7" : lines[line]
          }
          var one = bare
          one[other] += "\n" + lines[other]
          let alone = try meanings([bare.joined(separator: "\n"), one.joined(separator: "\n")])
          if alone[1].isEqual(to: alone[0]) { continue }
        }
        #expect(!all[i + 2].isEqual(to: all[1]), "needless too: \(lines[other]) in:\n\(text)")
      }
    }
  }

  @Test(arguments: 0..<60) func invariantsOfPodsAgreeWithEveryConnection(seed: Int) throws {
    var removals = Removals(seed: seed)
    let lines = removals.policy() + removals.invariants()
    let text = lines.joined(separator: "\n")
    let (broken, inspection) = try ExactTests.findings("broken-never", text)
    let lowering = Lowering(inspection.policy)
    for invariant in inspection.policy.invariants {
      let told = broken.contains { ([$0.primary] + $0.secondary).contains { $0.span == invariant.provenance.span } }
      let open = removals.days.contains { day in
        let firewall = lowering.firewall(of: ID(0), on: day)
        return NaiveCluster(firewall: firewall, lowering: lowering, day: day).isOpen(invariant)
      }
      #expect(open == told, "\(invariant.provenance.span) in:\n\(text)")
    }
  }
}

/// A cluster, looked at connection by connection.
private struct NaiveCluster {
  let firewall: ClusterFirewall
  let lowering: Lowering
  let day: CalendarDate

  /// Who sends: a workload, or an address outside.
  struct Sender {
    var pods: PodFirewall?
    var address: Address
  }

  private var senders: [Sender] {
    let edges = Removals.networks.compactMap { Prefix($0) }.flatMap { [$0.range.lower, $0.range.upper] }
    let middles = ["10.100.0.1", "10.200.0.1", "10.3.0.1", "203.0.113.9"].compactMap { Address($0) }
    return firewall.workloads.map { Sender(pods: $0, address: Address(.ipv4, 0x0a2a_0009)) }
      + (edges + middles).filter { !firewall.pods.contains($0) }.map { Sender(pods: nil, address: $0) }
  }

  private func matches(_ peer: Peer, _ sender: Sender) -> Bool {
    switch peer {
    case .everyone: true
    case .addresses(let set): set.contains(sender.address)
    case .pods(let namespace, let labels):
      sender.pods.map { pods in
        pods.namespace == namespace
          && labels.allSatisfy { label in pods.labels.contains { $0.key == label.key && $0.value == label.value } }
      } ?? false
    }
  }

  /// Returns `true` iff `sender` gets through to `port` of `target`.
  private func accepts(_ sender: Sender, _ target: PodFirewall, _ port: Traffic) -> Bool {
    func holds(_ until: CalendarDate?) -> Bool { until.map { day <= $0 } ?? true }
    let isAdmitted = target.admissions.contains { a in
      holds(a.until) && a.traffic.contains { $0.contains(port) } && a.peers.contains { matches($0, sender) }
        && !a.exceptions.contains(sender.address) && !a.refusedPods.contains { matches($0, sender) }
    }
    guard isAdmitted, let pods = sender.pods else { return isAdmitted }
    let receiver = Sender(pods: target, address: Address(.ipv4, 0x0a2a_0008))
    return pods.departures.contains { d in
      holds(d.until) && (d.traffic?.contains { $0.contains(port) } ?? true)
        && d.peers.contains { matches($0, receiver) }
    }
  }

  /// Returns `true` iff something is open that `invariant` forbids.
  func isOpen(_ invariant: Invariant) -> Bool {
    let peers = lowering.peers(invariant.audience.parties.map(\.value), in: firewall.cluster)
    let excepted = lowering.peers(invariant.audience.exceptions.map(\.value), in: firewall.cluster)
    let targets = invariant.targets.compactMap { if case .service(let id) = $0.value { id } else { nil } }
    let ports = (8000...8011).map { Traffic.ports(.tcp, PortRange(UInt16($0))) }
    return firewall.workloads.contains { target in
      targets.contains(target.service)
        && senders.contains { sender in
          peers.contains { matches($0, sender) } && !excepted.contains { matches($0, sender) }
            && ports.contains { port in
              (invariant.traffic.isEmpty || invariant.traffic.contains { $0.value.contains(port) })
                && accepts(sender, target, port)
            }
        }
    }
  }
}

extension Prefix {
  /// Creates the block that `text` writes.
  fileprivate init?(_ text: String) {
    let parts = text.split(separator: "/")
    guard let address = Address(String(parts[0])) else { return nil }
    self.init(containing: address, length: parts.count > 1 ? Int(parts[1]) ?? 0 : address.family.width)
  }
}

/// A source of small policies of which parts are often needless.
private struct Removals {
  var numbers: SeededGenerator

  init(seed: Int) { numbers = SeededGenerator(seed: seed + 7_000_000) }

  static let dates = ["2026-12-31", "2027-06-30"]
  static let networks = ["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.64.0.0/10", "203.0.113.0/24", "203.0.113.7"]

  let days =
    [ExactTests.today]
    + dates.compactMap { CalendarDate($0) }.map { CalendarDate(daysSinceEpoch: $0.daysSinceEpoch + 1) }

  mutating func party() -> String { numbers.pick(Removals.networks + ["t", "u", "class c", "t", "u"]) }

  mutating func audience() -> String {
    party() + (numbers.chance(25) ? ", " + party() : "") + (numbers.chance(20) ? " except " + party() : "")
  }

  mutating func until() -> String { numbers.chance(20) ? " until \(numbers.pick(Removals.dates))" : "" }

  /// Returns the lines of a policy; each exposure and block is one.
  mutating func policy() -> [String] {
    var lines: [String] = []
    for name in ["s", "t", "u"] {
      lines.append("service \(name) { owner team; purpose \"S\"\(name == "s" ? "" : "; class c")")
      lines.append(" port a 8000-8004/tcp; port b 8005-8010/tcp")
      if name != "s" { lines.append(" uses s") }
      for _ in 0..<(name == "s" ? Int.random(in: 2...5, using: &numbers) : 1) {
        let ports = name == "s" ? numbers.pick(["a", "b", "a, b"]) : "a, b"
        lines.append(" expose \(ports) to \(name == "s" ? audience() : "192.0.2.7")\(until())")
      }
      lines.append("}")
    }
    for _ in 0..<Int.random(in: 0...3, using: &numbers) {
      let target = numbers.pick(["", "", " to s"])
      lines.append("block \(party())\(target)\(numbers.pick(["", "", " on 8000-8004/tcp"]))\(until())")
    }
    lines += ["cluster k {", " pods 10.42.0.0/16"]
    for name in ["s", "t", "u"] { lines.append(" workload \(name) { namespace x; pods app=\(name) }") }
    lines.append("}")
    if numbers.chance(40) { lines.append("host h { address 198.51.100.10; runs s }") }
    return lines
  }

  /// Returns what must never be open on the cluster.
  mutating func invariants() -> [String] {
    (0..<3).map { _ in
      let except = numbers.chance(25) ? " except " + party() : ""
      return "never \(party()) to s\(numbers.chance(50) ? " on 8003-8006/tcp" : "")\(except)"
    }
  }
}
