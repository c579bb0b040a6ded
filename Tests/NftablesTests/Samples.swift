// swift-format-ignore-file: NeverForceUnwrap

import Firewalls
import Nftables
import Packets
import Policies
import Syntax

/// A policy of which only the places matter.
let sampleSources = Sources([SourceFile(path: "policies/shop.port", text: String(repeating: "service x\n", count: 200))]
)

/// Returns a cause that says `subject` and lies in `line`.
func cause(_ subject: String, line: Int = 1) -> Cause {
  let offset = UInt32((line - 1) * 10)
  return Cause(subject, at: Span(file: 0, lower: offset, upper: offset + 9))
}

/// Returns the addresses of `texts`.
func addresses(_ texts: String...) -> AddressSet {
  AddressSet(
    texts.map { text -> AddressRange in
      if let address = Address(text) { return AddressRange(address) }
      let parts = text.split(separator: text.contains("/") ? "/" : "-").map(String.init)
      if text.contains("/") { return Prefix(containing: Address(parts[0])!, length: Int(parts[1])!).range }
      return AddressRange(from: Address(parts[0])!, through: Address(parts[1])!)
    })
}

extension Traffic {
  static func tcp(_ port: UInt16) -> Traffic { .ports(.tcp, PortRange(port)) }
  static func udp(_ port: UInt16) -> Traffic { .ports(.udp, PortRange(port)) }
}

extension Firewall {
  /// Returns a firewall that accepts nothing but the essentials.
  static func closed(rejects: Bool = false, pingOpen: Bool = true) -> Firewall {
    Firewall(
      host: ID(0), name: "web1", addresses: AddressSet([Address("192.0.2.10")!, Address("2001:db8::10")!]),
      rejects: rejects,
      logDenied: Limit(Rate(5, per: .second)), pingOpen: pingOpen, ephemeral: PortRange(from: 32768, through: 60999))
  }

  /// Returns a closed firewall with `openings`.
  static func with(_ openings: Opening...) -> Firewall {
    var firewall = closed()
    firewall.openings = openings
    return firewall
  }
}

/// Returns an opening to `sources`.
func opening(
  _ traffic: Traffic, to sources: [Reach] = [.everywhere], at destinations: AddressSet? = nil,
  _ translation: Opening.Translation? = nil, limit: Limit? = nil, until: CalendarDate? = nil, logged: Bool = false,
  name: String = "web", line: Int = 1
) -> Opening {
  Opening(
    sources: sources.normalized, destinations: destinations, traffic: traffic, translation: translation, limit: limit,
    until: until, logged: logged, cause: cause(name, line: line))
}

/// Returns the ruleset of `firewall`.
func ruleset(_ firewall: Firewall) -> String {
  NftablesBackend.compile(firewall, sources: sampleSources).artefacts[0].text
}
