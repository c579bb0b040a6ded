import Firewalls
import Packets

/// A part of a decision of the firewall: packets between two reaches.
struct Candidate {
  /// The interfaces that the packets arrive on.
  var inbound = InterfaceSet.any

  /// The interfaces that the packets leave on.
  var outbound = InterfaceSet.any

  /// Where the packets come from.
  var sources = AddressSet.all

  /// Where the packets are sent; nothing means anywhere.
  var destinations: AddressSet?

  /// The traffic; nothing means all.
  var traffic: Traffic?

  /// The position of the decision.
  var decision: Int32
}

/// What follows when a candidate matches.
struct Decision {
  /// When decisions are looked for.
  ///
  /// What is logged comes first, so that it is logged even if something else accepts it as well; what holds only at
  /// times comes last, so that what is accepted anyhow takes no token from a bucket.
  enum Phase: Int, CaseIterable {
    /// It is logged.
    case logged

    /// It decides at once.
    case plain

    /// It holds until a date, or within a limit.
    case conditional

    /// What the names of its chains end in.
    var suffix: String {
      switch self {
      case .logged: "_logged"
      case .plain: ""
      case .conditional: "_conditional"
      }
    }
  }

  /// When it is looked for.
  var phase: Phase

  /// The chain that decides, unless it is decided at once.
  var chain: String?

  /// The line of the policy.
  var cause: Cause

  /// What leads back to that line from a rule or an element.
  var comment: String
}

/// A part of a candidate that concerns one family.
struct FamilyCandidate {
  /// Where the packets come from; nothing means anywhere.
  var sources: AddressSet?

  /// Where the packets are sent; nothing means anywhere.
  var destinations: AddressSet?

  /// The traffic; nothing means all.
  var traffic: Traffic?

  /// The position of the decision.
  var decision: Int32
}
