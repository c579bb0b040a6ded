import Firewalls
import Syntax

extension Compiler {
  /// Returns the comment that leads back to the line of `cause`: its subject, the file and the line.
  ///
  /// The kernel keeps 255 bytes and cuts off the rest, so a long path loses its beginning here instead.
  func comment(_ cause: Cause) -> String {
    let file = sources.file(of: cause.span)
    let line = file.line(at: Int(cause.span.lower)) + 1
    let place = Self.plain("\(file.path):\(line)")
    let subject = Self.cut(Self.plain(cause.subject), to: 100)
    let room = 255 - subject.utf8.count - 1
    guard place.utf8.count > room else { return "\(subject) \(place)" }
    var end = Substring(place)
    while end.utf8.count > room - 3 { end.removeFirst() }
    return "\(subject) ...\(end)"
  }

  /// Returns the words before a line of the log about `subject`; the kernel keeps 29 bytes of them.
  func logPrefix(_ subject: String) -> String { "portcullis " + Self.cut(Self.plain(subject), to: 16) + ": " }

  /// Returns `text` with a mark in place of every character that a line cannot hold.
  static func plain(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return text }
    return String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
  }

  /// Returns the longest beginning of `text` of at most `length` bytes.
  private static func cut(_ text: String, to length: Int) -> String {
    guard text.utf8.count > length else { return text }
    var beginning = Substring(text)
    while beginning.utf8.count > length { beginning.removeLast() }
    return String(beginning)
  }
}
