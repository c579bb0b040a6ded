/// What the API server takes for names (Kubernetes, "Object Names and IDs"; RFC 1035, RFC 1123).
enum ObjectNames {
  /// Returns `true` iff `name` is a label as RFC 1035 has it, which the name of a service must be.
  static func isServiceName(_ name: String) -> Bool {
    isLabel(name[...]) && name.utf8.first.map(isLetter) ?? false
  }

  /// Returns `true` iff `name` is a label as RFC 1123 has it: at most 63 lower-case letters, digits and `-`, with a
  /// letter or digit at either end.
  static func isLabel(_ name: Substring) -> Bool {
    let bytes = name.utf8
    guard (1...63).contains(bytes.count), let first = bytes.first, let last = bytes.last else { return false }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && bytes.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
  }

  /// Returns `true` iff `name` is labels with dots between them, at most 253 bytes, which most names must be.
  static func isSubdomain(_ name: Substring) -> Bool {
    name.utf8.count <= 253 && name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isLabel)
  }

  /// Returns `true` iff `host` may stand in an Ingress: a subdomain, whose first label may be `*`.
  ///
  /// Its last label has more than digits, which keeps it apart from an address, however that is written (RFC 1123
  /// section 2.1).
  static func isIngressHost(_ host: String) -> Bool {
    let name = host.hasPrefix("*.") ? host.dropFirst(2) : host[...]
    guard host.utf8.count <= 253, isSubdomain(name) else { return false }
    return name.utf8.reversed().prefix { $0 != UInt8(ascii: ".") }.contains { isLetter($0) }
  }

  /// Returns `true` iff `path` may stand in an Ingress: absolute, in the characters that RFC 3986 gives paths, with
  /// neither empty nor relative parts nor a slash in disguise.
  static func isIngressPath(_ path: String) -> Bool {
    let bytes = path.utf8
    guard bytes.first == UInt8(ascii: "/"), bytes.count <= 1024, bytes.allSatisfy(isPathCharacter) else { return false }
    let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    return !parts.dropLast().contains("") && !parts.contains(".") && !parts.contains("..")
      && !path.lowercased().contains("%2f")
  }

  /// Returns `true` iff `value` may be that of a label: at most 63 letters, digits, `-`, `_` and `.`, with a letter or
  /// digit at either end, or nothing.
  static func isLabelValue(_ value: Substring) -> Bool {
    let bytes = value.utf8
    guard let first = bytes.first, let last = bytes.last else { return true }
    func isAlphanumeric(_ byte: UInt8) -> Bool { self.isAlphanumeric(byte) || isLetter(byte | 0x20) }
    return bytes.count <= 63 && isAlphanumeric(first) && isAlphanumeric(last)
      && bytes.allSatisfy { isAlphanumeric($0) || [0x2d, 0x2e, 0x5f].contains($0) }
  }

  /// Returns `true` iff `key` may be that of a label: a name, with a subdomain and `/` before it or not.
  static func isLabelKey(_ key: String) -> Bool {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    guard let name = parts.last, !name.isEmpty, isLabelValue(name) else { return false }
    return parts.count == 1 || parts.count == 2 && isSubdomain(parts[0])
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Returns `true` iff `byte` may stand in a path (RFC 3986 section 3.3) and means nothing to the configuration
  /// language of a proxy.
  private static func isPathCharacter(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || isLetter(byte | 0x20) || "/-._~%!&*+,=:@".utf8.contains(byte)
  }
}
