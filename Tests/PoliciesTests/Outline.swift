import Packets
import Policies
import Syntax

/// Returns everything in `value` but places, so that policies can be compared that are written in other orders.
func outline(_ value: Any) -> String {
  if value is Span || value is [Span] { return "" }
  if let set = value as? AddressSet { return set.description }
  let mirror = Mirror(reflecting: value)
  if mirror.displayStyle == .optional {
    return mirror.children.first.map { outline($0.value) } ?? "nil"
  }
  // `Optional<Span>` is caught above as its value; a string or number has no children.
  if mirror.children.isEmpty { return "\(value)" }
  let parts = mirror.children.map { child in
    let text = outline(child.value)
    return mirror.displayStyle == .collection ? text : "\(child.label ?? "")=\(text)"
  }
  return "(" + parts.joined(separator: " ") + ")"
}

extension Tree {
  /// Where each declaration is.
  var declarationSpans: [Span] {
    var spans: [Span] = []
    spans += settings.map(\.span) + owners.map(\.span) + zones.map(\.span) + services.map(\.span)
    spans += hosts.map(\.span) + groups.map(\.span) + transits.map(\.span) + clusters.map(\.span)
    spans += blocks.map(\.span) + invariants.map(\.span) + waivers.map(\.span)
    return spans.sorted()
  }

  /// Puts declarations and statements into another order.
  mutating func shuffle(using generator: inout some RandomNumberGenerator) {
    for i in services.indices {
      services[i].ports.shuffle(using: &generator)
      services[i].exposures.shuffle(using: &generator)
      services[i].uses.shuffle(using: &generator)
      services[i].classes.shuffle(using: &generator)
      for j in services[i].exposures.indices {
        services[i].exposures[j].audience.shuffle(using: &generator)
        services[i].exposures[j].ports.shuffle(using: &generator)
      }
    }
    for i in hosts.indices {
      hosts[i].addresses.shuffle(using: &generator)
      hosts[i].interfaces.shuffle(using: &generator)
      hosts[i].runs.shuffle(using: &generator)
    }
    for i in groups.indices { groups[i].members.shuffle(using: &generator) }
    for i in zones.indices { zones[i].members.shuffle(using: &generator) }
    for i in clusters.indices {
      clusters[i].nodes.shuffle(using: &generator)
      clusters[i].allotments.shuffle(using: &generator)
      clusters[i].workloads.shuffle(using: &generator)
      for j in clusters[i].workloads.indices {
        clusters[i].workloads[j].labels.shuffle(using: &generator)
        clusters[i].workloads[j].publications.shuffle(using: &generator)
      }
    }
    services.shuffle(using: &generator)
    hosts.shuffle(using: &generator)
    zones.shuffle(using: &generator)
    groups.shuffle(using: &generator)
    clusters.shuffle(using: &generator)
    transits.shuffle(using: &generator)
    blocks.shuffle(using: &generator)
    invariants.shuffle(using: &generator)
    waivers.shuffle(using: &generator)
    owners.shuffle(using: &generator)
  }

  /// Takes out each declaration and statement that `removes` says.
  mutating func removeAll(where removes: () -> Bool) {
    owners.removeAll { _ in removes() }
    zones.removeAll { _ in removes() }
    services.removeAll { _ in removes() }
    hosts.removeAll { _ in removes() }
    groups.removeAll { _ in removes() }
    clusters.removeAll { _ in removes() }
    transits.removeAll { _ in removes() }
    blocks.removeAll { _ in removes() }
    invariants.removeAll { _ in removes() }
    waivers.removeAll { _ in removes() }
    settings.removeAll { _ in removes() }
    for i in services.indices {
      services[i].ports.removeAll { _ in removes() }
      services[i].exposures.removeAll { _ in removes() }
      services[i].uses.removeAll { _ in removes() }
      if removes() { services[i].owner = nil }
    }
    for i in hosts.indices {
      hosts[i].addresses.removeAll { _ in removes() }
      hosts[i].runs.removeAll { _ in removes() }
    }
    for i in clusters.indices {
      clusters[i].workloads.removeAll { _ in removes() }
      clusters[i].nodes.removeAll { _ in removes() }
    }
  }
}
