public import Packets

/// A registry of service names and their ports, such as IANA's (RFC 6335).
///
/// It is two texts that are searched in place, so that it costs nothing to start with and well under a microsecond a
/// look-up. Names are compared without regard to the case of their letters (RFC 6335, section 5.1).
public struct PortRegistry: Sendable {
  /// The date of the edition, as `2026-08-17`.
  public let edition: String

  /// A line for each port or range, by number, none overlapping another: `80 http:tus www:tu`.
  ///
  /// The letters stand for the transports of a name; the names of each transport are in the order of the registry.
  let byPort: String

  /// A line for each name, in the order of the names in lower case: `domain 53:tu`.
  let byName: String

  /// Creates the registry of two texts in the compact form.
  init(edition: String, byPort: String, byName: String) {
    self.edition = edition
    self.byPort = byPort
    self.byName = byName
  }

  /// Returns the names that are registered for `port`, in the order of the registry: the first is the usual one.
  public func names(of port: UInt16, _ transport: TransportProtocol) -> [String] {
    var result: [String] = []
    forEachName(of: port, transport) { name in
      result.append(String(byPort.utf8Slice(name)))
      return true
    }
    return result
  }

  /// Returns the first name that is registered for `port`, if there is one.
  public func firstName(of port: UInt16, _ transport: TransportProtocol) -> String? {
    var result: String?
    forEachName(of: port, transport) { name in
      result = String(byPort.utf8Slice(name))
      return false
    }
    return result
  }

  /// Returns `true` iff some name is registered for `port`.
  public func assigns(_ port: UInt16, _ transport: TransportProtocol) -> Bool {
    var result = false
    forEachName(of: port, transport) { _ in
      result = true
      return false
    }
    return result
  }

  /// Returns `true` iff `name` is registered for `port`.
  public func assigns(_ name: String, to port: UInt16, _ transport: TransportProtocol) -> Bool {
    let wanted = name.utf8.span
    let text = byPort.utf8.span
    guard let letter = Self.letter(of: transport), let line = Self.line(of: port, in: text) else { return false }
    var position = line
    while let token = Self.nextToken(in: text, from: &position) {
      if token.letters.contains(where: { text[$0] == letter }), compareNames(text, token.key, wanted) == 0 {
        return true
      }
    }
    return false
  }

  /// Returns `true` iff `name` is registered, with a port or without.
  public func isRegistered(_ name: String) -> Bool {
    let text = byName.utf8.span
    return Self.line(of: name.utf8.span, in: text) != nil
  }

  /// Returns `name` as the registry spells it, if it is registered.
  public func spelling(of name: String) -> String? {
    let text = byName.utf8.span
    guard let line = Self.line(of: name.utf8.span, in: text) else { return nil }
    return String(byName.utf8Slice(line..<Self.endOfWord(at: line, in: text)))
  }

  /// Returns the ports that are registered for `name`, by their numbers.
  public func assignments(of name: String) -> [Traffic] {
    let text = byName.utf8.span
    guard let line = Self.line(of: name.utf8.span, in: text) else { return [] }
    var position = Self.endOfWord(at: line, in: text)
    var result: [Traffic] = []
    while let token = Self.nextToken(in: text, from: &position) {
      let ports = Self.ports(in: text, at: token.key.lowerBound)
      for (letter, transport) in Self.letters where token.letters.contains(where: { text[$0] == letter }) {
        result.append(.ports(transport, ports))
      }
    }
    return result
  }

  /// Calls `body` with the place of each name of `port` until it returns `false`.
  private func forEachName(of port: UInt16, _ transport: TransportProtocol, _ body: (Range<Int>) -> Bool) {
    let text = byPort.utf8.span
    guard let letter = Self.letter(of: transport), let line = Self.line(of: port, in: text) else { return }
    var position = line
    while let token = Self.nextToken(in: text, from: &position) {
      if token.letters.contains(where: { text[$0] == letter }), !body(token.key) { return }
    }
  }
}
