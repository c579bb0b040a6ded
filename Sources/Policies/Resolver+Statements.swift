import Packets
import Syntax

extension Resolver {
  /// Resolves what routers let through.
  mutating func resolveTransits() {
    for declaration in trees.flatMap(\.transits) {
      let clauses = declaration.clauses
      let audience = audience(declaration.sources, except: [])
      let destinations = parties(declaration.destinations)
      // The parser has reported a transit without a router.
      guard let via = clauses.via, let router = router(via), let audience, let destinations, !audience.parties.isEmpty,
        !destinations.isEmpty
      else { continue }
      policy.transits.append(
        Transit(
          audience: audience, destinations: destinations, traffic: clauses.traffic, via: router,
          masquerade: clauses.masquerade != nil, limit: clauses.limit,
          provenance: clauses.provenance(at: declaration.span)))
    }
    policy.transits.sort { Transit.order($0, $1) < 0 }
  }

  /// Resolves who is refused.
  mutating func resolveBlocks() {
    for declaration in trees.flatMap(\.blocks) {
      let sources = parties(declaration.sources)
      let targets = parties(declaration.targets)
      guard let sources, let targets, !sources.isEmpty else { continue }
      policy.blocks.append(
        Block(
          sources: sources, targets: targets, traffic: declaration.clauses.traffic,
          provenance: declaration.clauses.provenance(at: declaration.span)))
    }
    policy.blocks.sort { Block.order($0, $1) < 0 }
  }

  /// Resolves what must never or always be open.
  mutating func resolveInvariants() {
    for declaration in trees.flatMap(\.invariants) {
      let audience = audience(declaration.sources, except: declaration.exceptions)
      let targets = parties(declaration.targets)
      let traffic = declaration.clauses.traffic
      guard !declaration.sources.isEmpty, !(declaration.targets.isEmpty && traffic.isEmpty) else {
        report(.emptyInvariant(declaration))
        continue
      }
      guard let audience, let targets else { continue }
      policy.invariants.append(
        Invariant(
          isAlways: declaration.isAlways, audience: audience, targets: targets, traffic: traffic,
          provenance: declaration.clauses.provenance(at: declaration.span)))
    }
    policy.invariants.sort { Invariant.order($0, $1) < 0 }
  }

  /// Resolves the findings that are accepted for a time; what they name is judged where findings are made.
  mutating func resolveWaivers() {
    for declaration in trees.flatMap(\.waivers) {
      let clauses = declaration.clauses
      // The parser has reported a waiver without an end or a reason.
      guard clauses.until != nil, clauses.because != nil else { continue }
      policy.waivers.append(
        Waiver(
          check: declaration.check, subject: declaration.subject,
          provenance: clauses.provenance(at: declaration.span)))
    }
    policy.waivers.sort { Waiver.order($0, $1) < 0 }
  }
}
