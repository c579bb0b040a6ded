/// Writes a layout in the one canonical way.
///
/// - Two spaces a level. In a block that takes several lines, the values of its statements stand in one column, which
///   depends on the kind of the declaration alone, so that no statement moves when another one is added.
/// - A block that was written on one line stays there if it fits; its statements are separated by `;`. Else each
///   statement has a line of its own.
/// - The comments behind neighbouring lines stand in one column.
/// - Where a statement was continued on the next line it still is. Lines of more than `width` characters are broken
///   before clauses and behind commas.
struct Formatter {
  /// The most characters on a line that can be broken.
  static let width = 100

  /// What is written.
  private let layout: Layout

  /// The text so far.
  private(set) var text: [UInt8] = []

  /// The number of characters on the last line.
  private var column = 0

  /// The comments behind the last lines, each with where it belongs in the text and the number of characters before it.
  private var hanging: [(offset: Int, column: Int, comment: ArraySlice<UInt8>)] = []

  /// `true` iff a comment belongs behind the last line.
  private var lineHasComment = false

  /// Writes `layout`.
  init(_ layout: Layout) {
    self.layout = layout
    text.reserveCapacity(layout.bytes.count + layout.bytes.count / 8)
    write(layout.items, indentation: 0, in: nil)
    placeComments()
  }

  // MARK: Characters

  /// Appends `bytes`.
  private mutating func append(_ bytes: some Collection<UInt8>) {
    text.append(contentsOf: bytes)
    for b in bytes where b & 0xc0 != 0x80 { column += 1 }
  }

  /// Appends the text of `token`; a comment loses the blanks at its end.
  private mutating func append(_ token: Token) { append(bytes(of: token)) }

  /// Returns the text of `token`; a comment loses the blanks at its end.
  private func bytes(of token: Token) -> ArraySlice<UInt8> {
    var upper = Int(token.upper)
    if token.kind == .comment { while layout.bytes[upper - 1].isBlank { upper -= 1 } }
    return layout.bytes[Int(token.lower)..<upper]
  }

  /// Appends `count` spaces.
  private mutating func appendSpaces(_ count: Int) { append(repeatElement(UInt8(ascii: " "), count: count)) }

  /// Puts the comment `token` behind the last line.
  private mutating func hang(_ token: Token) {
    hanging.append((text.count, column, bytes(of: token)))
    lineHasComment = true
  }

  /// Writes the comments behind the last lines, in one column where the lines are short enough for it.
  private mutating func placeComments() {
    guard let first = hanging.first else { return }
    let tabulator = hanging.map(\.column).filter { $0 <= Formatter.width / 2 }.max() ?? 0
    let tail = Array(text[first.offset...])
    text.removeSubrange(first.offset...)
    var done = 0
    for (offset, column, comment) in hanging {
      text += tail[done..<(offset - first.offset)]
      done = offset - first.offset
      text += repeatElement(UInt8(ascii: " "), count: max(0, tabulator - column) + 2)
      text += comment
    }
    text += tail[done...]
    hanging.removeAll(keepingCapacity: true)
  }

  /// Ends the line.
  private mutating func endLine() {
    if !lineHasComment { placeComments() }
    lineHasComment = false
    text.append(UInt8(ascii: "\n"))
    column = 0
  }

  // MARK: Statements

  /// Writes `items`, which stand in the block of a declaration `owner`, or at the top.
  private mutating func write(_ items: [Layout.Item], indentation: Int, in owner: Keyword?) {
    for item in items {
      if item.followsEmptyLine { endLine() }
      appendSpaces(indentation)
      write(item, indentation: indentation, in: owner)
      endLine()
    }
  }

  /// Writes `item`.
  private mutating func write(_ item: Layout.Item, indentation: Int, in owner: Keyword?) {
    guard let block = item.block else {
      write(item.pieces, indentation: indentation, in: owner)
      return
    }
    let start = text.count
    if let line = line(of: item), column + line.count <= Formatter.width, block.isOnOneLine {
      append(line)
    } else {
      let hasBrace = item.pieces.last?.token.kind == .leftBrace
      write(item.pieces, indentation: indentation, in: nil)
      if !hasBrace {
        if text.count > start { appendSpaces(1) }
        append(CollectionOfOne(UInt8(ascii: "{")))
      }
      if let comment = block.comment { hang(comment) }
      if block.items.isEmpty && block.comment == nil {
        append(CollectionOfOne(UInt8(ascii: "}")))
      } else {
        endLine()
        write(block.items, indentation: indentation + 2, in: item.pieces.first.flatMap { layout.keyword($0.token) })
        appendSpaces(indentation)
        append(CollectionOfOne(UInt8(ascii: "}")))
      }
    }
    if let comment = item.commentBehindBlock { hang(comment) }
  }

  /// Returns `item` with its block on one line, or nothing if a comment or its length keeps it from that.
  private func line(of item: Layout.Item) -> [UInt8]? {
    var line: [UInt8] = []
    for piece in item.pieces {
      guard piece.token.kind != .comment, line.count <= 4 * Formatter.width else { return nil }
      if !line.isEmpty, piece.token.kind != .comma { line.append(UInt8(ascii: " ")) }
      line += bytes(of: piece.token)
    }
    guard let block = item.block else { return line }
    guard block.comment == nil else { return nil }
    line += block.items.isEmpty ? " {".utf8 : " { ".utf8
    for (i, statement) in block.items.enumerated() {
      guard line.count <= 4 * Formatter.width, let text = self.line(of: statement), statement.commentBehindBlock == nil
      else { return nil }
      if i > 0 { line += "; ".utf8 }
      line += text
    }
    line += block.items.isEmpty ? "}".utf8 : " }".utf8
    return line
  }

  /// Writes the statement of `pieces`, which stands in the block of a declaration `owner`, over as many lines as it
  /// takes.
  private mutating func write(_ pieces: [Layout.Piece], indentation: Int, in owner: Keyword?) {
    let first = pieces.first.flatMap { layout.keyword($0.token) }
    let isList = (owner == .zone || owner == .group) && first != .runs
    let tabulator = owner.flatMap(Formatter.valueColumn)
    let continuation = indentation + (isList ? 0 : tabulator ?? 4)
    // `deny with` and `log denied` are keywords of two words.
    let value = tabulator == nil ? -1 : first == .deny || first == .log ? 2 : 1
    var atLineStart = true
    for (i, piece) in pieces.enumerated() {
      let token = piece.token
      let isClause = layout.keyword(token)?.beginsClause == true
      let follows = i > 0 ? pieces[i - 1].token.kind : .newline
      if i > 0 {
        let canBreak = isClause || follows == .comma
        let mustBreak = piece.beginsLine || follows == .comment
        if mustBreak || canBreak && !atLineStart && !fits(pieces, from: i, wholeClause: isClause) {
          endLine()
          appendSpaces(token.kind == .leftBrace ? indentation : continuation + (isList && isClause ? 2 : 0))
          atLineStart = true
        } else if token.kind == .comment {
          hang(token)
          continue
        } else if i == value, let tabulator {
          appendSpaces(max(1, indentation + tabulator - column))
        } else if token.kind != .comma {
          appendSpaces(1)
        }
      }
      append(token)
      if i > 0 || !isClause { atLineStart = false }
    }
  }

  /// Returns `true` iff the pieces from `start` up to the next place where the line can be broken fit on it; that is
  /// before the next clause iff `wholeClause`, else also behind a comma.
  private func fits(_ pieces: [Layout.Piece], from start: Int, wholeClause: Bool) -> Bool {
    var length = 0
    for i in start..<pieces.count {
      let token = pieces[i].token
      if token.kind == .comment || i > start && (pieces[i].beginsLine || layout.keyword(token)?.beginsClause == true) {
        break
      }
      if token.kind != .comma { length += 1 }
      for b in bytes(of: token) where b & 0xc0 != 0x80 { length += 1 }
      if column + length > Formatter.width { return false }
      if token.kind == .comma, !wholeClause { break }
    }
    return true
  }

  /// Returns how far from the indentation the values of the statements in a block of `owner` stand: behind the longest
  /// keyword that the block can have.
  private static func valueColumn(_ owner: Keyword) -> Int? {
    switch owner {
    case .policy: "log denied ".utf8.count
    case .owner: "approvers ".utf8.count
    case .service: "purpose ".utf8.count
    case .host: "interface ".utf8.count
    case .cluster: "nodeports ".utf8.count
    case .workload: "namespace ".utf8.count
    default: nil
    }
  }
}
