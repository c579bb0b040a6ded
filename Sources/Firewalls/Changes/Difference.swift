public import Syntax

/// What changes between two policies, or between a policy and rules of another program, over all packets.
public struct Difference: Sendable {
  /// A line that makes a change.
  public struct Line: Hashable, Sendable {
    /// What it is about: a service, or words such as `block` and `zone office`.
    public var subject: String

    /// Where it stands.
    public var location: Location

    /// The line itself.
    public var line: String

    /// `true` iff it stands in the new policy, and not only in the old one.
    public var isNew: Bool

    /// The owner of the service, if it has one.
    public var owner: String?

    /// Creates a line.
    public init(subject: String, location: Location, line: String, isNew: Bool, owner: String?) {
      self.subject = subject
      self.location = location
      self.line = line
      self.isNew = isNew
      self.owner = owner
    }
  }

  /// One change on one host or several.
  public struct Row: Sendable {
    /// What changes.
    public var kind: Change.Kind

    /// Where: `host web1`.
    public var places: [String]

    /// The line that makes the change, or nothing if no single line does.
    public var cause: Line?

    /// Why, where no line does.
    public var reason: String?

    /// What flows, in words, a line each.
    public var flows: [String]

    /// `true` iff there is more than `flows` says.
    public var isCut: Bool

    /// When and under which conditions, in words.
    public var conditions: [String]

    /// How much it is, in words: addresses and ports.
    public var extent: String

    /// A packet that it happens to, in words.
    public var witness: String

    /// What becomes of that packet before, with the line that decides.
    public var before: String

    /// What becomes of it after, with the line that decides.
    public var after: String

    /// Creates a row of which only `kind` and `place` are known.
    public init(_ kind: Change.Kind, at place: String) {
      self.kind = kind
      places = [place]
      flows = []
      isCut = false
      conditions = []
      extent = ""
      witness = ""
      before = ""
      after = ""
    }
  }

  /// The changes, those that open first.
  public var rows: [Row] = []

  /// What changes on a later day alone if manifests stay as they are, which know no time.
  public var later: [Row] = []

  /// The day on which `rows` hold, be it for a time, if what changes later is apart.
  public var day: CalendarDate?

  /// The hosts that are in the new policy alone.
  public var addedHosts: [String] = []

  /// The hosts that are in the old policy alone.
  public var removedHosts: [String] = []

  /// How many hosts were compared.
  public var hosts = 0

  /// How many clusters were compared.
  public var clusters = 0

  /// The clusters that are in the new policy alone.
  public var addedClusters: [String] = []

  /// The clusters that are in the old policy alone.
  public var removedClusters: [String] = []

  /// The names of the families that were compared, if not both.
  public var families: [String] = []

  /// What could not be compared, and why.
  public var failures: [String] = []

  /// What one side has that has no meaning here, so that the comparison holds whatever it does.
  public var unknowns: [String] = []

  /// Creates a comparison of nothing.
  public init() {}

  /// `true` iff it is known that the same becomes of every packet, later changes apart.
  public var isEmpty: Bool {
    rows.isEmpty && failures.isEmpty && unknowns.isEmpty && addedHosts.isEmpty && removedHosts.isEmpty
      && addedClusters.isEmpty && removedClusters.isEmpty
  }

  /// `true` iff something opens, or may have.
  public var opens: Bool {
    rows.contains { ![.closes, .answers, .oneEnd].contains($0.kind) } || !failures.isEmpty || !unknowns.isEmpty
      || !addedHosts.isEmpty || !addedClusters.isEmpty
  }
}
