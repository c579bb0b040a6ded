public import Testing

/// A fault such as a compiler has, planted into what a compiler made: the proof must find it.
public struct PlantedBug<Place: Sendable>: CustomTestStringConvertible, Sendable {
  /// What went wrong.
  public var name: String

  /// Where: which output is changed, and whatever else a suite wants to know.
  public var place: Place

  /// What the line has to contain in which the text stands, if any line will not do.
  public var line: String?

  /// The text, whose first occurrence is replaced, or nothing if the whole line is lost.
  public var text: String?

  /// What stands there instead.
  public var replacement: String

  /// Creates the bug `name`.
  public init(_ name: String, in place: Place, line: String? = nil, _ text: String?, _ replacement: String = "") {
    self.name = name
    self.place = place
    self.line = line
    self.text = text
    self.replacement = replacement
  }

  /// What went wrong.
  public var testDescription: String { name }

  /// Returns `output` with the bug.
  ///
  /// - Throws: if there is nothing in it to be changed, so that no bug is tested in vain.
  public func planted(in output: String) throws -> String {
    guard let line else {
      let place = try #require(text.flatMap { output.firstRange(of: $0) }, "there is no `\(text ?? "")` in\n\(output)")
      return output[..<place.lowerBound] + replacement + output[place.upperBound...]
    }
    var lines = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let index = try #require(
      lines.firstIndex { $0.contains(line) && !$0.hasPrefix("#") && $0.contains(text ?? line) },
      "there is no `\(line)` in\n\(output)")
    if let text {
      lines[index] = lines[index].replacing(text, with: replacement, maxReplacements: 1)
    } else {
      lines.remove(at: index)
    }
    return lines.joined(separator: "\n")
  }
}

extension PlantedBug {
  /// Expects that `bugs` are at least 40, which is what the proof is held to, and that no two have one name.
  public static func expectManyDifferent(_ bugs: [PlantedBug]) {
    #expect(bugs.count >= 40)
    #expect(Set(bugs.map(\.name)).count == bugs.count)
  }
}
