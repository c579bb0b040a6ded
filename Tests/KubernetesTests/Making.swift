import Firewalls
import Packets
import Policies
import Syntax

/// Returns `value`, which the test knows to be there.
func known<Value>(_ value: Value?) -> Value {
  guard let value else { preconditionFailure("a value of the test is missing") }
  return value
}

/// The file that made-up statements stand in: a statement a line.
let lines = Sources([SourceFile(path: "shop.port", text: String(repeating: "statement\n", count: 1000))])

/// The date of the tests, in UTC.
let today = known(CalendarDate("2026-11-22"))

/// Returns the place of the statement in line `line`.
func span(_ line: Int = 1) -> Span { Span(file: 0, lower: UInt32(line - 1) * 10, upper: UInt32(line - 1) * 10 + 9) }

/// Returns the cause in line `line`.
func cause(_ line: Int = 1, _ subject: String = "shop") -> Cause { Cause(subject, at: span(line)) }

/// Returns the set of `texts`, addresses or blocks of them.
func addresses(_ texts: String...) -> AddressSet {
  AddressSet(
    texts.map { text -> Prefix in
      let parts = text.split(separator: "/")
      let address = known(Address(parts[0]))
      return Prefix(containing: address, length: parts.count > 1 ? known(Int(parts[1])) : address.family.width)
    })
}

/// Returns ports of TCP.
func tcp(_ lower: UInt16, _ upper: UInt16? = nil) -> Traffic {
  .ports(.tcp, PortRange(from: lower, through: upper ?? lower))
}

/// Returns ports of UDP.
func udp(_ port: UInt16) -> Traffic { .ports(.udp, PortRange(port)) }

/// Returns the labels `labels`, in order.
func podLabels(_ labels: [String: String]) -> [PodLabel] {
  labels.sorted { $0.key < $1.key }.map { PodLabel(span: span(2), key: $0.key, value: $0.value) }
}

/// Returns the selection of the pods of ingress-nginx, or of another controller.
func controller(_ name: String = "ingress-nginx") -> PodSelection {
  PodSelection(
    span: span(2), namespace: Spelled(name, at: span(2)), labels: podLabels(["app.kubernetes.io/name": name]))
}

/// Returns the firewall of a cluster with `workloads`.
func cluster(
  _ workloads: PodFirewall..., pods: AddressSet = addresses("10.42.0.0/16", "fd42::/48"),
  ingress: PodSelection? = controller()
) -> ClusterFirewall {
  var result = ClusterFirewall(
    cluster: ID(0), name: "prod", ingress: ingress, pods: pods, nodes: addresses("192.0.2.0/28"))
  result.workloads = workloads
  return result
}

/// Returns a workload with `ports`, changed by `change`.
func workload(
  _ name: String = "shop", in namespace: String = "web", labels: [String: String]? = nil,
  ports: [PodPort] = [PodPort(name: "http", traffic: tcp(8080), publicPort: nil)],
  change: (inout PodFirewall) -> Void = { _ in }
) -> PodFirewall {
  var result = PodFirewall(
    service: ID(0), name: name, namespace: namespace, labels: podLabels(labels ?? ["app": name]), cause: cause(3, name))
  result.ports = ports
  change(&result)
  return result
}

/// Returns an exposure to `peers`.
func admission(
  _ peers: Peer..., except: AddressSet = AddressSet(), on traffic: [Traffic] = [tcp(8080)], until: CalendarDate? = nil,
  line: Int = 4
) -> Admission {
  Admission(peers: peers, exceptions: except, traffic: traffic, limit: nil, until: until, cause: cause(line))
}

/// Returns a publication of all ports of a workload with one port.
func publication(
  _ kind: PublishStatement.Kind, to audience: AddressSet = .all, ports: [Int] = [0], line: Int = 9
) -> PodPublication {
  PodPublication(ports: ports, kind: kind, audience: audience, isNarrow: !audience.isAll, cause: cause(line))
}

/// Returns the publication on the port `number` of every node.
func nodePort(_ number: UInt16) -> PublishStatement.Kind { .nodePort(Spelled(number, at: span(9))) }

/// Returns the publication under the name `host` at `path`.
func ingress(_ host: String, _ path: String? = nil) -> PublishStatement.Kind {
  .ingress(host: Spelled(host, at: span(9)), path: path.map { Spelled($0, at: span(9)) })
}

/// Returns the publication through a load balancer, on the port `number` of every node if there is one.
func loadBalancer(_ number: UInt16? = nil) -> PublishStatement.Kind {
  .loadBalancer(nodePort: number.map { Spelled($0, at: span(9)) })
}
