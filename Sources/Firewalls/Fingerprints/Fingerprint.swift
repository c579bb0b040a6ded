public import Packets
import Syntax

/// A name for what a firewall means: equal meanings have equal names, whatever the texts that they come from.
///
/// It is a SHA-256 hash of the canonical form of the sets of packets, cut to 128 bits, behind the version of that form.
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
  /// The fingerprint as it is printed: `pm1-` and 32 hexadecimal digits.
  public let description: String

  /// The version of the canonical form; a new one makes other fingerprints.
  static let version = "pm1"

  init(_ hash: inout SHA256) { description = "\(Fingerprint.version)-\(hash.digits().prefix(32))" }
}

extension Meaning {
  /// Returns the fingerprint of the meaning, whose conditions must be the first that its universe heard of.
  ///
  /// Conditions have their places by the order in which they are first heard of; those on which nothing depends are no part
  /// of it.
  public func fingerprint() throws(BudgetExceeded) -> Fingerprint {
    var hash = SHA256()
    let hidden = try masqueraded.labelled(1)
    let conditions = zip(universe.space.conditionFields, universe.space.conditions).filter { field, _ in
      [verdicts, translations, hidden].contains { $0.looks(at: [field]) }
    }
    let fields = conditions.map(\.0)
    for (_, name) in conditions {
      hash.add(name.utf8)
      hash.add(0 as UInt8)
    }
    hash.add(1 as UInt8)
    add(verdicts.canonicalForm(numbering: fields), to: &hash)
    // Labels of translations are numbers by the order of first mention, so that their texts count.
    let texts = translations.labels.map { label in (label, universe.translation(labelled: label)?.description ?? "") }
      .sorted { $0.1 < $1.1 }
    var ranks: [UInt32: UInt32] = [:]
    for (rank, (label, text)) in texts.enumerated() {
      ranks[label] = UInt32(rank + 1)
      hash.add(text.utf8)
      hash.add(0 as UInt8)
    }
    hash.add(1 as UInt8)
    add(try translations.relabelled { ranks[$0] ?? 0 }.canonicalForm(numbering: fields), to: &hash)
    add(hidden.canonicalForm(numbering: fields), to: &hash)
    return Fingerprint(&hash)
  }

  private func add(_ form: [UInt8], to hash: inout SHA256) {
    hash.add(UInt64(form.count))
    hash.add(form)
  }
}
