/// A file of a policy.
public struct SourceFile: Sendable {
  /// The path of the file as the user wrote it or as the folder that was read names it.
  public let path: String

  /// The bytes of the file.
  public let bytes: [UInt8]

  /// The offset at which each line begins.
  private let lineStarts: [UInt32]

  /// Creates the file at `path` with the contents `bytes`.
  public init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
    var starts: [UInt32] = [0]
    starts.reserveCapacity(bytes.count / 32)
    for i in bytes.indices where bytes[i] == UInt8(ascii: "\n") { starts.append(UInt32(i + 1)) }
    lineStarts = starts
  }

  /// Creates the file at `path` with the contents `text`.
  public init(path: String, text: String) { self.init(path: path, bytes: Array(text.utf8)) }

  /// The number of lines; a last line may be empty.
  public var lineCount: Int { lineStarts.count }

  /// Returns the number, counted from 0, of the line that holds `offset`.
  public func line(at offset: Int) -> Int {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }

  /// Returns where the line with the number `line`, counted from 0, begins and ends, without its line break.
  public func range(ofLine line: Int) -> Range<Int> {
    let start = Int(lineStarts[line])
    var end = line + 1 < lineStarts.count ? Int(lineStarts[line + 1]) - 1 : bytes.count
    if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
    return start..<end
  }

  /// Returns the text between two offsets; what is no UTF-8 is replaced.
  public func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

/// A place in one of the files of a policy, as offsets in bytes.
public struct Span: Hashable, Sendable, Comparable {
  /// The position of the file in its `Sources`.
  public let file: UInt32

  /// The offset of the first byte.
  public let lower: UInt32

  /// The offset behind the last byte.
  public let upper: UInt32

  /// Creates the span of the bytes from `lower` up to `upper` in the file at position `file`.
  ///
  /// - Requires: `lower` is not above `upper`.
  public init(file: UInt32, lower: UInt32, upper: UInt32) {
    precondition(lower <= upper)
    self.file = file
    self.lower = lower
    self.upper = upper
  }

  /// The offsets of the span.
  public var range: Range<Int> { Int(lower)..<Int(upper) }

  /// Returns the smallest span that holds `self` and `other`, or `self` if they are in different files.
  public func union(_ other: Span) -> Span {
    file == other.file ? Span(file: file, lower: min(lower, other.lower), upper: max(upper, other.upper)) : self
  }

  /// Returns `true` iff `a` stands before `b`: by file, then by place.
  public static func < (a: Self, b: Self) -> Bool {
    (a.file, a.lower, a.upper) < (b.file, b.lower, b.upper)
  }
}

/// The files of a policy, in the order of their paths.
public struct Sources: Sendable {
  /// The files; a span names one by its position here.
  public let files: [SourceFile]

  /// Creates the collection of `files`, which are put in the order of their paths.
  public init(_ files: [SourceFile]) { self.files = files.sorted { $0.path < $1.path } }

  /// Returns the file that `span` is in.
  public func file(of span: Span) -> SourceFile { files[Int(span.file)] }

  /// Returns the path of the file that `span` is in.
  public func path(of span: Span) -> String { files[Int(span.file)].path }

  /// Returns the number, counted from 1, of the line that `span` begins on.
  public func line(of span: Span) -> Int { files[Int(span.file)].line(at: Int(span.lower)) + 1 }

  /// Returns the text of `span`.
  public func text(of span: Span) -> String { file(of: span).text(span.range) }

  /// Returns the path, line and column at which `span` begins.
  public func location(of span: Span) -> Location {
    let file = file(of: span)
    let line = file.line(at: Int(span.lower))
    let start = file.range(ofLine: line).lowerBound
    let before = file.text(start..<max(start, Int(span.lower)))
    return Location(path: file.path, line: line + 1, column: before.unicodeScalars.count + 1)
  }
}

/// A place as a person names it.
public struct Location: Hashable, Sendable, CustomStringConvertible {
  /// The path of the file.
  public let path: String

  /// The line, counted from 1.
  public let line: Int

  /// The column in Unicode code points, counted from 1.
  public let column: Int

  /// Creates the place in the file at `path`.
  public init(path: String, line: Int, column: Int) {
    self.path = path
    self.line = line
    self.column = column
  }

  /// The place as `path:line:column`.
  public var description: String { "\(path):\(line):\(column)" }
}
