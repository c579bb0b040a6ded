/// A set, a map or a verdict map of a table.
public struct NamedSet: Hashable, Sendable {
  /// What a key leads to.
  public enum Value: Hashable, Sendable {
    /// Nothing: a set.
    case none

    /// A verdict: a verdict map.
    case verdict

    /// Data: a map.
    case data([DataType])
  }

  /// The name.
  public var name: String

  /// The types of the parts of a key.
  public var key: [DataType]

  /// What a key leads to.
  public var value: Value

  /// `true` iff parts of keys are ranges.
  public var isInterval: Bool

  /// `true` iff rules add elements.
  public var isDynamic: Bool

  /// How many elements there may be, which lets the kernel choose a faster kind of set; nothing if that is open.
  public var size: Int?

  /// After how many seconds elements that rules added go away.
  public var timeout: Int?

  /// `true` iff elements that a command added can go away as well, each after a time of its own.
  public var hasTimeouts: Bool

  /// `true` iff each element counts its packets.
  public var counts: Bool

  /// The elements; no two of them match one packet.
  public var elements: [Element]

  /// Creates a set without elements.
  public init(
    _ name: String, key: [DataType], value: Value = .none, isInterval: Bool = false, isDynamic: Bool = false,
    size: Int? = nil, timeout: Int? = nil, hasTimeouts: Bool = false, counts: Bool = false, elements: [Element] = []
  ) {
    self.name = name
    self.key = key
    self.value = value
    self.isInterval = isInterval
    self.isDynamic = isDynamic
    self.size = size
    self.timeout = timeout
    self.hasTimeouts = hasTimeouts || timeout != nil
    self.counts = counts
    self.elements = elements
  }

  /// The set without elements.
  public var withoutElements: NamedSet {
    var set = self
    set.elements = []
    return set
  }

  /// An element of a set.
  public struct Element: Hashable, Sendable {
    /// What an element leads to.
    public enum Value: Hashable, Sendable {
      /// Nothing.
      case none

      /// A verdict.
      case verdict(Verdict)

      /// Data.
      case data([Datum])
    }

    /// The parts of the key.
    public var key: [Datum]

    /// What it leads to.
    public var value: Value

    /// Where it comes from: the service, and the line of the policy.
    public var comment: String?

    /// Creates an element.
    public init(_ key: [Datum], value: Value = .none, comment: String? = nil) {
      self.key = key
      self.value = value
      self.comment = comment
    }
  }
}
