import Deploy
import Glibc
import Nftables

/// The folder in which a host keeps the states that it had.
///
/// `state-N` is a state that was for good once; the one with the highest number is so now, and is what a boot restores.
/// `draft` is one that is being made, or waits to be confirmed. So to confirm is to give a file its name. Only the owner
/// of the folder may look into it; every file gets its place at once and carries the hash of its contents.
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
    let record = try read("state-\(number)")
    guard record.number == number else {
      throw OutputError(
        description: "\(root.path)/state-\(number): it has the number of another state; it is not used")
    }
    return record
  }

  /// The state that is being made or waits to be confirmed, if there is one.
  func draft() throws -> Record? { try root.status(of: "draft") == nil ? nil : try read("draft") }

  /// Keeps `record` as what is being made, under the next number; returns it with its number.
  func draft(_ record: Record) throws -> Record {
    var record = record
    record.number = (try numbers().last ?? 0) + 1
    // Comments that others wrote into the kernel may hold what no text of ours does.
    if (try? Record(parsing: record.text))?.table.canonical != record.table.canonical {
      record.table = record.table.withoutComments
    }
    guard let again = try? Record(parsing: record.text), again.table.isLike(record.table) else {
      throw OutputError(description: "\(root.path): the ruleset cannot be kept as text; nothing was changed")
    }
    try write(record.text, to: "draft")
    return record
  }

  /// Says that what was being made is not made.
  func dropDraft() throws {
    try root.remove("draft")
    try root.synchronize()
  }

  /// Says that what was being made is for good, and removes what is too old.
  func confirmDraft() throws {
    let record = try read("draft")
    let known = try numbers()
    guard record.number > known.last ?? 0 else {
      throw OutputError(description: "\(root.path)/draft: another state was made meanwhile; it is not used")
    }
    try root.rename("draft", to: "state-\(record.number)")
    try root.synchronize()
    for old in known.dropLast(StateFolder.mostStates - 1) { try root.remove("state-\(old)") }
  }

  private func read(_ name: String) throws -> Record {
    let text = try text(of: name) ?? ""
    do throws(DamagedRecord) { return try Record(parsing: text) } catch {
      throw OutputError(description: "\(root.path)/\(name): \(error); it is not used")
    }
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
