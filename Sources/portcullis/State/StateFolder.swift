import Deploy
import Glibc

/// The folder in which a host keeps the states that it had: what is confirmed, what waits to be confirmed, and a bounded
/// history. Only its owner may look into it; every file gets its place at once and carries the hash of its contents.
struct StateFolder: ~Copyable {
  /// The usual place.
  static let usual = "/var/lib/portcullis"

  /// How many states are kept.
  static let mostStates = 20

  /// How long a run waits for another one to end, in tenths of a second.
  private static let patience = 100

  /// The most bytes of a file that are read.
  private static let fileLimit = 256 << 20

  private let root: Descriptor
  private let lock: Descriptor?

  /// Opens the folder at `path` to read it; nothing if there is none yet.
  static func opened(_ path: String) throws -> StateFolder? {
    if case .failure(let error) = fileStatus(path), error.number == ENOENT { return nil }
    return StateFolder(root: try checkedRoot(path), lock: nil)
  }

  /// Opens the folder at `path` to change it, which is made if it is missing; no other run changes it meanwhile.
  static func locked(_ path: String) throws -> StateFolder {
    _ = umask(0o077)
    if case .failure(let error) = fileStatus(path), error.number == ENOENT {
      let slash = path.lastIndex(of: "/")
      let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
      let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
      try Descriptor(parent, flags: O_RDONLY | O_DIRECTORY, path: parent).makeFolder(name)
    }
    let root = try checkedRoot(path)
    let lock = try Descriptor(
      "lock", flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600, in: root.number, path: "\(path)/lock")
    var tries = 0
    while !lock.lock() {
      tries += 1
      guard tries < patience else {
        throw OutputError(description: "\(path): another run of portcullis changes this host; nothing was changed")
      }
      usleep(100_000)
    }
    return StateFolder(root: root, lock: lock)
  }

  private init(root: consuming Descriptor, lock: consuming Descriptor?) {
    self.root = root
    self.lock = lock
  }

  private static func checkedRoot(_ path: String) throws -> Descriptor {
    let root = try Descriptor(path, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW, path: path)
    let status = try root.status()
    guard status.user == geteuid(), status.mode & 0o077 == 0 else {
      throw OutputError(
        description: "\(path): only the user that runs portcullis may own this folder or look into it; nothing was read"
      )
    }
    return root
  }

  // MARK: - States

  /// The numbers of the states that are kept, the oldest first.
  func numbers() throws -> [Int] {
    try root.names().names.compactMap { name in
      name.hasPrefix("state-") ? Int(name.dropFirst("state-".utf8.count)) : nil
    }.sorted()
  }

  /// Returns the state `number`.
  func record(_ number: Int) throws -> Record {
    let path = "\(root.path)/state-\(number)"
    let text = try text(of: "state-\(number)") ?? ""
    do throws(DamagedRecord) {
      let record = try Record(parsing: text)
      if record.number == number { return record }
    } catch {
      throw OutputError(description: "\(path): \(error); it is not used")
    }
    throw OutputError(description: "\(path): it has the number of another state; it is not used")
  }

  /// Keeps `record` under the next number, and removes what is too old; returns it with its number.
  func keep(_ record: Record) throws -> Record {
    let known = try numbers()
    var record = record
    record.number = (known.last ?? 0) + 1
    try write(record.text, to: "state-\(record.number)")
    let needed = [try confirmed, try pending].compactMap { $0 }
    for old in known.dropLast(StateFolder.mostStates - 1) where !needed.contains(old) {
      try root.remove("state-\(old)")
    }
    return record
  }

  /// The number of the state that is for good, if there is one.
  var confirmed: Int? {
    get throws { try number(in: "confirmed") }
  }

  /// The number of the state that waits to be confirmed, if one does.
  var pending: Int? {
    get throws { try number(in: "pending") }
  }

  /// Says that the state `number` is for good, and that none waits.
  func confirm(_ number: Int) throws {
    try write("\(number)\n", to: "confirmed")
    try root.remove("pending")
    try root.synchronize()
  }

  /// Says that the state `number` waits to be confirmed, or that none does.
  func await(_ number: Int?) throws {
    if let number { try write("\(number)\n", to: "pending") } else { try root.remove("pending") }
    try root.synchronize()
  }

  // MARK: - Files

  private func text(of name: String) throws -> String? {
    guard try root.status(of: name) != nil else { return nil }
    let path = "\(root.path)/\(name)"
    let file = try Descriptor(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK, in: root.number, path: path)
    guard try file.status().kind == .regular, let bytes = try file.bytes(atMost: StateFolder.fileLimit) else {
      throw OutputError(description: "\(path): this is not a file of portcullis")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func number(in name: String) throws -> Int? {
    guard let text = try text(of: name) else { return nil }
    guard text.hasSuffix("\n"), let number = Int(text.dropLast()), number > 0 else {
      throw OutputError(description: "\(root.path)/\(name): it is damaged; it should hold the number of a state")
    }
    return number
  }

  private func write(_ text: String, to name: String) throws {
    let draft = ".new-\(name)"
    try root.remove(draft)
    do {
      let file = try Descriptor(
        draft, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, in: root.number,
        path: "\(root.path)/\(name)")
      try file.write(Array(text.utf8))
      try file.synchronize()
      try root.rename(draft, to: name)
      try root.synchronize()
    } catch {
      try? root.remove(draft)
      throw error
    }
  }
}
