import Kubernetes
import Support
import Testing
import Yams

@Suite struct YAMLTests {
  /// Strings that some reader takes for something else, or that end the string early.
  static let hostile: [String] = [
    "", " ", "y", "Y", "n", "N", "yes", "No", "on", "OFF", "true", "False", "null", "Null", "~", "NaN", ".nan", ".inf",
    "-.inf", "Infinity", "08080", "0o17", "0x1F", "0b11", "1e3", "1_000", "12:30:45", "1.5", "+1", "-1", "2026-12-31",
    "2026-12-31T00:00:00Z", "=", "<<", "-", "--- a", "...", "---", "- a", "? a", ": a", "a: b", "a:", "a #b", "#a",
    "a ",
    " a", "&a", "*a", "!a", "!!str a", "|", ">", "|-\n a", "%YAML 1.2", "@a", "`a`", "'a'", "\"a\"", "a\"b", "a\\b",
    "a\\nb", "\\", "[a", "{a: b}", "a, b", "a\nb", "a\r\nb", "a\tb", "\n", "\n---\nkind: Secret", "a\u{0}b", "\u{7}",
    "\u{85}", "\u{a0}", "\u{2028}", "\u{2029}", "a\u{feff}b", "\u{202e}evil\u{202c}", "\u{200b}", "\u{e000}", "é", "日本",
    "👩‍👩‍👧", "\u{10ffff}", "\u{fffe}", "x\nspec:\n  egress:\n  - {}", "{{ .Values.x }}", "${IFS}", "$(id)", "../../etc",
    "app.kubernetes.io/name", "10.0.0.0/8", "::/0", "::1", "a-b.c/d_e", String(repeating: "long ", count: 500),
  ]

  @Test(arguments: hostile) func stringsAreRead(string: String) throws {
    let value = YAML.mapping([
      .init("a", .string(string)),
      .init("list", .sequence([.string(string), .mapping([.init("k", .string(string))])])),
      .init("z" + String(string.prefix(100)), .number(7)),
    ])
    #expect(try YAML(value.text) == value)
    #expect(try readByYams(value.text) == value.ordered)
    // Nothing leaves the line that it is written in.
    #expect(value.text.utf8.count { $0 == 0x0a } == 5)
  }

  @Test(arguments: 0..<100) func randomStringsAreRead(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    let alphabet = Array("aZ09 \"\\\n\r\t:#-{}[]&*!|>'%@`,?~=<\u{0}\u{1b}\u{85}\u{2028}é\u{301}👍".unicodeScalars)
    var scalars = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0..<30, using: &random) { scalars.append(random.pick(alphabet)) }
    let value = YAML.mapping([.init("key", .string(String(scalars)))])
    #expect(try YAML(value.text) == value)
    #expect(try readByYams(value.text) == value)
  }

  @Test(arguments: 0..<100) func treesAreRead(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    let value = YAML.mapping([.init("root", tree(&random, depth: 0))])
    #expect(try YAML(value.text) == value, "\(value.text)")
    #expect(try readByYams(value.text) == value.ordered, "\(value.text)")
  }

  private func tree(_ random: inout SeededGenerator, depth: Int) -> YAML {
    switch random.pick(depth < 5 ? [0, 1, 2, 3, 3, 4, 4] : [0, 1, 2]) {
    case 0: .string(random.pick(Self.hostile))
    case 1: .number(Int.random(in: 0...65535, using: &random))
    case 2: .boolean(random.onceIn(2))
    case 3: .sequence((0..<random.pick([0, 1, 2, 3])).map { _ in tree(&random, depth: depth + 1) })
    default: .mapping((0..<random.pick([0, 1, 2, 3])).map { i in .init("k\(i)", tree(&random, depth: depth + 1)) })
    }
  }

  @Test(
    arguments: [
      "", "# nothing\n", "a: b: c\n", "a: yes\n", "a: 'b'\n", "a: 08\n", "a: -1\n", "a: &x b\n", "a: *x\n",
      "a: !!str b\n",
      "a: [1]\n", "a: {b: c}\n", "a: |\n  b\n", "a:\n", "a: b\na: c\n", " a: b\n", "a: b\n  c: d\n", "a: \"b\n",
      "a: \"\\q\"\n",
      "a: \"\\ud800\"\n", "a: \"b\" c\n", "a: b c\n", "a:b\n", "- a\n b\n", "a:\n    b: c\n", "a: \"\\x4\"\n",
      "\ta: b\n",
      "a: \"\\x+4\"\n", "a: \"\\x-0\"\n", String(repeating: "- ", count: 100) + "a\n",
    ]) func otherYAMLIsRefused(text: String)
  { #expect(throws: ManifestError.self) { try YAML(text) } }

  @Test(arguments: 0..<200) func anyBytesAreReadOrRefused(seed: Int) {
    var random = SeededGenerator(seed: seed)
    let words = [
      "- ", "a: ", "b:", "\n", "\n  ", "  ", "\"", "\\x", "\\U0011ffff", "4", "{}", "[]", "#", "\t", "\r", "\u{0}", "é",
      ":",
      "99999999999999999999", "true", "a", "-", "\u{feff}",
    ]
    var bytes = (0..<Int.random(in: 0..<60, using: &random)).flatMap { _ in Array(random.pick(words).utf8) }
    for i in bytes.indices where random.onceIn(30) { bytes[i] = UInt8.random(in: 0...255, using: &random) }
    let text = String(decoding: bytes, as: UTF8.self)
    // Whatever it is, reading ends; and what is read is written and read again as the same.
    if let value = try? YAML(text) { #expect((try? YAML(value.text)) == value, "\(text.debugDescription)") }
    _ = try? Manifest(text)
    _ = try? Kustomization(text)
  }

  @Test(.timeLimit(.minutes(5))) func largeAndDeepTextEndsInTime() {
    let deep = String(repeating: "- ", count: 200_000) + "a\n"
    let steps = (0..<3000).map { String(repeating: "  ", count: $0) + "a:\n" }.joined()
    let wide = (0..<100_000).map { "k\($0): \"v\"\n" }.joined()
    let open = "a: \"" + String(repeating: "\\", count: 1_000_000)
    #expect(throws: ManifestError.self) { try YAML(deep) }
    #expect(throws: ManifestError.self) { try YAML(steps) }
    #expect(throws: ManifestError.self) { try YAML(open) }
    #expect(throws: Never.self) { try YAML(wide) }
  }

  @Test func errorsNameTheirLine() {
    #expect(throws: ManifestError("line 3", "`yes` needs quotes")) { try YAML("# heading\na: b\nb: yes\n") }
    #expect(throws: ManifestError("metadata.name", "the field is missing")) {
      try Manifest("apiVersion: v1\nkind: Service\nmetadata: {}\nspec: {}\n")
    }
  }
}
