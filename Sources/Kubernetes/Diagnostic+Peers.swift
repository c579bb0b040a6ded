import Firewalls
import Packets
import Syntax

// Audiences and clauses that Kubernetes has no words for.

extension Diagnostic {
  /// The limit of an exposure is not enforced.
  static func unenforcedLimit(_ limit: Limit, of workload: PodFirewall, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .warning, "kubernetes-limit", "the cluster does not enforce `limit \(limit)` of `\(workload.name)`",
      at: Label(cause.span), also: [Label(workload.cause.span, "runs here as a workload")],
      because: "NetworkPolicy does not count connections.",
      help: "Nodes that are hosts of the policy enforce it for NodePorts; else say it in the load balancer or proxy.",
      subject: workload.name)
  }

  /// What an exposure accepts is not logged.
  static func unenforcedLog(of workload: PodFirewall, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .warning, "kubernetes-log", "the cluster does not log connections to `\(workload.name)`", at: Label(cause.span),
      also: [Label(workload.cause.span, "runs here as a workload")], because: "NetworkPolicy has no log.",
      help: "Use what the network plugin has for it.", subject: workload.name)
  }

  /// The exposure stays open after its last day until the manifests are made anew.
  static func unenforcedUntil(_ until: CalendarDate, of workload: PodFirewall, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .note, "kubernetes-until", "the cluster does not close `\(workload.name)` by itself after \(until)",
      at: Label(cause.span), also: [Label(workload.cause.span, "runs here as a workload")],
      because: "NetworkPolicy knows no dates; the objects carry the date in the annotation `\(Annotation.until)`.",
      help: "Compile and apply again after that day: what has lapsed is left out.", subject: workload.name)
  }

  /// The policy closes a namespace of the cluster itself.
  static func systemNamespace(_ workload: PodFirewall) -> Diagnostic {
    Diagnostic(
      .warning, "kubernetes-namespace", "everything in `\(workload.namespace)` is closed but `\(workload.name)`",
      at: Label(workload.cause.span),
      because: "A namespace with a workload of the policy is closed by default, DNS and all else that runs there too.",
      help: "Move the workload to a namespace of its own.", subject: workload.name)
  }

  /// An audience has every address without being `internet`.
  static func everyAddress(at cause: Cause) -> Diagnostic {
    Diagnostic(
      .warning, "kubernetes-audience", "this audience is everyone in a cluster", at: Label(cause.span),
      because: "A zone without addresses is told by the interfaces of a host; pods do not see them.",
      help: "Write the addresses of the zone, or expose to `internet` if everyone is meant.", subject: cause.subject)
  }

  /// Pods that are refused cannot be taken away.
  static func inexpressibleRefusal(_ peer: Peer, at cause: Cause) -> Diagnostic {
    var text = "pods"
    if case .pods(let namespace, let labels) = peer {
      text =
        "the pods \(labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", "))"
        + " of `\(namespace)`"
    }
    return Diagnostic(
      .error, "kubernetes-refusal", "a NetworkPolicy cannot refuse \(text) here", at: Label(cause.span),
      because: "It only admits; what a `block` or `except` takes away from a wider audience it can say of addresses "
        + "outside the cluster, not of pods.",
      help: "Name those who may connect, instead of everyone but a few.", subject: cause.subject)
  }

  /// Addresses of pods are refused while other pods may connect.
  static func refusedPodAddresses(_ refused: AddressSet, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-refusal", "a NetworkPolicy cannot refuse single addresses of pods", at: Label(cause.span),
      because: "Pods are admitted by their labels, whatever their address; some of the cluster's pod addresses are "
        + "blocked or excepted.",
      help: "Refuse all addresses of the cluster's pods or none of them.", subject: cause.subject)
  }

  /// Nobody knows whether the refused addresses are those of pods.
  static func unknownPods(at cause: Cause) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-refusal", "it is not known whether pods are among those who are refused",
      at: Label(cause.span),
      because: "Pods are admitted by their labels, whatever their address, and the cluster does not say which "
        + "addresses its pods have.",
      help: "Write them into the cluster: `pods 10.42.0.0/16`.", subject: cause.subject)
  }

  /// Some of the cluster's pods are named by their addresses.
  static func somePodAddresses(_ addresses: AddressSet, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .warning, "kubernetes-audience", "some of the cluster's pods are named by address: \(addresses)",
      at: Label(cause.span),
      because: "Not every network plugin compares the addresses of pods with a block of addresses.",
      help: "Name the service that runs in those pods.", subject: cause.subject)
  }

  /// A block of addresses is not taken.
  static func mappedAddress(_ block: Prefix, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-address", "`\(block)` is IPv4 written as IPv6, which Kubernetes does not take",
      at: Label(cause.span), because: "No packet has such an address (RFC 4291 section 2.5.5.2).",
      help: "Write the IPv4 addresses.", subject: cause.subject)
  }
}
