// The entrances of this room; the parser and the formatter stand in files of their own.

/// Returns the tree of `file`, which is at position `index` of its `Sources`, and what is wrong with it.
///
/// It never fails: what cannot be understood is left out of the declarations and reported. At most 100 findings are
/// returned, and a last one that says how many were left out.
public func parse(_ file: SourceFile, at index: UInt32) -> (tree: Tree, diagnostics: [Diagnostic]) {
  let lexer = Lexer(file.bytes, file: index)
  var parser = Parser(file.bytes, lexer.tokens, file: index)
  parser.readFile()
  parser.tree.tokens = lexer.tokens
  let end = UInt32(truncatingIfNeeded: file.bytes.count)
  return (
    parser.tree, parser.findings.merged(with: lexer.findings, end: Span(file: index, lower: end, upper: end))
  )
}

/// Returns the text of `file` in the one canonical layout, or nothing if it does not parse.
///
/// Comments and meaning stay, and the result is its own canonical layout.
public func formatted(_ file: SourceFile) -> String? {
  let (tree, diagnostics) = parse(file, at: 0)
  guard diagnostics.isEmpty else { return nil }
  let layout = Layout(file.bytes, tree.tokens)
  return String(decoding: Formatter(layout).text, as: UTF8.self)
}
