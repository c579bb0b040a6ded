import Firewalls
public import Nftables
import Syntax

/// One state of a host's table, as it is kept: whatever judged once can judge again, without the policy that it came from.
///
/// The text is a transaction that nft(8) loads too; what is known of the state stands in its comments, and the first line
/// has the hash of all others.
public struct Record: Hashable, Sendable {
  /// Its place in the history of the host, from 1.
  public var number: Int

  /// When it was made, in seconds since 1970.
  public var date: Int

  /// Who made it.
  public var author: String

  /// The host's name in the policy.
  public var host: String

  /// What the ruleset means, as the policy said it.
  public var fingerprint: String

  /// The commit of the policy, if it is in a repository.
  public var revision: String?

  /// Why it was made, such as `rollback to 3`.
  public var reason: String?

  /// The ruleset.
  public var table: Table

  /// Creates a record.
  public init(
    number: Int, date: Int, author: String, host: String, fingerprint: String, revision: String? = nil,
    reason: String? = nil, table: Table
  ) {
    self.number = number
    self.date = date
    self.author = author
    self.host = host
    self.fingerprint = fingerprint
    self.revision = revision
    self.reason = reason
    self.table = table
  }
}

/// A file of the state folder is damaged, or was written by something else.
public struct DamagedRecord: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with it.
  public let description: String

  init(_ description: String) { self.description = description }
}

extension Record {
  private static let form = "portcullis state 1 sha256 "

  /// The record as it is kept.
  public var text: String {
    var notes = [
      "number \(number)", "date \(date)", "author \(Record.line(author))", "host \(Record.line(host))",
      "fingerprint \(Record.line(fingerprint))",
    ]
    if let revision { notes.append("revision \(Record.line(revision))") }
    if let reason { notes.append("reason \(Record.line(reason))") }
    let body = Script(notes: notes, [.ensure(table.name), .delete(table.name), .define(table)]).text
    return "# \(Record.form)\(SHA256.digits(of: body))\n\(body)"
  }

  /// Reads the record that `text` is.
  public init(parsing text: String) throws(DamagedRecord) {
    guard let end = text.utf8.firstIndex(of: UInt8(ascii: "\n")), text.hasPrefix("# \(Record.form)") else {
      throw DamagedRecord("it does not begin as a state does")
    }
    let digits = text[..<end].dropFirst(2 + Record.form.utf8.count)
    let body = String(text[text.utf8.index(after: end)...])
    guard digits == SHA256.digits(of: body) else {
      throw DamagedRecord("its contents do not have the hash that stands in its first line")
    }
    let script: Script
    do throws(ScriptError) { script = try Script(parsing: body) } catch { throw DamagedRecord("\(error)") }
    var fields: [Substring: String] = [:]
    for note in script.notes {
      let words = note.split(separator: " ", maxSplits: 1)
      if words.count == 2 { fields[words[0]] = String(words[1]) }
    }
    guard let number = fields["number"].flatMap({ Int($0) }), let date = fields["date"].flatMap({ Int($0) }),
      let author = fields["author"], let host = fields["host"], let fingerprint = fields["fingerprint"],
      case .define(let table)? = script.commands.last
    else { throw DamagedRecord("something is missing") }
    self.init(
      number: number, date: date, author: author, host: host, fingerprint: fingerprint, revision: fields["revision"],
      reason: fields["reason"], table: table)
  }

  /// Returns `text` as one line without control characters, and not empty.
  private static func line(_ text: String) -> String {
    let line = String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
    return line.isEmpty ? "?" : line
  }
}
