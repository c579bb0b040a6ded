/// What a selector of pods looks at.
public enum PodAttribute: Hashable, Sendable, Comparable {
  /// The name of the namespace; every pod has one.
  case namespace
  /// A label of the namespace.
  case namespaceLabel(String)
  /// A label of the pod.
  case label(String)
}

/// Values of an attribute: some strings, or all but some, and perhaps that there is none.
public struct AttributeValues: Hashable, Sendable {
  /// The strings that are in the set, or those that are not.
  public private(set) var strings: Set<String>

  /// `true` iff `strings` are those that are not in the set.
  public private(set) var isComplement: Bool

  /// `true` iff what lacks the attribute is in the set.
  public private(set) var hasAbsence: Bool

  /// The values of `strings` alone.
  public static func any(of strings: Set<String>) -> Self {
    Self(strings: strings, isComplement: false, hasAbsence: false)
  }

  /// All values but `strings`, and none.
  public static func none(of strings: Set<String>) -> Self {
    Self(strings: strings, isComplement: true, hasAbsence: true)
  }

  /// Any value.
  public static let present = Self(strings: [], isComplement: true, hasAbsence: false)

  /// No value.
  public static let absent = Self(strings: [], isComplement: false, hasAbsence: true)

  /// Returns `true` iff `value` is in the set; nothing is that there is none.
  public func contains(_ value: String?) -> Bool {
    guard let value else { return hasAbsence }
    return strings.contains(value) != isComplement
  }

  /// `true` iff a value that is not among `strings` is in the set.
  var hasOthers: Bool { isComplement }

  /// Returns what is in both `self` and `other`.
  func intersection(_ other: Self) -> Self {
    let common: Set<String> =
      switch (isComplement, other.isComplement) {
      case (false, false): strings.intersection(other.strings)
      case (false, true): strings.subtracting(other.strings)
      case (true, false): other.strings.subtracting(strings)
      case (true, true): strings.union(other.strings)
      }
    return Self(
      strings: common, isComplement: isComplement && other.isComplement, hasAbsence: hasAbsence && other.hasAbsence)
  }
}

/// A selection of pods: those that fulfil every condition.
public struct PodSelector: Hashable, Sendable {
  /// The conditions.
  public private(set) var conditions: [PodAttribute: AttributeValues] = [:]

  /// Creates the selection of every pod of every namespace.
  public init() {}

  /// Creates the selection of the pods of the namespace `namespace` that have `labels`.
  public init(namespace: String, labels: [String: String] = [:]) {
    require(.namespace, .any(of: [namespace]))
    for (key, value) in labels { require(.label(key), .any(of: [value])) }
  }

  /// The label that the API server gives every namespace: its name.
  public static let namespaceNameLabel = "kubernetes.io/metadata.name"

  /// Demands that `attribute` is one of `values` too.
  public mutating func require(_ attribute: PodAttribute, _ values: AttributeValues) {
    var attribute = attribute
    if attribute == .namespaceLabel(PodSelector.namespaceNameLabel) { attribute = .namespace }
    conditions[attribute] = conditions[attribute].map { $0.intersection(values) } ?? values
  }

  /// `true` iff it looks at labels of namespaces other than their names.
  public var looksAtNamespaceLabels: Bool {
    conditions.keys.contains { if case .namespaceLabel = $0 { true } else { false } }
  }

  /// Returns the selection of the pods that `self` and `other` select.
  public func intersection(_ other: PodSelector) -> PodSelector {
    var result = self
    for (attribute, values) in other.conditions { result.require(attribute, values) }
    return result
  }
}
