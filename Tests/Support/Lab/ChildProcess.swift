public import Glibc
import Synchronization

/// A program that this one started, with pipes to it.
///
/// It is made of `posix_spawn` because the tests start some hundred of them, at the same time.
public struct ChildProcess: Sendable {
  /// Its process id.
  public let id: pid_t
  let input: Int32
  let output: Int32
  let errors: Int32

  /// A program that could not be started.
  public struct Failure: Error, CustomStringConvertible {
    /// Which, and why.
    public var description: String
  }

  /// One starts at a time, so that no child inherits the pipes of another before they are marked.
  private static let oneAtATime = Mutex(())

  /// Starts the program `arguments[0]`, looked up in `PATH`, with the rest as its arguments.
  public init(_ arguments: [String]) throws(Failure) {
    self = try ChildProcess.oneAtATime.withLock { _ throws(Failure) in try ChildProcess(starting: arguments) }
  }

  private init(starting arguments: [String]) throws(Failure) {
    var pipes: [(reader: Int32, writer: Int32)] = []
    for _ in 0..<3 {
      var ends: [Int32] = [0, 0]
      guard unsafe pipe(&ends) == 0 else { throw Failure(description: "no pipe: error \(errno)") }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      pipes.append((ends[0], ends[1]))
    }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawn_file_actions_adddup2(&actions, pipes[0].reader, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, pipes[1].writer, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, pipes[2].writer, 2)
    var id: pid_t = 0
    var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
    let result = unsafe posix_spawnp(&id, arguments[0], &actions, nil, &words, environ)
    unsafe words.forEach { unsafe free($0) }
    unsafe posix_spawn_file_actions_destroy(&actions)
    for end in [pipes[0].reader, pipes[1].writer, pipes[2].writer] { Glibc.close(end) }
    guard result == 0 else {
      for end in [pipes[0].writer, pipes[1].reader, pipes[2].reader] { Glibc.close(end) }
      throw Failure(description: "cannot start \(arguments[0]): \(unsafe String(cString: strerror(result)))")
    }
    (self.id, input, output, errors) = (id, pipes[0].writer, pipes[1].reader, pipes[2].reader)
  }

  /// Closes its input, reads what it has still to say and waits for its end; returns its exit status.
  @discardableResult
  public func finish() -> Int32 {
    Glibc.close(input)
    _ = drain()
    return status()
  }

  /// Writes all of `text` to the program while reading its output; returns output and errors when it closed both.
  func communicate(_ text: String) -> (output: String, errors: String) {
    var rest = Array(text.utf8)[...]
    _ = fcntl(input, F_SETFL, O_NONBLOCK)
    while !rest.isEmpty {
      var ready = [pollfd(fd: input, events: Int16(POLLOUT), revents: 0)]
      guard unsafe poll(&ready, 1, 10_000) == 1 else { break }
      let count = unsafe rest.withUnsafeBytes { unsafe write(input, $0.baseAddress, $0.count) }
      if count < 0 && errno != EAGAIN && errno != EINTR { break }
      rest = rest.dropFirst(max(0, count))
    }
    Glibc.close(input)
    return drain()
  }

  private func drain() -> (output: String, errors: String) {
    var texts: [[UInt8]] = [[], []]
    var open = [output, errors]
    var bytes = [UInt8](repeating: 0, count: 65536)
    while open != [-1, -1] {
      var ready = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      unsafe poll(&ready, nfds_t(ready.count), -1)
      for i in 0..<2 where open[i] >= 0 && ready[i].revents != 0 {
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(open[i], $0.baseAddress, $0.count) }
        if count > 0 {
          texts[i] += bytes.prefix(count)
        } else if count == 0 || errno != EINTR {
          Glibc.close(open[i])
          open[i] = -1
        }
      }
    }
    return (String(decoding: texts[0], as: UTF8.self), String(decoding: texts[1], as: UTF8.self))
  }

  func status() -> Int32 {
    var status: Int32 = 0
    while unsafe waitpid(id, &status, 0) < 0 && errno == EINTR {}
    return status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
  }
}

/// What a program that ran to its end left behind.
public struct CommandResult: Sendable {
  /// Its exit status, or the negative number of the signal that ended it.
  public var status: Int32
  /// What it wrote to standard output.
  public var output: String
  /// What it wrote to standard error.
  public var errors: String
}

/// Runs the program `arguments[0]` to its end with `input` on its standard input.
///
/// What a program that does not read all of its input makes of that is its own affair: SIGPIPE is ignored.
public func run(_ arguments: [String], input: String = "") throws(ChildProcess.Failure) -> CommandResult {
  signal(SIGPIPE, SIG_IGN)
  let child = try ChildProcess(arguments)
  let (output, errors) = child.communicate(input)
  return CommandResult(status: child.status(), output: output, errors: errors)
}
