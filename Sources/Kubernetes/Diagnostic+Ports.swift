import Firewalls
import Packets
import Syntax

// Ports and publications that Kubernetes has no words for.

extension Diagnostic {
  /// No object of Kubernetes can say `traffic`.
  static func inexpressible(_ traffic: Traffic, at cause: Cause) -> Diagnostic {
    if traffic.transport.isICMP {
      return Diagnostic(
        .warning, "kubernetes-icmp", "a NetworkPolicy cannot open `\(traffic)`",
        at: Label(cause.span, "left out of the cluster's manifests"),
        because: "NetworkPolicy knows TCP, UDP and SCTP. Whether ICMP reaches a pod is up to the network plugin.",
        help: "Say it in the network plugin's own objects.", subject: cause.subject)
    }
    return Diagnostic(
      .error, "kubernetes-protocol", "Kubernetes cannot open `\(traffic)`", at: Label(cause.span),
      because: "Its objects know ports 1 to 65535 of TCP, UDP and SCTP.",
      help: "Run the service on hosts, or expose its other ports alone.", subject: cause.subject)
  }

  /// The service `name` would have `port` twice.
  static func servicePortTakenTwice(_ port: Service.Port, of name: String, at cause: Cause, first: Cause)
    -> Diagnostic
  {
    Diagnostic(
      .error, "kubernetes-port", "the Service `\(name)` would have \(port.port)/\(port.transport) twice",
      at: Label(cause.span, "published again here"), also: [Label(first.span, "first published here")],
      because: "A port of a Service leads to one port of its pods.",
      help: "Publish each port once in each way, and give ports different public ports with `as`.",
      subject: cause.subject)
  }

  /// A range of ports cannot be published.
  static func publishedRange(_ traffic: Traffic, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-port", "`\(traffic)` cannot be published so", at: Label(cause.span),
      because: "A Service lists each port by itself, and a NodePort leads to a single one.",
      help: "Publish at most \(Compiler.longestList) ports, none of them a range if on NodePorts.",
      subject: cause.subject)
  }

  /// Two ports would share one NodePort.
  static func nodePortForTwo(_ a: Service.Port, _ b: Service.Port, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-port",
      "one NodePort cannot lead to \(a.port)/\(a.transport) and \(b.port)/\(b.transport)", at: Label(cause.span),
      because: "A port of the nodes leads to one port of a Service.",
      help: "Name the port before the number, with one statement each: `publish api nodeport 30010`.",
      subject: cause.subject)
  }

  /// An ingress leads to what is not a single TCP port.
  static func ingressPorts(at cause: Cause, of workload: PodFirewall) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-ingress", "an Ingress leads to a single TCP port", at: Label(cause.span),
      because: "The controller passes HTTP on to one port of a Service.",
      help: "Name the port: `publish api ingress \"shop.example\"`.", subject: workload.name)
  }

  /// Something is published through an ingress controller that the cluster does not have.
  static func noIngressController(at cause: Cause) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-ingress", "the cluster has no ingress controller", at: Label(cause.span),
      because: "Only the pods of the controller are let in for an Ingress.",
      help: "Say which pods they are: `ingress namespace ingress-nginx pods app.kubernetes.io/name=ingress-nginx`.",
      subject: cause.subject)
  }

  /// `workload` is published where nobody may connect from.
  static func publishedToNobody(_ workload: PodFirewall, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-audience", "`\(workload.name)` is published to clients that no exposure lets in",
      at: Label(cause.span), also: [Label(workload.cause.span, "the workload")],
      because: "An object without source addresses would let everyone in.",
      help: "Expose the port to those who connect from outside, or write `publish cluster`.", subject: workload.name)
  }

  /// The controller cannot keep others out.
  static func narrowIngress(_ workload: PodFirewall, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-ingress", "an Ingress opens `\(workload.name)` to everyone, its exposure does not",
      at: Label(cause.span), also: [Label(workload.cause.span, "the workload")],
      because: "Behind the ingress controller every client has the controller's address, so that no NetworkPolicy can "
        + "tell them apart; Portcullis knows how to tell ingress-nginx, and this controller is another.",
      help: "Expose the port to `internet`, publish it on a load balancer, or use ingress-nginx.",
      subject: workload.name)
  }

  /// The controller alone keeps others out.
  static func guardedIngress(_ workload: PodFirewall, at cause: Cause) -> Diagnostic {
    Diagnostic(
      .warning, "kubernetes-ingress", "the audience of `\(workload.name)` is enforced by the ingress controller alone",
      at: Label(cause.span), also: [Label(workload.cause.span, "the workload")],
      because: "Behind the controller every client has the controller's address. The Ingress carries the source ranges "
        + "in an annotation that ingress-nginx obeys, if it sees the address of the client itself.",
      help: "See that ingress-nginx gets the client's address: `externalTrafficPolicy: Local` or the PROXY protocol.",
      subject: workload.name)
  }
}
