public import Firewalls
import Packets

/// Whether files mean what the policy means.
public struct Proof: Sendable {
  /// A packet that the policy and the files treat differently.
  public struct Difference: Hashable, Sendable {
    /// The packet, in words.
    public var packet: String

    /// What becomes of it by the policy, in words.
    public var policy: String

    /// What becomes of it by the files, in words.
    public var files: String
  }

  /// The first difference, or nothing if there is none.
  public var difference: Difference?

  /// Why nothing is proved, or nothing if all is.
  public var failure: String?

  /// `true` iff the files mean what the policy means, for every packet.
  public var holds: Bool { difference == nil && failure == nil }
}

extension Pipeline {
  /// Proves that `artefacts`, which `target` made of `firewall`, mean what `firewall` means, or returns nothing if they
  /// do not filter packets.
  public static func prove(
    _ artefacts: [Artefact], of target: any HostBackend.Type, mean firewall: Firewall
  ) -> Proof? {
    let universe = Universe()
    do throws(BudgetExceeded) {
      let wanted = try firewall.meaning(in: universe)
      return try prove(artefacts, of: target, mean: wanted)
    } catch {
      return Proof(failure: UnreadableRuleset(error).message)
    }
  }

  /// Proves that `artefacts`, which `target` made, mean `wanted`.
  static func prove(
    _ artefacts: [Artefact], of target: any HostBackend.Type, mean wanted: Meaning
  ) throws(BudgetExceeded) -> Proof? {
    let universe = wanted.universe
    let found: Meaning
    let about: PacketSet
    do {
      guard let reading = try target.read(artefacts, in: universe) else { return nil }
      found = try reading.chains.meaning(in: universe)
      let families = IntervalSet(reading.families.map { UInt128($0.number)...UInt128($0.number) })
      about = try universe.space.set(.family, in: universe.space.values(families, of: .family))
    } catch let error as UnreadableRuleset {
      return Proof(failure: error.message)
    } catch let error as EvaluationError {
      return Proof(failure: "\(error)")
    } catch {
      return Proof(failure: "\(error)")
    }
    return Proof(difference: try wanted.restricted(to: about).difference(from: found.restricted(to: about)))
  }
}

extension Meaning {
  /// Returns a packet that `self`, the policy, and `other`, files, treat differently, or nothing if there is none.
  func difference(from other: Meaning) throws(BudgetExceeded) -> Proof.Difference? {
    guard !isEqual(to: other) else { return nil }
    let differing = try verdicts.differing(from: other.verdicts)
      .union(translations.differing(from: other.translations))
      .union(masqueraded.subtracting(other.masqueraded)).union(other.masqueraded.subtracting(masqueraded))
    guard let packet = try universe.example(of: differing) else { return nil }
    return Proof.Difference(
      packet: universe.text(of: packet), policy: fate(of: packet), files: other.fate(of: packet))
  }

  /// Returns what becomes of `packet`, in words.
  func fate(of packet: PacketValues) -> String {
    guard let verdict = Verdict(label: verdicts.label(of: packet)) else { return "not judged" }
    var words = verdict.rawValue
    switch universe.translation(labelled: translations.label(of: packet)) {
    case .redirect(let distance)?: words += ", redirected to port \(Int(packet[.destinationPort]) + distance)"
    case .forward(let addresses, let distance)?:
      let targets = addresses.map(\.description).joined(separator: " or ")
      words += ", forwarded to \(targets) port \(Int(packet[.destinationPort]) + distance)"
    case nil: break
    }
    return masqueraded.contains(packet) ? words + ", masqueraded" : words
  }
}
