import Firewalls
import Packets
import Syntax

/// A part of a packet that an expression of nft(8) in JSON looks at (libnftables-json(5)).
struct ListedField {
  /// What a value is written as.
  enum Kind {
    case address(AddressFamily)
    case interface, transport, port, family, etherType, state, kind, icmpType, icmpv6Type, icmpCode, number, time
    /// The status of a connection.
    case status
    /// A mark, with the bits that are looked at.
    case mark(HookedChains.Mark)
  }

  /// The field; nothing for marks and the status.
  var field: PacketField?

  /// How values are written.
  var kind: Kind

  /// What must hold for a packet to have it.
  var needs: Needs = .nothing

  /// The bits that are looked at, if not all.
  var mask: UInt128?

  /// What a packet must be.
  enum Needs {
    case nothing, ports
    case family(AddressFamily)
    case transport(UInt8)
    case message(AddressFamily)
  }

  /// Creates what `expression` looks at, or nothing if that is not known here.
  init?(_ expression: JSONValue) {
    guard let member = expression.only else { return nil }
    switch member.name {
    case "meta": self.init(meta: member.value["key"]?.string ?? "")
    case "ct":
      guard member.value["dir"] == nil else { return nil }
      switch member.value["key"]?.string {
      case "state": self.init(field: .state, kind: .state)
      case "status": self.init(field: nil, kind: .status)
      case "mark": self.init(field: nil, kind: .mark(.connection))
      default: return nil
      }
    case "fib":
      let flags = member.value["flags"]?.array ?? member.value["flags"].map { [$0] } ?? []
      switch (member.value["result"]?.string, flags) {
      case ("type"?, [.string("daddr")]): self.init(field: .destinationKind, kind: .kind)
      case ("type"?, [.string("saddr")]): self.init(field: .sourceKind, kind: .kind)
      case ("oifname"?, [.string("daddr")]): self.init(field: .departure, kind: .interface)
      default: return nil
      }
    case "payload":
      self.init(protocol: member.value["protocol"]?.string ?? "", field: member.value["field"]?.string ?? "")
    case "&":
      guard let parts = member.value.array, parts.count == 2, var inner = ListedField(parts[0]), inner.mask == nil
      else {
        return nil
      }
      switch (inner.kind, parts[1]) {
      case (.address(let family), .string(let text)):
        guard let address = Address(text), address.family == family else { return nil }
        inner.mask = address.value
      case (.mark, .number(let number)), (.port, .number(let number)), (.number, .number(let number)):
        guard let mask = UInt128(exactly: number) else { return nil }
        inner.mask = mask
      default: return nil
      }
      self = inner
    default: return nil
    }
  }

  private init(field: PacketField?, kind: Kind, needs: Needs = .nothing) {
    self.field = field
    self.kind = kind
    self.needs = needs
  }

  private init?(meta key: String) {
    switch key {
    case "nfproto": self.init(field: .family, kind: .family)
    case "protocol": self.init(field: .family, kind: .etherType)
    case "l4proto": self.init(field: .transport, kind: .transport)
    case "iif", "iifname": self.init(field: .arrival, kind: .interface)
    case "oif", "oifname": self.init(field: .departure, kind: .interface)
    case "time": self.init(field: .time, kind: .time)
    case "mark": self.init(field: nil, kind: .mark(.packet))
    default: return nil
    }
  }

  private init?(protocol name: String, field: String) {
    switch (name, field) {
    case ("ip", "saddr"): self.init(field: .source, kind: .address(.ipv4), needs: .family(.ipv4))
    case ("ip", "daddr"): self.init(field: .destination, kind: .address(.ipv4), needs: .family(.ipv4))
    case ("ip6", "saddr"): self.init(field: .source, kind: .address(.ipv6), needs: .family(.ipv6))
    case ("ip6", "daddr"): self.init(field: .destination, kind: .address(.ipv6), needs: .family(.ipv6))
    case ("ip", "protocol"): self.init(field: .transport, kind: .transport, needs: .family(.ipv4))
    case ("ip", "ttl"): self.init(field: .hopLimit, kind: .number, needs: .family(.ipv4))
    case ("ip6", "hoplimit"): self.init(field: .hopLimit, kind: .number, needs: .family(.ipv6))
    case ("th", "sport"): self.init(field: .sourcePort, kind: .port, needs: .ports)
    case ("th", "dport"): self.init(field: .destinationPort, kind: .port, needs: .ports)
    case ("icmp", "type"): self.init(field: .destinationPort, kind: .icmpType, needs: .message(.ipv4))
    case ("icmp", "code"): self.init(field: .sourcePort, kind: .icmpCode, needs: .message(.ipv4))
    case ("icmpv6", "type"): self.init(field: .destinationPort, kind: .icmpv6Type, needs: .message(.ipv6))
    case ("icmpv6", "code"): self.init(field: .sourcePort, kind: .icmpCode, needs: .message(.ipv6))
    case (_, "sport"), (_, "dport"):
      guard let transport = TransportProtocol.withPorts.first(where: { $0.name == name })?.transport else { return nil }
      self.init(
        field: field == "sport" ? .sourcePort : .destinationPort, kind: .port, needs: .transport(transport.rawValue))
    default: return nil
    }
  }

  /// Narrows `cube`, whose values are of `space`, to packets that have the field; returns `false` if there are none.
  func depend(_ cube: inout Cube, in space: PacketSpace) -> Bool {
    switch needs {
    case .nothing: return true
    case .ports:
      cube.looksAtPorts = true
      return true
    case .family(let family): return cube.narrow(.family, to: space.value(family.number, of: .family), in: space)
    case .transport(let number): return cube.narrow(.transport, to: space.value(number, of: .transport), in: space)
    case .message(let family):
      let transport: TransportProtocol = family == .ipv4 ? .icmp : .icmpv6
      return cube.narrow(.family, to: space.value(family.number, of: .family), in: space)
        && cube.narrow(.transport, to: space.value(transport.rawValue, of: .transport), in: space)
    }
  }

  /// The values that packets can have.
  var every: IntervalSet<UInt128> {
    if case .address(let family) = kind { return IntervalSet(0...family.highest) }
    return IntervalSet(0...(field?.highest ?? UInt128(UInt32.max)))
  }
}
