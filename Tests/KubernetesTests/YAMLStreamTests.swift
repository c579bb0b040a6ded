import Firewalls
import Foundation
import Kubernetes
import Support
import Testing
import Yams

/// What others write as YAML is read as Yams reads it, or refused.
@Suite struct YAMLStreamTests {
  static let texts: [String] = [
    "a: 1\nb: two\n", "a:\n- 1\n- x: y\n  z: {}\n", "a:\n  - 1\n  -\n    b: c\n", "- - a\n  - b\n- c\n",
    "a: [1, two, \"three\", {b: c, d: [e]}]\n", "{\"a\": {\"b\": [1, 2, null, true]}, \"c\":\"d\"}\n",
    "a: |\n  line\n   more\n\n  end\nb: x\n", "a: >\n  one\n  two\n\n  three\n    code\n  four\n\n\nb: x\n",
    "a: |-\n  x\n\nb: |+\n  y\n\nc: z\n", "a: >-\n  x\n  y\n", "a: |2\n    x\n  y\n", "- |\n a\n- >\n b\n c\n",
    "a: 'it''s'\nb: \"x\\ty\\u00e9\\\\\"\n", "a: \"one\n  two\n\n  three\"\n", "a: 'x\n  y'\n",
    "a: one\n  two\n  three\nb: c\n",
    "# comment\na: b # other\nc: d#e\n'f g': \"h # i\" # j\n", "a:\n\n  b:   c   \n\n# x\n  d: e\n",
    "---\na: b\n---\nc: d\n...\n",
    "a: ~\nb: null\nc:\nd: ''\n", "a: true\nb: no\nc: On\nd: 'yes'\n", "a: 0x1F\nb: -3\nc: +4\nd: 1_000\ne: 0b11\n",
    "a: -\nb: -x\nc: x:y\nd: http://x/y\n", "a: b: c\n", "a: \"x\" y\n", "\ta: b\n", "a: {b: c\n", "a: [1, 2\n",
    "a: 'x\n",
    "a:\n  b: c\n d: e\n", "a: 1\na: 2\n", "- a\nb: c\n", "a: &x 1\nb: *x\n", "a: !!str 1\n", "? a\n: b\n",
    "%YAML 1.1\n---\na: b\n",
    "a: b\r\nc:\r\n- d\r\n", "\u{feff}a: b\n", "a: {b, c: d}\n", "a: [b: c]\n", "key with spaces: value with spaces\n",
    "a: {x: 1,\n  y: 2, # z\n  }\n", "a: [\n  1,\n  2\n]\n", "", "\n# x\n", "plain\n", "\"quoted\": 1\n",
    "- {a: b}\n- [c]\n",
    "a:\n    - b\n    - c:\n        d\n", "cmd: [\"sh\", \"-c\", \"a && b\"]\n", "a: \"\\\n  x\"\n", "a: x # y\n  z\n",
    "a: >\n\n  x\n",
    "a: |\n  # not a comment\n  x\nb: |\n", "a: --- x\n", "a:\n  --- x\n",
  ]

  /// Returns the documents that Yams finds, or nothing if it refuses.
  static func yams(_ text: String) -> [YAML]? {
    guard var sequence = try? Yams.load_all(yaml: text) else { return nil }
    var found: [Any] = []
    while let document = sequence.next() { found.append(document) }
    // It stops at an error as if it were the end.
    if sequence.error != nil { return nil }
    return try? found.map { try convert($0) }.filter { $0 != .null }
  }

  private static func convert(_ value: Any?) throws -> YAML {
    switch value {
    case nil, is NSNull: return .null
    case let value as [Any?]: return .sequence(try value.map { try convert($0) })
    case let value as [AnyHashable: Any?]:
      return .mapping(
        try value.map { key, value in
          guard let key = key as? String else { throw ManifestError("yaml", "a key that is no string") }
          return .init(key, try convert(value))
        }.sorted { $0.key < $1.key })
    case let value as Double: return .decimal("\(value)")
    default: return try YAML(foreign: value as Any)
    }
  }

  @Test(arguments: texts) func isReadAsByYams(text: String) {
    guard let found = try? YAML.documents(in: text) else { return }
    let expected = Self.yams(text)
    #expect(expected != nil || text.contains("a: 1\na: 2"), "Yams refuses it; here it is \(found)")
    if let expected { #expect(Self.comparable(found) == Self.comparable(expected)) }
  }

  @Test func ordinaryTextsAreNotRefused() throws {
    var refused = 0
    for text in Self.texts where (try? YAML.documents(in: text)) == nil { refused += 1 }
    #expect(refused <= 18, "\(refused)")
    #expect(try YAML.documents(in: "a: b\n---\n# x\n---\nc: d\n").count == 2)
    #expect(throws: ManifestError("line 2", "anchors and aliases are not read here")) {
      try YAML.documents(in: "a: 1\nb: *x\n")
    }
  }

  @Test(arguments: 0..<12) func mutatedManifestsAreReadOrRefused(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    let samples = PlantedBugTests.artefacts.map(\.text) + Self.texts + ForeignManifestTests.samples
    var compared = 0
    for _ in 0..<80 {
      var bytes = Array(random.pick(samples).utf8)
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let at = Int.random(in: 0...bytes.count, using: &random)
        switch random.pick([0, 1, 2, 3]) {
        case 0 where at < bytes.count: bytes[at] = random.pick(Array("\n -:#'\"[]{}|>,&*!?%@`\\ab01\t\r".utf8))
        case 1 where at < bytes.count: bytes.remove(at: at)
        case 2: bytes.insert(random.pick(Array("\n -:#'\"[]{}|>, ".utf8)), at: at)
        default:
          let end = min(bytes.count, at + Int.random(in: 0...20, using: &random))
          bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &random))
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      guard let found = try? YAML.documents(in: text), let expected = Self.yams(text) else { continue }
      // Yams takes this for a text.
      if text.contains("-0") { continue }
      compared += 1
      #expect(Self.comparable(found) == Self.comparable(expected), "\(text.debugDescription)")
    }
    #expect(compared > 8)
  }

  /// Returns `documents` with what Yams and kubectl take differently in one form.
  private static func comparable(_ documents: [YAML]) -> [YAML] { documents.map { plain($0).ordered } }

  private static func plain(_ yaml: YAML) -> YAML {
    switch yaml {
    case .mapping(let fields): .mapping(fields.map { .init($0.key, plain($0.value)) })
    case .sequence(let items): .sequence(items.map { plain($0) })
    case .decimal: .decimal("")
    // kubectl takes these words for truth values, Yams for strings.
    case .boolean, .string("y"), .string("Y"), .string("n"), .string("N"): .boolean(true)
    default: yaml
    }
  }

  @Test(arguments: 0..<6) func mutatedFoldersAreReadOrRefused(seed: Int) throws {
    var random = SeededGenerator(seed: seed + 77)
    for _ in 0..<15 {
      var files = PlantedBugTests.artefacts
      for _ in 0..<3 {
        let i = Int.random(in: 0..<files.count, using: &random)
        var lines = files[i].text.split(separator: "\n", omittingEmptySubsequences: false)
        let j = Int.random(in: 0..<lines.count, using: &random)
        switch random.pick([0, 1, 2]) {
        case 0: lines.remove(at: j)
        case 1: lines.swapAt(j, Int.random(in: 0..<lines.count, using: &random))
        default: lines.insert(random.pick(lines), at: j)
        }
        files[i].text = lines.joined(separator: "\n")
      }
      _ = try ProofTests.prove(files, mean: PlantedBugTests.firewall)
    }
  }

  @Test(.timeLimit(.minutes(5))) func deepAndLongTextsEndInTime() throws {
    for text in [
      String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 100_000),
      String(repeating: "- ", count: 100_000), String(repeating: "a:\n", count: 100_000),
      "a: " + String(repeating: "x\n ", count: 100_000), "a: \"" + String(repeating: "x\n", count: 100_000),
      "a: |\n" + String(repeating: " \n", count: 100_000),
    ] {
      _ = try? YAML.documents(in: text)
    }
  }
}
