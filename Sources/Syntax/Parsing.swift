// The entrances of this room; the parser and the formatter stand in files of their own.

/// Returns the tree of `file`, which is at position `index` of its `Sources`, and what is wrong with it.
///
/// It never fails: what cannot be understood is left out of the declarations and reported.
public func parse(_ file: SourceFile, at index: UInt32) -> (tree: Tree, diagnostics: [Diagnostic]) {
  (Tree(), [])
}

/// Returns the text of `file` in the one canonical layout, or nothing if it does not parse.
///
/// Comments and meaning stay, and the result is its own canonical layout.
public func formatted(_ file: SourceFile) -> String? { nil }
