import Glibc
import Synchronization

/// A network namespace of ours.
public struct NetworkNamespace: Sendable {
  /// Its name, as `ip netns` has it: `portcullis-PID-NUMBER-LABEL`.
  public let name: String

  private static let prefix = "portcullis-"

  /// Creates namespaces with a label each, all at once, and removes those that dead test runs left behind.
  public static func make(_ labels: [String]) throws -> [NetworkNamespace] {
    try requireMeans()
    _ = removedStale
    let number = NumberSource.shared.next()
    let made = labels.enumerated().map { i, label in
      NetworkNamespace(name: "\(prefix)\(getpid())-\(number)-\(i)-\(label)")
    }
    try batch(made.map { "netns add \($0.name)" })
    return made
  }

  /// Removes `namespaces`.
  public static func remove(_ namespaces: [NetworkNamespace]) {
    try? batch(namespaces.map { "netns del \($0.name)" }, flags: ["-force"])
  }

  /// Carries out the lines of `ip -batch`, in this namespace if `inside` is one.
  static func batch(_ lines: [String], in inside: NetworkNamespace? = nil, flags: [String] = []) throws {
    let place = inside.map { ["-n", $0.name] } ?? []
    let result = try Support.run(
      ["ip"] + flags + place + ["-batch", "-"], input: lines.map { $0 + "\n" }.joined())
    guard result.status == 0 else {
      throw LabError(description: "ip failed: \(result.errors)\n\(lines.joined(separator: "\n"))")
    }
  }

  /// Runs a program inside the namespace.
  public func run(_ arguments: [String], input: String = "") throws(ChildProcess.Failure) -> CommandResult {
    try Support.run(["ip", "netns", "exec", name] + arguments, input: input)
  }

  /// The namespaces whose test run is no more are removed once in a run.
  private static let removedStale: Void = {
    guard let listing = try? Support.run(["ip", "netns", "list"]) else { return }
    let stale = listing.output.split(separator: "\n").compactMap { line -> NetworkNamespace? in
      let name = line.prefix { $0 != " " }
      guard name.hasPrefix(prefix), let id = pid_t(name.dropFirst(prefix.count).prefix { $0 != "-" }),
        kill(id, 0) != 0
      else { return nil }
      return NetworkNamespace(name: String(name))
    }
    if !stale.isEmpty { remove(stale) }
  }()

  /// Throws unless this process may make namespaces and the programs that it needs are there.
  private static func requireMeans() throws {
    let wanted = [
      "ip", "nft", "iptables-nft-restore", "ip6tables-nft-restore", "iptables-legacy-restore",
      "ip6tables-legacy-restore",
    ]
    let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
    let missing = wanted.filter { program in
      !path.split(separator: ":").contains { unsafe access("\($0)/\(program)", X_OK) == 0 }
    }
    guard geteuid() == 0, missing.isEmpty else {
      let what = geteuid() == 0 ? "missing: \(missing.joined(separator: ", "))" : "not root"
      throw LabError(
        description: "packets cannot be tested here (\(what)): run `make setup`, and the tests as root")
    }
  }
}

/// Numbers that this process gives out once.
private final class NumberSource: Sendable {
  static let shared = NumberSource()
  private let mutex = Mutex(0)

  func next() -> Int {
    mutex.withLock {
      $0 += 1
      return $0
    }
  }
}
