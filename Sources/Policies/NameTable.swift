import Syntax

/// A named declaration: its name, its tree and its place among its kind there.
struct Declaration {
  /// The name.
  let name: Name
  /// The position of the tree.
  let tree: Int
  /// The position of the declaration among those of its kind in the tree.
  let index: Int
}

/// A set of kinds of things.
struct Kinds: OptionSet {
  let rawValue: UInt8

  static let zone = Kinds(.zone)
  static let service = Kinds(.service)
  static let host = Kinds(.host)
  static let group = Kinds(.group)
  static let owner = Kinds(.owner)
  static let cluster = Kinds(.cluster)
  static let all: Kinds = [.zone, .service, .host, .group, .owner, .cluster]

  init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Creates the set of `kind` alone.
  init(_ kind: EntityKind) { rawValue = 1 << UInt8(kind.index) }

  /// The kinds of the set, in the order in which they are named.
  var kinds: [EntityKind] { EntityKind.allCases.filter { contains(Kinds($0)) } }

  /// The one kind of the set, or nothing if there are none or several.
  var only: EntityKind? {
    rawValue != 0 && rawValue & (rawValue - 1) == 0 ? EntityKind.allCases[rawValue.trailingZeroBitCount] : nil
  }
}

extension EntityKind {
  /// The position of the kind among all.
  var index: Int {
    switch self {
    case .zone: 0
    case .service: 1
    case .host: 2
    case .group: 3
    case .owner: 4
    case .cluster: 5
    }
  }

  /// The kind with its article, such as `an owner`.
  var withArticle: String { self == .owner ? "an owner" : "a \(rawValue)" }
}

/// What names mean.
struct NameTable {
  /// Returns `true` iff `name` is that of a zone that is there without a declaration.
  static func isBuiltIn(_ name: String) -> Bool { name == "internet" || name == "localhost" }

  /// What a name means, of each kind.
  struct Meaning {
    /// The kinds of which something has the name.
    var kinds: Kinds = []
    /// The position of the thing among its kind, by the index of the kind.
    private var positions: (Int32, Int32, Int32, Int32, Int32, Int32) = (0, 0, 0, 0, 0, 0)

    /// The position of the thing of `kind` that has the name.
    ///
    /// - Requires: there is one.
    subscript(kind: EntityKind) -> Int {
      get {
        switch kind {
        case .zone: Int(positions.0)
        case .service: Int(positions.1)
        case .host: Int(positions.2)
        case .group: Int(positions.3)
        case .owner: Int(positions.4)
        case .cluster: Int(positions.5)
        }
      }
      set {
        kinds.insert(Kinds(kind))
        switch kind {
        case .zone: positions.0 = Int32(newValue)
        case .service: positions.1 = Int32(newValue)
        case .host: positions.2 = Int32(newValue)
        case .group: positions.3 = Int32(newValue)
        case .owner: positions.4 = Int32(newValue)
        case .cluster: positions.5 = Int32(newValue)
        }
      }
    }
  }

  /// The meanings by name.
  private(set) var meanings: [String: Meaning] = [:]

  /// The declarations in the order of their names, by the index of their kind.
  var declarations: [[Declaration]] = Array(repeating: [], count: EntityKind.allCases.count)

  /// Returns the declarations of `kind` in the order of their names.
  func declarations(of kind: EntityKind) -> [Declaration] { declarations[kind.index] }

  /// Makes room for `count` names.
  mutating func reserveCapacity(_ count: Int) { meanings.reserveCapacity(count) }

  /// Lets `name` mean the thing of `kind` at `position`.
  mutating func define(_ name: String, as kind: EntityKind, at position: Int) {
    meanings[name, default: Meaning()][kind] = position
  }

  /// Returns where the thing of `kind` called `name` is named by its declaration.
  func place(of name: String, as kind: EntityKind) -> Span? {
    guard let meaning = meanings[name], meaning.kinds.contains(Kinds(kind)) else { return nil }
    return declarations[kind.index][meaning[kind]].name.span
  }
}
