import Firewalls
import Glibc

/// Why nothing was written.
struct OutputError: Error, CustomStringConvertible {
  /// What is wrong.
  let description: String
}

/// The folder that `compile --output` keeps in step with a policy.
///
/// All files are on the disk under other names before the first one is given its own, so that a full disk leaves all as
/// it was. A list of the files that are ours, kept in the folder, tells stale ones from those of others. Links below
/// the folder are never followed.
struct OutputFolder: ~Copyable {
  /// The name of the list of our files.
  static let list = ".portcullis"

  /// The first line of the list.
  private static let head =
    "# The files that `portcullis compile` wrote here. It removes those that it no longer writes."

  /// What the name of a file begins with while it is being written.
  private static let draft = ".portcullis-new-"

  /// The folder.
  private let root: Descriptor

  /// The files that are ours.
  private let ours: Set<String>

  /// Opens the folder at `path`, which is made if it is missing, so that no other process writes to it.
  init(_ path: String) throws {
    var made = ""
    for (i, part) in path.split(separator: "/", omittingEmptySubsequences: true).enumerated() {
      made += i == 0 && !path.hasPrefix("/") ? part : "/" + part
      if case .failure(let error) = fileStatus(made) {
        guard error.number == ENOENT else { throw error }
        let parent = try Descriptor(
          made.contains("/") ? made.prefix(upTo: made.lastIndex(of: "/") ?? made.startIndex) + "/" : ".",
          flags: O_RDONLY | O_DIRECTORY, path: made)
        try parent.makeFolder(String(part))
      }
    }
    let root = try Descriptor(path, flags: O_RDONLY | O_DIRECTORY, path: path)
    guard root.lock() else { throw OutputError(description: "\(path): another compile is writing there") }
    let ours = try OutputFolder.readList(in: root)
    self.root = root
    self.ours = ours
  }

  /// Returns the files that the list in `root` names.
  private static func readList(in root: borrowing Descriptor) throws -> Set<String> {
    guard try root.status(of: list) != nil else { return [] }
    let path = "\(root.path)/\(list)"
    let file = try Descriptor(list, flags: O_RDONLY | O_NOFOLLOW, in: root.number, path: path)
    guard let bytes = try file.bytes(atMost: 64 << 20) else { throw OutputError(description: "\(path): too long") }
    var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")[...]
    guard lines.popFirst().map(String.init) == head, lines.allSatisfy({ isSafe(String($0)) }) else {
      throw OutputError(description: "\(path): this is not the list that `portcullis compile` writes")
    }
    return Set(lines.map(String.init))
  }

  /// Returns `true` iff `path` stays below the folder and is not one of our own notes.
  private static func isSafe(_ path: String) -> Bool {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    return parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && !$0.hasPrefix(list) }
      && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
  }

  /// Makes the folder hold `files` and none of our former ones; returns how many files were written and removed.
  func keep(_ files: [Artefact]) throws -> (written: Int, removed: Int) {
    let wanted = Set(files.map(\.path))
    for f in files where !OutputFolder.isSafe(f.path) {
      throw OutputError(description: "\(root.path): `\(f.path)` cannot be the name of a file")
    }
    var drafts: [String] = []
    var folders: [String] = []
    do {
      for f in files.sorted(by: { $0.path < $1.path }) {
        if try writeDraft(f, folders: &folders) { drafts.append(f.path) }
      }
      // Until all is done the list names both, so that nothing of ours is ever forgotten.
      if !wanted.isSubset(of: ours) { try writeList(wanted.union(ours)) }
    } catch {
      for path in drafts { try? inFolder(of: path) { folder, name in try folder.remove(OutputFolder.draft + name) } }
      for path in folders.reversed() { try? inFolder(of: path) { try $0.remove($1, isFolder: true) } }
      throw error
    }
    for path in drafts {
      try inFolder(of: path) { folder, name in
        try folder.rename(OutputFolder.draft + name, to: name)
        try folder.synchronize()
      }
    }
    let stale = ours.subtracting(wanted).sorted()
    for path in stale { try remove(path) }
    if ours != wanted { try writeList(wanted) }
    return (drafts.count, stale.count)
  }

  /// Writes `file` under its other name unless it is there as it should be; returns whether it did.
  ///
  /// The folders that were made are appended to `folders`.
  private func writeDraft(_ file: Artefact, folders: inout [String]) throws -> Bool {
    let bytes = Array(file.text.utf8)
    var made: [String] = []
    defer { folders += made }
    return try inFolder(of: file.path, making: &made) { folder, name in
      switch try folder.status(of: name)?.kind {
      case .regular:
        let old = try Descriptor(name, flags: O_RDONLY | O_NOFOLLOW, in: folder.number, path: file.path)
        if try old.bytes(atMost: bytes.count) == bytes { return false }
      case nil, .link: break
      case .folder, .other: throw OutputError(description: "\(root.path)/\(file.path): there is something else")
      }
      do {
        try OutputFolder.write(bytes, as: OutputFolder.draft + name, in: folder)
      } catch {
        try? folder.remove(OutputFolder.draft + name)
        throw error
      }
      return true
    }
  }

  /// Writes `bytes` to the disk as the new file `name` of `folder`.
  private static func write(_ bytes: [UInt8], as name: String, in folder: borrowing Descriptor) throws {
    try folder.remove(name)
    let file = try Descriptor(
      name, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o666, in: folder.number,
      path: "\(folder.path)/\(name)")
    try file.write(bytes)
    try file.synchronize()
  }

  /// Writes the list of our files.
  private func writeList(_ paths: Set<String>) throws {
    let text = ([OutputFolder.head] + paths.sorted()).joined(separator: "\n") + "\n"
    try OutputFolder.write(Array(text.utf8), as: OutputFolder.draft + "list", in: root)
    try root.rename(OutputFolder.draft + "list", to: OutputFolder.list)
    try root.synchronize()
  }

  /// Removes our file at `path` and the folders that are empty then.
  private func remove(_ path: String) throws {
    do {
      try inFolder(of: path) { folder, name in
        if try folder.status(of: name)?.kind == .regular { try folder.remove(name) }
      }
    } catch let error as SystemError where error.number == ENOENT {
      return
    }
    var path = path[...]
    while let slash = path.lastIndex(of: "/") {
      path = path[..<slash]
      do { try inFolder(of: String(path)) { try $0.remove($1, isFolder: true) } } catch { return }
    }
  }

  /// Returns what `body` makes of the folder that `path` is in and of the last part of `path`.
  private func inFolder<T>(of path: String, _ body: (borrowing Descriptor, String) throws -> T) throws -> T {
    var none: [String] = []
    return try inFolder(of: path, making: &none, isMaking: false, body)
  }

  /// Returns what `body` makes of the folder that `path` is in, whose missing folders are made and noted in `made`.
  private func inFolder<T>(
    of path: String, making made: inout [String], isMaking: Bool = true,
    _ body: (borrowing Descriptor, String) throws -> T
  ) throws -> T {
    let parts = path.split(separator: "/").map(String.init)
    var folder = try Descriptor(".", flags: O_RDONLY | O_DIRECTORY, in: root.number, path: root.path)
    for (i, part) in parts.dropLast().enumerated() {
      if isMaking, try folder.status(of: part) == nil {
        try folder.makeFolder(part)
        made.append(parts[...i].joined(separator: "/"))
      }
      folder = try Descriptor(
        part, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW, in: folder.number, path: "\(folder.path)/\(part)")
    }
    return try body(folder, parts.last ?? "")
  }
}

/// Puts `bytes` in place of the file at `path`, at once, with the owner and the permissions that it has; links are
/// followed.
func replaceFile(at path: String, with bytes: [UInt8]) throws {
  let target = try resolvedPath(path)
  let slash = target.lastIndex(of: "/") ?? target.startIndex
  let name = String(target[target.index(after: slash)...])
  let folder = try Descriptor(
    slash == target.startIndex ? "/" : String(target[..<slash]), flags: O_RDONLY | O_DIRECTORY, path: path)
  let draft = ".portcullis-new-" + name
  guard let old = try folder.status(of: name) else { throw OutputError(description: "\(path): is gone") }
  try folder.remove(draft)
  do {
    let file = try Descriptor(
      draft, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, in: folder.number, path: path)
    try file.write(bytes)
    try file.setAccess(of: old)
    try file.synchronize()
    try folder.rename(draft, to: name)
    try folder.synchronize()
  } catch {
    try? folder.remove(draft)
    throw error
  }
}
