/// A piece of a file.
public struct Token: Hashable, Sendable {
  /// What a piece is.
  public enum Kind: UInt8, Hashable, Sendable {
    /// A run of characters that are none of the others: a keyword, a name, a number, an address.
    case word
    /// Text between double quotes, the quotes included.
    case string
    /// `,`
    case comma
    /// `;`
    case semicolon
    /// `{`
    case leftBrace
    /// `}`
    case rightBrace
    /// The end of a line.
    case newline
    /// Spaces and tabs.
    case space
    /// `#` and what follows it on its line.
    case comment
    /// Bytes that no policy may hold: control characters and what is not UTF-8.
    case invalid
    /// The end of the file; it is empty.
    case end
  }

  /// What it is.
  public let kind: Kind

  /// The keyword that it spells, if it is a word and spells one.
  let keyword: Keyword?

  /// The offset of the first byte.
  public let lower: UInt32

  /// The offset behind the last byte.
  public let upper: UInt32

  /// Creates the token of `kind` from `lower` up to `upper`.
  public init(_ kind: Kind, from lower: UInt32, to upper: UInt32) {
    self.init(kind, nil, from: lower, to: upper)
  }

  /// Creates the token of `kind` from `lower` up to `upper`, which spells `keyword`.
  init(_ kind: Kind, _ keyword: Keyword?, from lower: UInt32, to upper: UInt32) {
    self.kind = kind
    self.keyword = keyword
    self.lower = lower
    self.upper = upper
  }

  /// `true` iff the token has no meaning of its own.
  public var isTrivia: Bool { kind == .space || kind == .comment }
}
