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

  /// Reports those of the openings at `indices`, which are in the order of their ports, that cannot be said together.
  ///
  /// The policy sends a packet where the first of two limited openings does, within whose rate ever it is accepted; the
  /// rules know no more than the rate within which it was.
  mutating func reportContestedLimits(_ indices: [Int]) {
    let limited = indices.filter { firewall.openings[$0].limit != nil && firewall.openings[$0].traffic.ports != nil }
    guard limited.contains(where: { firewall.openings[$0].translation != nil }) else { return }
    var open: [Int] = []
    for i in limited {
      let opening = firewall.openings[i]
      open.removeAll { !firewall.openings[$0].traffic.overlaps(opening.traffic) }
      let rival = open.first {
        opening.translatesOtherwise(than: firewall.openings[$0]) && opening.meets(firewall.openings[$0], family)
      }
      open.append(i)
      guard let rival else { continue }
      let other = firewall.openings[rival]
      diagnostics.append(
        Diagnostic(
          .error, "iptables-translation",
          "iptables cannot tell which limit let a connection to \(opening.traffic) in", at: .init(opening.cause.span),
          also: other.cause.span == opening.cause.span
            ? [] : [.init(other.cause.span, "this limited exposure sends the same connections elsewhere")],
          because: "Where it is sent would depend on which of the two rates has room.",
          help: "Give them different public ports or audiences, or limit one of them alone.", subject: firewall.name))
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

extension Opening {
  /// Returns `true` iff a packet of `family` may be one that both openings accept, but for its port.
  fileprivate func meets(_ other: Opening, _ family: AddressFamily) -> Bool {
    let isShared = sources.contains { reach in
      other.sources.contains {
        !reach.interfaces.intersection($0.interfaces).isEmpty
          && !reach.addresses.intersection($0.addresses).isEmpty(family)
      }
    }
    let (some, others) = (destinations ?? .all, other.destinations ?? .all)
    return isShared && !some.intersection(others).isEmpty(family)
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
