import Firewalls
import Syntax

/// The table that is being made.
struct Assembly {
  /// The sets, in the order in which they were needed.
  var sets: [NamedSet] = []

  /// The chains, in the order in which they were finished.
  var chains: [Chain] = []

  /// What cannot be expressed.
  var diagnostics: [Diagnostic] = []

  /// Where comments find their lines.
  let sources: Sources

  /// The names that are taken.
  private var taken: Set<String> = []

  /// The chains that ask several others in turn, by those.
  private var combinations: [[String]: String] = [:]

  /// Creates an empty table.
  init(sources: Sources) { self.sources = sources }

  /// Returns a name that nothing has yet: `base`, or `base` with a number.
  mutating func fresh(_ base: String) -> String {
    if taken.insert(base).inserted { return base }
    var number = 2
    while !taken.insert("\(base)_\(number)").inserted { number += 1 }
    return "\(base)_\(number)"
  }

  /// Adds the chain `name` with `rules`.
  mutating func add(chain name: String, hook: BaseHook? = nil, _ rules: [Rule]) {
    chains.append(Chain(name, hook: hook, rules: rules))
  }

  /// Returns what leads back from a rule or an element to the policy: the subject of `cause` and its line.
  func comment(_ cause: Cause, others: Bool = false) -> String {
    Assembly.comment(
      cause.subject, path: sources.path(of: cause.span), line: sources.line(of: cause.span),
      tail: others ? " and others" : "")
  }

  /// Returns `subject path tail` with nothing in it that could end a comment, in at most 120 bytes, which is less than
  /// the 128 that nft(8) allows; what is too long loses the beginning of its path.
  private static func comment(_ subject: String, path: String, line: Int, tail: String) -> String {
    var plain = TextBuffer()
    plain.reserve(120)
    plain.write(subject)
    plain.write(byte: UInt8(ascii: " "))
    plain.write(path)
    plain.write(byte: UInt8(ascii: ":"))
    plain.write(line)
    plain.write(tail)
    if plain.bytes.count <= 120, subject.utf8.count <= 60, plain.bytes.allSatisfy(isPrintable) { return plain.text }
    let tail = Array(":\(line)\(tail)".utf8)
    var bytes = printable(subject)
    if bytes.count > 60 { bytes = bytes.prefix(57) + Array("...".utf8) }
    bytes.append(UInt8(ascii: " "))
    let room = 120 - bytes.count - tail.count
    let path = printable(path)
    bytes += path.count > room ? Array("...".utf8) + path.suffix(room - 3) : path
    return String(decoding: bytes + tail, as: UTF8.self)
  }

  /// Returns the bytes of `text` with `?` for whatever is not plain ASCII, or has a meaning to nft(8) inside quotes.
  static func printable(_ text: String) -> [UInt8] {
    text.utf8.map { isPrintable($0) ? $0 : UInt8(ascii: "?") }
  }

  /// Returns `true` iff `byte` is plain ASCII without a meaning to nft(8) inside quotes.
  private static func isPrintable(_ byte: UInt8) -> Bool {
    switch byte {
    // All from the blank to `~` but `"`, `$`, `\` and the backtick; as ranges, which take one look at a table.
    case 0x20...0x21, 0x23, 0x25...0x5b, 0x5d...0x5f, 0x61...0x7e: true
    default: false
    }
  }
}

extension Assembly {
  /// Returns a chain that asks each of `chains` in turn.
  mutating func combination(of chains: [String]) -> String {
    if let existing = combinations[chains] { return existing }
    let name = fresh("each\(combinations.count + 1)")
    combinations[chains] = name
    add(chain: name, chains.map { Rule([.verdict(.jump($0))]) })
    return name
  }
}
