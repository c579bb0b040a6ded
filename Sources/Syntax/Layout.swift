/// A file as the formatter sees it: statements, their blocks, comments and blank lines, but no other white space.
struct Layout {
  /// A token of a statement.
  struct Piece {
    /// The token, which may be a comment.
    let token: Token

    /// `true` iff a line ends before it.
    let beginsLine: Bool
  }

  /// A statement, a declaration, or a comment on its own lines.
  struct Item {
    /// The tokens up to the end, or up to the block, with the comments among them.
    var pieces: [Piece] = []

    /// What stands between braces, if there are any.
    var block: Block?

    /// The comment behind the block, if there is one.
    var commentBehindBlock: Token?

    /// `true` iff an empty line stands before it.
    var followsEmptyLine = false
  }

  /// What stands between braces.
  struct Block {
    /// The statements and comments.
    var items: [Item] = []

    /// The comment behind the opening brace, if there is one.
    var comment: Token?

    /// `true` iff no line ends between the braces.
    var isOnOneLine = true
  }

  /// The bytes of the file.
  let bytes: [UInt8]

  /// The tokens of the file.
  private let tokens: [Token]

  /// The index of the next token.
  private var position = 0

  /// What stands in the file.
  private(set) var items: [Item] = []

  /// Creates the layout of a file that parses; `tokens` are those of `bytes`.
  init(_ bytes: [UInt8], _ tokens: [Token]) {
    self.bytes = bytes
    self.tokens = tokens
    items = readItems().items
  }

  /// Returns the keyword that `token` spells, if it spells one.
  func keyword(_ token: Token) -> Keyword? {
    guard token.kind == .word else { return nil }
    return KeywordTable.all.keyword(in: bytes, from: Int(token.lower), to: Int(token.upper))
  }

  /// Returns what stands up to the end of the block or the file.
  private mutating func readItems() -> Block {
    var block = Block()
    var lines = 0
    while true {
      let token = tokens[position]
      switch token.kind {
      case .rightBrace, .end: return block
      case .newline:
        lines += 1
        block.isOnOneLine = false
        position += 1
      case .comment:
        position += 1
        if lines == 0, let last = block.items.indices.last {
          // Behind `;`: the comment belongs to the statement before it.
          if block.items[last].block == nil {
            block.items[last].pieces.append(Piece(token: token, beginsLine: false))
          } else {
            block.items[last].commentBehindBlock = token
          }
        } else {
          block.items.append(
            Item(
              pieces: [Piece(token: token, beginsLine: false)],
              followsEmptyLine: lines > 1 && !block.items.isEmpty))
        }
        lines = 0
      case .space, .semicolon, .invalid: position += 1
      default:
        var item = readItem()
        item.followsEmptyLine = lines > 1 && !block.items.isEmpty
        lines = 0
        if item.pieces.contains(where: \.beginsLine) || item.block?.isOnOneLine == false { block.isOnOneLine = false }
        block.items.append(item)
      }
    }
  }

  /// Returns the statement that begins here.
  private mutating func readItem() -> Item {
    var item = Item()
    var endsLine = false
    // Up to here the statement is known to go on.
    var next = position
    while true {
      let token = tokens[position]
      switch token.kind {
      case .space: position += 1
      case .newline:
        if position >= next {
          guard let i = indexOfContinuation(of: item) else { return item }
          next = i
        }
        endsLine = true
        position += 1
      case .semicolon, .rightBrace, .end: return item
      case .leftBrace:
        position += 1
        if endsLine, item.pieces.last?.token.kind == .comment {
          item.pieces.append(Piece(token: token, beginsLine: true))
        }
        item.block = readBlock()
        item.commentBehindBlock = takeComment()
        return item
      default:
        item.pieces.append(Piece(token: token, beginsLine: endsLine))
        endsLine = false
        position += 1
      }
    }
  }

  /// Returns the block whose opening brace was taken.
  private mutating func readBlock() -> Block {
    let comment = takeComment()
    var block = readItems()
    block.comment = comment
    position += 1
    return block
  }

  /// Returns the comment on the same line, and moves behind it, if there is one.
  private mutating func takeComment() -> Token? {
    var i = position
    while tokens[i].kind == .space { i += 1 }
    guard tokens[i].kind == .comment else { return nil }
    position = i + 1
    return tokens[i]
  }

  /// Returns where `item` goes on behind the end of the line that is here, or nothing if it ends.
  private func indexOfContinuation(of item: Item) -> Int? {
    var i = position
    while tokens[i].isTrivia || tokens[i].kind == .newline { i += 1 }
    let last = item.pieces.last { $0.token.kind != .comment }?.token.kind
    return last == .comma || tokens[i].kind == .leftBrace || keyword(tokens[i])?.beginsClause == true ? i : nil
  }
}
