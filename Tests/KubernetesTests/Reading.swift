import Foundation
import Kubernetes
import Yams

/// Returns what Yams reads in `text`, with the fields of every mapping in the order of their keys.
func readByYams(_ text: String) throws -> YAML {
  try YAML(foreign: try Yams.load(yaml: text) as Any)
}

extension YAML {
  /// Creates the value that Yams made of a document.
  init(foreign value: Any) throws {
    switch value {
    case let value as Bool: self = .boolean(value)
    case let value as Int: self = .number(value)
    case let value as String: self = .string(value)
    case let value as [Any]: self = .sequence(try value.map { try YAML(foreign: $0) })
    case let value as [String: Any]:
      self = .mapping(try value.sorted { $0.key < $1.key }.map { Field($0.key, try YAML(foreign: $0.value)) })
    default: throw ManifestError("yaml", "\(type(of: value)) is not expected: \(value)")
    }
  }

  /// The value with the fields of every mapping in the order of their keys.
  var ordered: YAML {
    switch self {
    case .mapping(let fields):
      .mapping(fields.map { Field($0.key, $0.value.ordered) }.sorted { $0.key < $1.key })
    case .sequence(let items): .sequence(items.map(\.ordered))
    default: self
    }
  }

  /// Returns the value at `path`, whose fields are separated by dots.
  subscript(path: String) -> YAML? {
    var value = self
    for key in path.split(separator: ".") {
      guard case .mapping(let fields) = value, let field = fields.first(where: { $0.key == key }) else { return nil }
      value = field.value
    }
    return value
  }

  /// The fields of a mapping; none of anything else.
  var fields: [String: YAML] {
    guard case .mapping(let fields) = self else { return [:] }
    return Dictionary(uniqueKeysWithValues: fields.map { ($0.key, $0.value) })
  }

  /// The items of a list; none of anything else.
  var items: [YAML] { if case .sequence(let items) = self { items } else { [] } }

  /// The string, if it is one.
  var string: String? { if case .string(let string) = self { string } else { nil } }

  /// The number, if it is one.
  var number: Int? { if case .number(let number) = self { number } else { nil } }

  /// The fields of a mapping of strings.
  var strings: [String: String] { fields.compactMapValues(\.string) }
}
