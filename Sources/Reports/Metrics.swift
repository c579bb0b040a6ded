/// Metrics in the text format that Prometheus reads (version 0.0.4), as node_exporter's textfile collector takes them.
struct Metrics {
  /// What a metric is.
  enum Kind: String {
    /// It only grows, until it begins anew.
    case counter

    /// It goes up and down.
    case gauge
  }

  /// The text so far.
  private(set) var text = ""

  /// Adds the metric `name`, unless it has no samples.
  mutating func add(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [(labels: [(name: String, value: String)], value: String)]
  ) {
    guard !samples.isEmpty else { return }
    text += "# HELP \(name) \(Metrics.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    for sample in samples {
      text += name
      if !sample.labels.isEmpty {
        let labels = sample.labels.map { "\($0.name)=\"\(Metrics.escaped($0.value, quotes: true))\"" }
        text += "{\(labels.joined(separator: ","))}"
      }
      text += " \(sample.value)\n"
    }
  }

  /// Adds the gauge `name` with one sample.
  mutating func add(gauge name: String, _ help: String, _ labels: [(name: String, value: String)] = [], _ value: String)
  {
    add(name, .gauge, help, [(labels: labels, value: value)])
  }

  /// Returns `text` as the format writes it inside a line, and inside quotes if `quotes`.
  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for c in text.unicodeScalars {
      switch c {
      case "\\": result += #"\\"#
      case "\n": result += #"\n"#
      case "\"" where quotes: result += #"\""#
      default: result.unicodeScalars.append(c)
      }
    }
    return result
  }
}
