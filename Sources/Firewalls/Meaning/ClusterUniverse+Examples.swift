public import Packets

extension ClusterUniverse {
  /// Values that an example has if it can, of a family if they are of one alone.
  private typealias Wish = (family: AddressFamily?, field: PacketField, values: IntervalSet<UInt128>)

  /// Returns a packet of `set` that a person can follow, if there is one.
  public func example(of set: PacketSet, throughDoors: Bool = false) throws(BudgetExceeded) -> PacketValues? {
    var rest = set
    if rest.isEmpty { return nil }
    for (family, field, values) in throughDoors ? sources : named + sources {
      var wish = PacketBox()
      wish[field] = space.values(values, of: field)
      if let family { wish = packets.box(wish, of: family) ?? wish }
      let narrowed = try rest.intersection(space.set(of: wish))
      if !narrowed.isEmpty { rest = narrowed }
    }
    return rest.witness
  }

  /// Pods that have a name, and ends outside before them.
  private var named: [Wish] {
    let known = kinds.examples.indices.filter { i in
      kinds.examples[i].values.contains { key, value in
        if case .label = key { value != nil } else { false }
      }
    }
    let numbers = IntervalSet(known.map { UInt128($0) + 1...UInt128($0) + 1 })
    let ends = numbers.union(IntervalSet(0...0))
    return [(nil, .departure, ends), (nil, .arrival, ends), (nil, .departure, numbers)]
  }

  private var sources: [Wish] {
    let documentation = UInt128(0x2001_0db8) << 96
    return [
      (nil, .transport, IntervalSet(6...6)),
      (.ipv4, .source, IntervalSet(0xc633_6401...0xc633_64fe)),
      (.ipv4, .source, IntervalSet(0x0100_0001...0xdfff_fffe)),
      (.ipv6, .source, IntervalSet(documentation + 1...documentation + 0xffff)),
      (.ipv4, .destination, IntervalSet(0x0100_0001...0xdfff_fffe)),
      (nil, .sourcePort, IntervalSet(49152...65535)), (nil, .destinationPort, IntervalSet(1...49151)),
    ]
  }

  /// Returns the connection `packet` in words.
  public func text(of packet: PacketValues) -> String {
    let transport = TransportProtocol(rawValue: UInt8(truncatingIfNeeded: packet[.transport]))
    let from = end(kind: packet[.arrival], address(packet, .source))
    let to = end(kind: packet[.departure], address(packet, .destination))
    return "\(packet[.destinationPort])/\(transport) from \(from) to \(to)" + conditions(of: packet)
  }

  /// Returns who sends `packet`, in words.
  public func source(of packet: PacketValues) -> String { end(kind: packet[.arrival], address(packet, .source)) }

  /// Returns the connection `packet`, which comes by a way, in words, with `sources` as those of its source.
  func textOfWay(_ packet: PacketValues, from sources: String? = nil) -> String {
    let transport = TransportProtocol(rawValue: UInt8(truncatingIfNeeded: packet[.transport]))
    let port = "\(packet[.destinationPort])/\(transport)"
    let from = "from \(sources ?? "\(address(packet, .source))")"
    return door(numbered: packet[.departure]).map { text(of: $0, port, from) } ?? "\(port) \(from)"
  }

  /// Returns a connection `from` somebody to `port` of `door` in words.
  private func text(of door: Door, _ port: String, _ from: String) -> String {
    switch door {
    case .web(let controller, let host, let path, let isExact):
      let place = "\(host ?? "any host")\(path.map { $0.isEmpty ? "/" : $0 } ?? ", any path")"
      let words = "\(isExact ? "exactly " : "")\(place) \(from)"
      return "a request for \(words) to the ingress controller\(controller.map { " `\($0)`" } ?? "")"
    case .pickedNodePort(let namespace, let name):
      return "the node port that is picked for \(port) of the service `\(name)` of `\(namespace)`, \(from)"
    default: return "\(port) \(from) to \(door.words)"
    }
  }

  /// Returns what `label` stands for in maps of ways, in words.
  func text(ofOutcome label: UInt32) -> String {
    guard let outcome = outcome(labelled: label) else { return "leads nowhere" }
    let traits = outcome.traits.sorted().map { ", \($0.rawValue)" }.joined()
    guard let kinds = outcome.kinds else { return (outcome.unknown ?? "not known") + traits }
    let first = kinds.intervals.first.map { self.kinds.text(of: $0.lowerBound) }
    let count = kinds.intervals.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) + 1 }
    let pods = first.map { count > 1 ? "\($0) and \(count - 1) more kinds" : $0 } ?? "no pods"
    return "leads to port \(outcome.port) of \(pods)\(traits)"
  }

  private func end(kind: UInt128, _ address: Address) -> String {
    kind == 0 ? address.description : knowsPods ? "\(kinds.text(of: kind)) (\(address))" : kinds.text(of: kind)
  }

  private func address(_ packet: PacketValues, _ field: PacketField) -> Address {
    let family: AddressFamily = packet[.family] == 0 ? .ipv4 : .ipv6
    return Address(family, min(packet[field], family.highest))
  }

  private func conditions(of packet: PacketValues) -> String {
    zip(space.conditionFields, space.conditions).map { packet[$0] == 1 ? " (\($1))" : "" }.joined()
  }
}

extension Door {
  /// The door in words.
  public var words: String {
    switch self {
    case .service(let namespace, let name): "the service `\(name)` of `\(namespace)`"
    case .node: "a node"
    case .pickedNodePort(let namespace, let name):
      "the node port that is picked for the service `\(name)` of `\(namespace)`"
    case .balancer(let namespace, let name): "the load balancer of `\(name)` of `\(namespace)`"
    case .address(let address): "the external address \(address)"
    case .web(_, let host, let path, _):
      "\(host ?? "any host")\(path.map { $0.isEmpty ? "/" : $0 } ?? ", any path") of the ingress controller"
    }
  }
}
