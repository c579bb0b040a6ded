public import Firewalls
import Packets
import Policies
import Syntax

/// Whether files mean what the policy means.
public struct Proof: Sendable {
  /// A packet that the policy and the files treat differently.
  public struct Difference: Sendable {
    /// The packet, in words.
    public var packet: String

    /// What becomes of it by the policy, in words.
    public var policy: String

    /// The line of the policy that decides, if one does.
    public var cause: Cause?

    /// What becomes of it by the files, in words.
    public var files: String

    /// The rules of the files that it met, the deciding one last.
    public var rules: [String]
  }

  /// The first difference, or nothing if there is none.
  public var difference: Difference?

  /// Why nothing is proved, or nothing if all is.
  public var failure: String?

  /// `true` iff the failure is that the sets of packets are too complex, which is no fault of the files.
  public var isTooComplex = false

  /// `true` iff the files mean what the policy means, for every packet.
  public var holds: Bool { difference == nil && failure == nil }
}

extension Proof {
  /// Returns a packet that two rulesets treat differently, with both fates, or why that is not known; nothing if they treat
  /// every packet alike.
  public static func difference(between first: any ParsedRuleset, and second: any ParsedRuleset) -> String? {
    do {
      let universe = Universe()
      let one = try first.reading(in: universe).chains.meaning(in: universe)
      let other = try second.reading(in: universe).chains.meaning(in: universe)
      guard let packet = try universe.example(of: one.differing(from: other), to: AddressSet()) else { return nil }
      return "\(universe.text(of: packet)): \(one.fate(of: packet)), now \(other.fate(of: packet))"
    } catch let error as UnreadableRuleset {
      return error.message
    } catch let error as BudgetExceeded {
      return UnreadableRuleset(error).message
    } catch {
      return "\(error)"
    }
  }
}

/// The proof that what was made of one firewall means what the firewall means.
public struct Prover {
  private let firewall: Firewall
  private let universe = Universe()
  /// What the firewall means, or why that is not known.
  private let meaning: Result<RawMeaning, BudgetExceeded>

  /// Creates the prover for files that were made of `firewall`.
  public init(_ firewall: Firewall) {
    self.firewall = firewall
    do throws(BudgetExceeded) {
      meaning = .success(try firewall.rawMeaning(in: universe))
    } catch {
      meaning = .failure(error)
    }
  }

  /// Returns the fingerprint of what the firewall means, or nothing if it is too complex.
  public func fingerprint() -> Fingerprint? {
    try? Meaning(meaning.get()).fingerprint()
  }

  /// Returns whether `artefacts`, which `target` made, mean what the firewall means, or nothing if they filter no packets.
  public func prove(_ artefacts: [Artefact], of target: any HostBackend.Type) -> Proof? {
    do throws(UnreadableRuleset) {
      return try target.parse(artefacts).map { prove(.success($0)) }
    } catch {
      return prove(.failure(error))
    }
  }

  /// Returns whether `ruleset` means what the firewall means.
  public func prove(_ ruleset: any ParsedRuleset) -> Proof { prove(.success(ruleset)) }

  /// Returns whether what was read means what the firewall means.
  func prove(_ ruleset: Result<any ParsedRuleset, UnreadableRuleset>) -> Proof {
    do {
      let reading = try ruleset.get().reading(in: universe)
      let wanted = try meaning.get()
      let found = try reading.chains.rawMeaning(in: universe)
      let about = try universe.packets(of: reading.families)
      if try wanted.isPlainlyEqual(to: found, for: about) { return Proof() }
      return Proof(
        difference: try difference(
          Meaning(wanted).restricted(to: about), Meaning(found).restricted(to: about), reading.chains))
    } catch let error as UnreadableRuleset {
      return Proof(failure: error.message, isTooComplex: error.isTooComplex)
    } catch let error as EvaluationError {
      if case .budget = error { return Proof(failure: error.description, isTooComplex: true) }
      return Proof(failure: error.description)
    } catch let error as BudgetExceeded {
      return Proof(failure: UnreadableRuleset(error).message, isTooComplex: true)
    } catch {
      return Proof(failure: "\(error)")
    }
  }

  /// Returns a packet that the policy, which means `wanted`, and `chains`, which mean `found`, treat differently.
  private func difference(
    _ wanted: Meaning, _ found: Meaning, _ chains: HookedChains
  ) throws(BudgetExceeded) -> Proof.Difference? {
    guard let packet = try universe.example(of: wanted.differing(from: found), to: firewall.addresses) else {
      return nil
    }
    return Proof.Difference(
      packet: universe.text(of: packet), policy: wanted.fate(of: packet),
      cause: try firewall.cause(of: packet, in: universe), files: found.fate(of: packet),
      rules: try chains.trace(packet, in: universe).map(\.text))
  }
}

extension Pipeline {
  /// Returns what is wrong with `artefacts`, which were made for `host`, by `proof`: they do not mean what the policy
  /// means, or that cannot be proved.
  func findings(of artefacts: [Artefact], _ proof: Proof, of host: Host) -> [Diagnostic] {
    findings(of: proof, about: artefacts.map { "`\($0.path)`" }.joined(separator: ", "), host.name)
  }

  /// Returns what is wrong with `files`, which were made for the host or cluster `name`, by `proof`.
  func findings(of proof: Proof?, about files: String, _ name: Name) -> [Diagnostic] {
    guard let proof, !proof.holds else { return [] }
    if proof.isTooComplex {
      return [
        Diagnostic(
          .warning, "unproved-output", "\(files) of \(name.value) could not be proved to do what the policy says",
          at: .init(name.span), because: "The sets of packets are too complex: \(proof.failure ?? "").",
          help: "Nothing is known to be wrong. Fewer different limits, or fewer crossing ranges, make it provable.",
          subject: name.value)
      ]
    }
    let report = "Nothing was written. Please report it, with the policy: this is a fault of portcullis, not of yours."
    guard let difference = proof.difference else {
      return [
        Diagnostic(
          .error, "unproved-output", "\(files) of \(name.value) cannot be proved to do what the policy says",
          at: .init(name.span), because: "\(proof.failure ?? "No reason is known").", help: report,
          subject: name.value)
      ]
    }
    let rules = difference.rules.suffix(3).map { "`\($0)`" }.joined(separator: ", then ")
    return [
      Diagnostic(
        .error, "unproved-output", "\(files) of \(name.value) would not do what the policy says",
        at: .init(name.span),
        also: difference.cause.map { [.init($0.span, "this line decides in the policy")] } ?? [],
        because:
          "Of \(difference.packet), the policy says: \(difference.policy); the files: \(difference.files)"
          + (rules.isEmpty ? "." : ", by \(rules)."),
        help: report, subject: name.value)
    ]
  }
}
