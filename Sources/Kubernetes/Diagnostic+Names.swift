import Firewalls
import Syntax

// What the API server would refuse.

extension Diagnostic {
  /// The name of a cluster is not the value of a label.
  static func clusterName(_ name: String, at cause: Cause) -> Diagnostic {
    refusedName(
      "the cluster `\(name)` has a name that Kubernetes does not take as a label", at: cause.span, subject: name,
      help: "Name the cluster with at most 63 characters, a letter or digit at either end.")
  }

  /// The namespace of `workload` is none.
  static func namespaceName(_ workload: PodFirewall) -> Diagnostic {
    refusedName(
      "`\(workload.namespace)` is not a name that Kubernetes takes for a namespace", at: workload.cause.span,
      subject: workload.name, help: "A namespace has at most 63 letters, digits and hyphens, no hyphen at either end.")
  }

  /// The name of `workload` is not that of an object.
  static func workloadName(_ workload: PodFirewall) -> Diagnostic {
    refusedName(
      "`\(workload.name)` is not a name that Kubernetes takes for an object", at: workload.cause.span,
      subject: workload.name,
      help:
        "It has at most \(Compiler.longestName) characters, each part between dots at most 63, a letter or digit at either "
        + "end.")
  }

  /// The name of `workload`, which is published, is not that of a Service.
  static func serviceName(_ workload: PodFirewall) -> Diagnostic {
    refusedName(
      "`\(workload.name)` is not a name that Kubernetes takes for a Service", at: workload.cause.span,
      subject: workload.name,
      help: "The name of a Service begins with a letter and has at most 63 letters, digits and hyphens, without dots "
        + "(RFC 1035). Rename the service, or leave `publish` out.")
  }

  /// The Service `name` of `workload` would have too long a name.
  static func longServiceName(_ name: String, for workload: PodFirewall) -> Diagnostic {
    refusedName(
      "`\(name)` is too long for the name of a Service", at: workload.cause.span, subject: workload.name,
      help: "Shorten the name of the service: with what Portcullis puts behind it, it may have 63 characters.")
  }

  /// The label `label` of the pods of `workload` is none.
  static func podLabel(_ label: PodLabel, of workload: PodFirewall) -> Diagnostic {
    refusedName(
      "`\(label.key)=\(label.value)` is not a label of pods", at: label.span, subject: workload.name,
      help: "Key and value have at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at either end.")
  }

  /// `workload` has no labels, which would select every pod of its namespace.
  static func noLabels(_ workload: PodFirewall) -> Diagnostic {
    refusedName(
      "the workload `\(workload.name)` selects every pod of its namespace", at: workload.cause.span,
      subject: workload.name, help: "Say which pods it is: `pods app=\(workload.name)`.")
  }

  /// The annotations of `manifest`, which is made for `cause`, are too long.
  static func longAnnotations(of manifest: Manifest, for cause: Cause) -> Diagnostic {
    refusedName(
      "the annotations of the \(manifest.kind) `\(manifest.metadata.name)` are too long", at: cause.span,
      subject: cause.subject,
      help: "An object has at most 262,144 bytes of them: shorten the purpose and the reasons, or join exposures.")
  }

  /// The host name of an ingress is none.
  static func ingressHost(_ host: Spelled<String>, of workload: PodFirewall) -> Diagnostic {
    refusedName(
      "`\(host.value)` is not a host name that Kubernetes takes for an Ingress", at: host.span, subject: workload.name,
      help: "Write a DNS name in lower case, such as `shop.example` or `*.shop.example`, without port and path.")
  }

  /// The path of an ingress is none.
  static func ingressPath(_ path: Spelled<String>, of workload: PodFirewall) -> Diagnostic {
    refusedName(
      "`\(path.value)` is not a path that Kubernetes takes for an Ingress", at: path.span, subject: workload.name,
      help: "Write an absolute path such as `/api`, without `//`, `.` and `..`, queries and spaces.")
  }

  /// `manifest` for `cause` has the name of another object.
  static func objectNamedTwice(_ manifest: Manifest, for cause: Cause, first: Cause) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-name",
      "two objects would be the \(manifest.kind) `\(manifest.metadata.name)` of `\(manifest.metadata.namespace)`",
      at: Label(cause.span, "made for this"), also: [Label(first.span, "and for this")],
      because: "The second would replace the first when they are applied.", help: "Rename one of the services.",
      subject: cause.subject)
  }

  /// `path` with its host name leads to two services.
  static func ingressTaken(_ path: String, at cause: Cause, first: Cause) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-ingress", "`\(path)` is published twice",
      at: Label(cause.span, "published again here"), also: [Label(first.span, "first published here")],
      because: "The controller leads a path to one service; which of them it takes is not said.",
      help: "Give one of them another host name or path.", subject: cause.subject)
  }

  private static func refusedName(_ message: String, at span: Span, subject: String, help: String) -> Diagnostic {
    Diagnostic(
      .error, "kubernetes-name", message, at: Label(span), because: "The API server would refuse the object.",
      help: help, subject: subject)
  }
}
