import Foundation

/// What was measured, by name.
struct Stopwatch {
  private var runs: [String: [(processor: Double, wall: Double)]] = [:]
  private var order: [String] = []

  /// Does `work`, which is `name`.
  @discardableResult
  mutating func time<Result>(_ name: String, _ work: () throws -> Result) rethrows -> Result {
    let (start, before) = (ContinuousClock().now, Stopwatch.processorTime)
    let result = try work()
    if runs[name] == nil { order.append(name) }
    runs[name, default: []].append(
      (Stopwatch.processorTime - before, (ContinuousClock().now - start) / .milliseconds(1)))
    return result
  }

  /// The milliseconds of processors that this process and its children have used.
  private static var processorTime: Double {
    var children = rusage()
    unsafe _ = getrusage(RUSAGE_CHILDREN.rawValue, &children)
    var own = timespec()
    unsafe _ = clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own)
    func milliseconds(_ time: timeval) -> Double { Double(time.tv_sec) * 1e3 + Double(time.tv_usec) / 1e3 }
    return Double(own.tv_sec) * 1e3 + Double(own.tv_nsec) / 1e6 + milliseconds(children.ru_utime)
      + milliseconds(children.ru_stime)
  }

  /// The medians in milliseconds, as members of a JSON object.
  var text: String {
    func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    return order.map { name in
      let runs = runs[name, default: []]
      return "\"\(name)\": \(median(runs.map(\.processor))), \"\(name), wall\": \(median(runs.map(\.wall)))"
    }.joined(separator: ", ")
  }
}
