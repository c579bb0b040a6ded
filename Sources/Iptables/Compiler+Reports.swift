import Firewalls
import Packets
import Syntax

extension Compiler {
  /// Reports an error.
  mutating func report(
    _ code: String, _ message: String, at place: Span, because reason: String, help: String? = nil
  ) {
    diagnostics.append(
      Diagnostic(.error, code, message, at: .init(place), because: reason, help: help, subject: firewall.name))
  }

  /// Returns `true` iff something of `opening` concerns the family.
  func isExpressible(_ opening: Opening) -> Bool {
    if let confined = opening.traffic.family, confined != family { return false }
    if case .forward(let addresses, _) = opening.translation, !addresses.contains(where: { $0.family == family }) {
      return false
    }
    return true
  }

  /// Reports what cannot be said of `opening`.
  mutating func report(_ opening: Opening) {
    let place = opening.cause.span
    report(interfaces: opening.sources, until: opening.until, traffic: [opening.traffic], at: place)
    if let limit = opening.limit { warnOfFamilies(limit, opening.sources, at: place) }
    guard let translation = opening.translation, let range = opening.traffic.ports else { return }
    let (first, isForward) =
      switch translation {
      case .redirect(let port): (port, false)
      case .forward(_, let port): (port, true)
      }
    if opening.traffic.transport == .udplite {
      report(
        "iptables-translation", "iptables cannot translate ports of udplite", at: place,
        because: "Its NAT knows the ports of TCP, UDP, SCTP and DCCP.",
        help: isForward ? nil : "Let the service listen on the public port.")
    } else if Int(first) + range.count - 1 > Int(UInt16.max) {
      report(
        "iptables-translation", "iptables cannot translate \(range) to ports from \(first)", at: place,
        because: "The last of them would be above 65535.")
    }
  }

  /// Reports what cannot be said of `reaches`, `until` and `traffic`.
  mutating func report(interfaces reaches: [Reach], until: CalendarDate?, traffic: [Traffic], at place: Span) {
    for reach in reaches {
      for name in reach.interfaces.names where !Self.isInterface(name) && knownInterfaces.insert(name).inserted {
        report(
          "iptables-interface", "iptables cannot name the interface `\(Self.plain(name))`", at: place,
          because: "A name has 1 to 15 letters, digits, dots, hyphens, underscores, colons or at signs; a `+` at its "
            + "end would stand for any end.")
      }
    }
    if let until, until > Self.lastDay {
      report(
        "iptables-until", "iptables cannot close this at the end of \(until)", at: place,
        because: "Its dates end on 2038-01-19, so that it would stay open.", help: "Choose a day before that one.")
    }
    // To the kernel, type 255 of ICMP is any type.
    if family == .ipv4, traffic.contains(where: { if case .icmp(255, _) = $0 { true } else { false } }) {
      report(
        "iptables-icmp", "iptables cannot tell ICMP messages of type 255 from others", at: place,
        because: "The number stands for any type there.")
    }
  }

  /// Warns if `limit` counts both families in the policy and each by itself in the kernel.
  mutating func warnOfFamilies(_ limit: Limit, _ reaches: [Reach], at place: Span) {
    guard family == .ipv4, !limit.perSource,
      AddressFamily.allCases.allSatisfy({ family in reaches.contains { !$0.addresses.isEmpty(family) } })
    else { return }
    diagnostics.append(
      Diagnostic(
        .warning, "iptables-limit-families", "iptables counts this limit for IPv4 and for IPv6", at: .init(place),
        because: "The two have rules of their own, so up to twice as many connections are let in.",
        help: "Use `per source`, or the nftables target, which counts both together.", subject: firewall.name))
  }

  /// The last day whose end the kernel's 32-bit dates can say.
  static let lastDay = CalendarDate(daysSinceEpoch: 24_854)

  /// Returns `true` iff `name` is an interface to iptables, and that one alone.
  static func isInterface(_ name: String) -> Bool {
    (1...15).contains(name.utf8.count) && !name.utf8.starts(with: "-".utf8)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
          UInt8(ascii: ":"), UInt8(ascii: "@"):
          true
        default: false
        }
      }
  }
}

extension InterfaceSet {
  /// The names that the set is made of.
  fileprivate var names: [String] {
    switch self {
    case .only(let names), .except(let names): names
    }
  }
}
