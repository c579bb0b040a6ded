public import Foundation
public import Testing

/// Records an issue unless `text` is what the file at `url` holds.
///
/// With `PORTCULLIS_GOLDEN=rewrite` in the environment the file is written instead. When they differ, `text` is left
/// beside the file in `x.observed`.
public func expectGolden(_ text: String, at url: URL, sourceLocation: SourceLocation = #_sourceLocation) {
  let observed = url.appendingPathExtension("observed")
  try? FileManager.default.removeItem(at: observed)
  if ProcessInfo.processInfo.environment["PORTCULLIS_GOLDEN"] == "rewrite" {
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: url)
    } catch {
      Issue.record(error, sourceLocation: sourceLocation)
    }
    return
  }
  guard let data = try? Data(contentsOf: url) else {
    try? Data(text.utf8).write(to: observed)
    Issue.record("\(url.path) cannot be read; what it should hold is beside it", sourceLocation: sourceLocation)
    return
  }
  if data == Data(text.utf8) { return }
  try? Data(text.utf8).write(to: observed)
  let expected = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
  let found = text.split(separator: "\n", omittingEmptySubsequences: false)
  let line = zip(expected, found).enumerated().first { $1.0 != $1.1 }?.offset ?? min(expected.count, found.count)
  Issue.record(
    """
    \(url.path):\(line + 1) differs
    expected: \(line < expected.count ? String(expected[line].prefix(300)) : "(end)")
    observed: \(line < found.count ? String(found[line].prefix(300)) : "(end)")
    """, sourceLocation: sourceLocation)
}

/// Returns the file `name` in the folder `Golden` beside the test at `file`.
public func golden(_ name: String, besides file: String = #filePath) -> URL {
  URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Golden").appendingPathComponent(name)
}
