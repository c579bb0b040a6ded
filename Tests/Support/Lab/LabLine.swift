/// A line of a laboratory, word by word.
struct LabLine {
  let number: Int
  let file: String
  let text: String
  private var words: [String]

  init(_ code: Substring, number: Int, file: String) {
    self.number = number
    self.file = file
    words = LabLine.words(of: code)
    text = words.joined(separator: " ")
    words.reverse()
  }

  /// Returns the words of `code`; what stands in quotation marks is one word.
  private static func words(of code: Substring) -> [String] {
    code.split(separator: "\"", omittingEmptySubsequences: false).enumerated().flatMap { i, part in
      i % 2 == 1 ? [String(part)] : part.split(whereSeparator: \.isWhitespace).map(String.init)
    }
  }

  var isAtEnd: Bool { words.isEmpty }
  var peek: String? { words.last }

  mutating func next() -> String? { words.popLast() }

  mutating func take(_ word: String) -> Bool {
    guard words.last == word else { return false }
    words.removeLast()
    return true
  }

  func error(_ message: String) -> LabError { LabError(description: "\(file):\(number): \(message)") }

  mutating func expect(_ what: String) throws(LabError) -> String {
    guard let word = next() else { throw error("\(what) is missing") }
    return word
  }

  mutating func expect(word: String) throws(LabError) {
    guard take(word) else { throw error("`\(word)` is wanted, not `\(peek ?? "the end")`") }
  }

  mutating func expectNumber<N: FixedWidthInteger>() throws(LabError) -> N {
    let word = try expect("a number")
    guard let value = N(word) else { throw error("`\(word)` is no number here") }
    return value
  }

  mutating func expectAddresses() throws(LabError) -> [LabAddress] {
    let word = try expect("an address")
    var result: [LabAddress] = []
    for part in word.split(separator: ",") {
      guard let address = LabAddress(part) else { throw error("`\(part)` is no address") }
      result.append(address)
    }
    return result
  }

  mutating func expectPorts() throws(LabError) -> [LabPort] {
    let word = try expect("a port")
    var result: [LabPort] = []
    for part in word.split(separator: ",") {
      guard let port = LabPort(part) else { throw error("`\(part)` is no port with a protocol") }
      result.append(port)
    }
    guard !result.isEmpty else { throw error("no port") }
    return result
  }

  /// Reads `open`, `arrives`, `closed`, `silent`, `refused` or `N..M`, and where and from whom it must be seen.
  mutating func expectation() throws(LabError) -> ExpectedOutcome {
    let word = try expect("what must come of it")
    var result: ExpectedOutcome
    switch word {
    case "open": result = ExpectedOutcome(fate: .open)
    case "arrives": result = ExpectedOutcome(fate: .arrives)
    case "closed": result = ExpectedOutcome(fate: .closed)
    case "silent": result = ExpectedOutcome(fate: .silent)
    case "refused":
      result = ExpectedOutcome(fate: .refused)
      if take("with") { result.refusal = try expect("`reset`, `admin` or `port`") }
    default:
      let bounds = word.split(separator: ".").compactMap { Int($0) }
      guard bounds.count == 2, bounds[0] <= bounds[1] else { throw error("`\(word)` is no expectation") }
      result = ExpectedOutcome(fate: .counted(bounds[0]...bounds[1]))
    }
    if take("at") {
      if let address = peek.flatMap({ LabAddress($0) }) {
        result.address = address
        _ = next()
      }
      if let port = peek.flatMap({ UInt16($0) }) {
        result.port = port
        _ = next()
      }
    }
    if take("seen") {
      try expect(word: "from")
      result.source = try expectAddresses()[0]
    }
    return result
  }

  /// Reads `iptables because "reason"`.
  mutating func exceptions() throws(LabError) -> [RulesetKind: String] {
    let word = try expect("a back end")
    try expect(word: "because")
    let reason = try expect("a reason in quotation marks")
    let kinds = RulesetKind.allCases.filter { $0.rawValue == word || $0.rawValue.hasPrefix(word + "-") }
    guard !kinds.isEmpty, !reason.isEmpty else { throw error("`\(word)` is no back end") }
    return Dictionary(uniqueKeysWithValues: kinds.map { ($0, reason) })
  }
}
