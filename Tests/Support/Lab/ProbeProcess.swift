import Glibc

/// The program `probe` at work in a namespace: it listens, sends, and tells what arrived.
final class ProbeProcess {
  private let child: ChildProcess
  private var buffer: [UInt8] = []
  /// The name that its banners carry.
  let name: String

  /// Starts the probe in `namespace`; `ready` must be called before any command.
  init(in namespace: NetworkNamespace, name: String) throws {
    self.name = name
    signal(SIGPIPE, SIG_IGN)
    child = try ChildProcess(["ip", "netns", "exec", namespace.name, try ProbeProcess.path(), name])
  }

  /// Waits until the probe is there.
  func ready() throws { _ = try answer() }

  /// Sends the commands and returns all lines that they gave.
  @discardableResult
  func tell(_ commands: [String]) throws -> [String] {
    try begin(commands)
    var lines: [String] = []
    for _ in commands { lines += try answer() }
    return lines
  }

  /// Sends the commands; `answer` is to be called once for each.
  func begin(_ commands: [String]) throws {
    var rest = Array(commands.map { $0 + "\n" }.joined().utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes { unsafe write(child.input, $0.baseAddress, $0.count) }
      if count < 0 && errno != EINTR { throw LabError(description: "the probe in \(name) is gone") }
      rest = rest.dropFirst(max(0, count))
    }
  }

  /// Returns the lines of the next answer.
  func answer() throws -> [String] {
    var lines: [String] = []
    while true {
      let line = try readLine()
      if line == "done" { return lines }
      if line.hasPrefix("error ") { throw LabError(description: "the probe in \(name): \(line.dropFirst(6))") }
      lines.append(line)
    }
  }

  /// Returns `true` iff the probe has said something more within `milliseconds`.
  func hasAnswer(within milliseconds: Int32) throws -> Bool {
    if !buffer.isEmpty { return true }
    var ready = [pollfd(fd: child.output, events: Int16(POLLIN), revents: 0)]
    return unsafe poll(&ready, 1, milliseconds) == 1
  }

  private func readLine() throws -> String {
    var bytes = [UInt8](repeating: 0, count: 65536)
    while true {
      if let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        defer { buffer.removeSubrange(...end) }
        return String(decoding: buffer[..<end], as: UTF8.self)
      }
      var ready = [pollfd(fd: child.output, events: Int16(POLLIN), revents: 0)]
      guard unsafe poll(&ready, 1, 20_000) == 1 else {
        throw LabError(description: "the probe in \(name) does not answer")
      }
      let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(child.output, $0.baseAddress, $0.count) }
      if count == 0 || (count < 0 && errno != EINTR) {
        let length = unsafe bytes.withUnsafeMutableBytes { unsafe read(child.errors, $0.baseAddress, $0.count) }
        let errors = String(decoding: bytes.prefix(max(0, length)), as: UTF8.self)
        throw LabError(description: "the probe in \(name) ended: \(errors)")
      }
      buffer += bytes.prefix(max(0, count))
    }
  }

  /// Ends the probe.
  func finish() { child.finish() }

  /// Returns the path of the program, which stands beside this one.
  private static func path() throws -> String {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink("/proc/self/exe", &bytes, 4095)
    let own = String(decoding: bytes.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    for start in [own] + CommandLine.arguments {
      guard let slash = start.lastIndex(of: "/") else { continue }
      let path = start[..<slash] + "/probe"
      if unsafe access(String(path), X_OK) == 0 { return String(path) }
    }
    throw LabError(description: "no program `probe` beside \(own): run `swift build --build-tests`")
  }
}
