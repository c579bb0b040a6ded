import Firewalls
import Packets
import Syntax

/// The translation of one cluster while it is made.
struct Compiler {
  /// What is translated.
  let firewall: ClusterFirewall

  /// Where annotations find their lines.
  let sources: Sources

  /// The date, in UTC.
  let today: CalendarDate

  /// The labels of every object.
  private let labels: [String: String]

  /// What is made so far.
  private(set) var manifests: [Manifest] = []

  /// What cannot be said.
  var diagnostics: [Diagnostic] = []

  /// The workload that each file was made for, by path.
  private var origins: [String: Cause] = [:]

  /// The publications of each host name with a path.
  var ingressPaths: [String: Cause] = [:]

  /// How long the name of a workload may be: `networkpolicy-allow-NAME.yaml` is the name of a file, which has at most 255
  /// bytes; the API server would take 253 for the name of the object.
  static let longestName = 230

  /// Creates the translation of `firewall`.
  init(_ firewall: ClusterFirewall, sources: Sources, today: CalendarDate) {
    self.firewall = firewall
    self.sources = sources
    self.today = today
    labels = Compiler.labels(of: firewall.name)
  }

  /// Returns the labels of every object of the cluster `name`; they tell what is ours, so that it can be pruned.
  static func labels(of name: String) -> [String: String] {
    ["app.kubernetes.io/managed-by": "portcullis", "app.kubernetes.io/part-of": name]
  }

  /// Makes every object.
  mutating func run() {
    var governed: Set<String> = []
    for workload in firewall.workloads {
      guard check(workload) else { continue }
      if governed.insert(workload.namespace).inserted { closeNamespace(of: workload) }
      addPolicy(for: workload)
      addServices(for: workload)
    }
  }

  /// Adds `manifest`, which is made for `cause`, unless there is an object of its name.
  mutating func add(_ manifest: Manifest, for cause: Cause) {
    if let first = origins.updateValue(cause, forKey: manifest.path) {
      diagnostics.append(.objectNamedTwice(manifest, for: cause, first: first))
    }
    // The API server's own limit on all annotations of an object.
    let size = manifest.metadata.annotations.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    if size > 262_144 { diagnostics.append(.longAnnotations(of: manifest, for: cause)) }
    manifests.append(manifest)
  }

  /// Returns the metadata of an object for `workload` named `name`, with `annotations` beside those of the workload.
  func metadata(
    _ name: String, for workload: PodFirewall, _ annotations: [String: String] = [:]
  ) -> Metadata {
    var annotations = annotations
    annotations[Annotation.source] = line(of: workload.cause)
    annotations[Annotation.owner] = workload.owner
    annotations[Annotation.purpose] = workload.purpose
    return Metadata(
      name: name, namespace: workload.namespace, labels: labels, annotations: annotations)
  }

  /// Returns where `cause` stands, as `PATH:LINE`.
  func line(of cause: Cause) -> String {
    let file = sources.file(of: cause.span)
    return "\(file.path):\(file.line(at: Int(cause.span.lower)) + 1)"
  }

  /// Closes both directions of every pod in the namespace of `workload`.
  private mutating func closeNamespace(of workload: PodFirewall) {
    // What the cluster itself runs there would lose its connections too.
    if workload.namespace == "kube-system" { diagnostics.append(.systemNamespace(workload)) }
    let metadata = Metadata(
      name: "default-deny", namespace: workload.namespace, labels: labels,
      annotations: [Annotation.purpose: "What no other policy of the namespace admits is closed."])
    add(.networkPolicy(NetworkPolicy(metadata, podLabels: [:])), for: workload.cause)
  }

  /// Returns `true` iff the API takes the names in `workload`; what it refuses is reported.
  private mutating func check(_ workload: PodFirewall) -> Bool {
    let before = diagnostics.count
    if !ObjectNames.isLabelValue(firewall.name[...]) {
      diagnostics.append(.clusterName(firewall.name, at: workload.cause))
    }
    if !ObjectNames.isLabel(workload.namespace[...]) { diagnostics.append(.namespaceName(workload)) }
    if !ObjectNames.isSubdomain(workload.name[...]) || workload.name.utf8.count > Compiler.longestName {
      diagnostics.append(.workloadName(workload))
    }
    if workload.labels.isEmpty { diagnostics.append(.noLabels(workload)) }
    for label in workload.labels
    where !ObjectNames.isLabelKey(label.key) || !ObjectNames.isLabelValue(label.value[...]) {
      diagnostics.append(.podLabel(label, of: workload))
    }
    return diagnostics.count == before
  }
}

/// The annotations of our objects.
enum Annotation {
  /// Who answers for the service.
  static let owner = "portcullis/owner"

  /// What the service is for.
  static let purpose = "portcullis/purpose"

  /// The line of the workload.
  static let source = "portcullis/source"

  /// The first day after which something that the object says no longer holds.
  static let until = "portcullis/until"

  /// Returns the annotation of the rule at `position` of a direction.
  static func rule(_ direction: String, _ position: Int) -> String { "portcullis/\(direction)-\(position)" }
}
