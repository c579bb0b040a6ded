import Foundation

/// How much of chance tests try: `PORTCULLIS_WORLDS` asks for so many worlds of each, `PORTCULLIS_SEED` for other ones.
public enum Worlds {
  /// How many worlds are tried together, as one case of a test.
  public static let batch = 25

  /// Returns the batches of `count` worlds, or of as many as were asked for, each of which costs as much as `worth`
  /// others do.
  public static func batches(of count: Int, eachWorth worth: Int = 1) -> Range<Int> {
    0..<((number(in: "PORTCULLIS_WORLDS").map { $0 / worth } ?? count) + batch - 1) / batch
  }

  /// Returns the seeds of the worlds of `batch`.
  public static func seeds(of batch: Int) -> Range<Int> {
    let first = (number(in: "PORTCULLIS_SEED") ?? 0) + batch * Self.batch
    return first..<first + Self.batch
  }

  private static func number(in variable: String) -> Int? {
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
  }
}
