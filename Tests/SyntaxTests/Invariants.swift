import Syntax
import Testing

/// Checks what must hold of every input: the tokens rebuild it, the findings are few and inside it, and if there are
/// none, the formatter keeps the tokens and what they declare, and leaves its own output alone.
func checkInvariants(of bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
  func fail(_ comment: String) {
    Issue.record(
      "\(comment): \(String(decoding: bytes.prefix(2000), as: UTF8.self))", sourceLocation: sourceLocation)
  }
  let file = SourceFile(path: "test.port", bytes: bytes)
  let (tree, diagnostics) = parse(file, at: 3)
  if rebuilt(bytes, tree.tokens) != bytes { fail("the tokens do not rebuild the text") }
  if diagnostics.count > 101 { fail("there are too many findings") }
  for d in diagnostics {
    let spans = [d.primary.span] + d.secondary.map(\.span) + d.fixes.map(\.span)
    if spans.contains(where: { Int($0.upper) > bytes.count || $0.file != 3 }) { fail("a finding is outside the text") }
  }
  let text = formatted(file)
  if (text == nil) != !diagnostics.isEmpty { fail("exactly what parses has a layout") }
  guard let text else { return }
  let again = SourceFile(path: "test.port", text: text)
  let (tidy, findings) = parse(again, at: 3)
  if !findings.isEmpty { fail("the layout does not parse (\(findings[0].message)): \(text)\n---\n") }
  if significant(file, tree) != significant(again, tidy) { fail("the layout changes the tokens: \(text)\n---\n") }
  // The shapes take long to make, so not every input's are compared.
  let isChosen = bytes.reduce(0, &+) % 8 == 0
  if isChosen, shape(tree) != shape(tidy) { fail("the layout changes the declarations: \(text)\n---\n") }
  if formatted(again) != text { fail("the layout is not its own:\n\(text)\n---\n\(formatted(again) ?? "")\n---\n") }
}

/// Returns the texts of the tokens of `file` that the layout must keep.
func significant(_ file: SourceFile, _ tree: Tree) -> [String] {
  tree.tokens.compactMap { token in
    switch token.kind {
    case .space, .newline, .semicolon, .end: return nil
    default:
      var text = file.text(Int(token.lower)..<Int(token.upper))
      if token.kind == .comment { while text.last == " " || text.last == "\t" { text.removeLast() } }
      return text
    }
  }
}

/// Returns everything that `tree` declares, without the places.
func shape(_ tree: Tree) -> [UInt8] {
  var tree = tree
  tree.tokens = []
  let text = Array("\(tree)".utf8)
  var result: [UInt8] = []
  let span = Array("Span(".utf8)
  var i = 0
  while i < text.count {
    if text[i] == span[0], text[i...].starts(with: span) {
      while text[i] != UInt8(ascii: ")") { i += 1 }
    } else {
      result.append(text[i])
    }
    i += 1
  }
  return result
}
