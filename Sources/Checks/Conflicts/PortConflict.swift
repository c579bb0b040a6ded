import Packets
import Policies
import Syntax

extension Check {
  /// Two services that listen on one port of one host.
  static let portConflict = Check(
    "port-conflict", "Two services listen on the same address, port and protocol of a host", .conflicts, .error,
    page: Page(
      what: """
        Looks for two services that run on one host and listen on the same port of the same protocol. Services that are \
        bound to different addresses of the host (`runs web on 10.0.0.10`) do not conflict; a service that is not bound \
        takes the port on every address.
        """,
      why: """
        Only one process can listen there: the second one fails to start with "address already in use", often only \
        after the next reboot, when the order of starting changes. Until then the firewall opens the port for a service \
        that is not the one behind it.
        """,
      example: """
        service web { owner team; purpose "Site"; port 8080/tcp; expose to internet }
        service ↓admin { owner team; purpose "Console"; port 8080/tcp; expose to 192.0.2.7 }
        host web1 { address 192.0.2.10; runs web; runs admin }
        """,
      instead: """
        service web { owner team; purpose "Site"; port 8080/tcp; expose to internet }
        service admin { owner team; purpose "Console"; port 8081/tcp; expose to 192.0.2.7 }
        host web1 { address 192.0.2.10; runs web; runs admin }
        """),
    flagged: [
      """
      service a { owner team; purpose "A"; port 7000-7010/tcp; expose to 192.0.2.7 }
      service ↓b { owner team; purpose "B"; port 7005/tcp; expose to 192.0.2.7 }
      host h { address 192.0.2.10; runs a; runs b on 192.0.2.10 }
      """
    ],
    allowed: [
      """
      service a { owner team; purpose "A"; port 53/tcp; expose to 192.0.2.7 }
      service b { owner team; purpose "B"; port 53/udp; expose to 192.0.2.7 }
      host h { address 192.0.2.10; runs a; runs b }
      """,
      """
      service a { owner team; purpose "A"; port 53/tcp; expose to 192.0.2.7 }
      service b { owner team; purpose "B"; port 53/tcp; expose to 192.0.2.7 }
      host h { address 192.0.2.10, 192.0.2.11; runs a on 192.0.2.10; runs b on 192.0.2.11 }
      """,
    ]
  ) { inspection in
    let policy = inspection.policy
    return policy.hosts.flatMap { host in
      Listener.overlaps(among: listeners(on: host, in: policy)).map { a, b in
        policy[a.service].name.span < policy[b.service].name.span
          ? finding(a, b, on: host, in: policy) : finding(b, a, on: host, in: policy)
      }
    }
  }

  /// Returns what listens on `host`.
  private static func listeners(on host: Host, in policy: Policy) -> [Listener] {
    var result: [Listener] = []
    result.reserveCapacity(host.runs.count)
    // By position, since a port that is taken out of its list costs a count of each of its parts.
    for r in host.runs.indices {
      let service = host.runs[r].service
      let bound = host.runs[r].addresses.isEmpty ? nil : AddressSet(host.runs[r].addresses.map(\.value))
      for p in policy.services[service.rawValue].ports.indices {
        let span = policy.services[service.rawValue].ports[p].trafficSpan
        for traffic in policy.services[service.rawValue].ports[p].traffic where traffic.ports != nil {
          result.append(Listener(service: service, traffic: traffic, addresses: bound, span: span))
        }
      }
    }
    return result
  }

  /// Returns the finding that `first` and `second` conflict on `host`.
  private static func finding(_ first: Listener, _ second: Listener, on host: Host, in policy: Policy) -> Finding {
    let one = policy[first.service].name
    let other = policy[second.service].name
    let common = first.traffic.intersection(second.traffic) ?? second.traffic
    return Finding(
      "`\(one.value)` and `\(other.value)` both listen on \(common) of host `\(host.name.value)`", about: other.value,
      at: .init(other.span, "listens on \(second.traffic)"),
      also: [
        .init(first.span, "`\(one.value)` listens on \(first.traffic) here"), .init(second.span, "the same port"),
        .init(host.name.span, "both run on this host"),
      ],
      because: "Only one process can listen on a port of an address; the other one will not start.",
      help:
        "Give one of them another port, bind them to different addresses (`runs \(other.value) on ADDRESS`), or run "
        + "one of them elsewhere.")
  }
}

/// A service that takes ports of a host.
struct Listener {
  /// The service.
  var service: ID<Service>
  /// The ports.
  var traffic: Traffic
  /// The addresses that they are taken on; nothing means all.
  var addresses: AddressSet?
  /// Where the ports are written.
  var span: Span

  /// Returns `true` iff both take a port of one address.
  func conflicts(with other: Listener) -> Bool {
    guard let addresses, let others = other.addresses else { return traffic.overlaps(other.traffic) }
    return traffic.overlaps(other.traffic) && addresses.intersects(others)
  }

  /// Returns pairs of different services among `listeners` that conflict: for each that does, one that was there before.
  static func overlaps(among listeners: [Listener]) -> [(Listener, Listener)] {
    // What is compared is taken out, since each listener that is taken out costs a count of each of its parts.
    struct Key {
      let traffic: Traffic
      let service: ID<Service>
      let index: Int
    }
    var keys = listeners.indices.map { Key(traffic: listeners[$0].traffic, service: listeners[$0].service, index: $0) }
    keys.sort { a, b in
      if a.traffic < b.traffic { return true }
      if b.traffic < a.traffic { return false }
      return a.service < b.service
    }
    var result: [(Listener, Listener)] = []
    var seen = Set<[ID<Service>]>()
    var open: [Listener] = []
    for key in keys {
      let listener = listeners[key.index]
      open.removeAll { $0.traffic.transport != listener.traffic.transport || ends($0, before: listener) }
      if let earlier = open.first(where: { $0.service != listener.service && $0.conflicts(with: listener) }) {
        let pair = [earlier.service, listener.service].sorted()
        if seen.insert(pair).inserted { result.append((earlier, listener)) }
        // Whatever conflicts with this one conflicts with the earlier one, which takes as much.
        if earlier.covers(listener) { continue }
      }
      open.append(listener)
    }
    return result
  }

  /// Returns `true` iff the listener takes every port that `other` takes, on every address.
  private func covers(_ other: Listener) -> Bool { addresses == nil && traffic.contains(other.traffic) }

  /// Returns `true` iff the ports of `a` end before those of `b` begin.
  private static func ends(_ a: Listener, before b: Listener) -> Bool {
    guard let x = a.traffic.ports, let y = b.traffic.ports else { return true }
    return x.upper < y.lower
  }
}
