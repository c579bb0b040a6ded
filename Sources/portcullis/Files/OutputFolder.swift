import Firewalls
import Glibc

/// Why nothing was written.
struct OutputError: Error, CustomStringConvertible {
  /// What is wrong.
  let description: String
}

/// The folder that `compile --output` keeps in step with a policy.
///
/// All files are on the disk, in a folder beside the others, before the first one is given its place, so that a full disk
/// leaves all as it was. A list of the files that are ours, kept in the folder, tells them from those of others, which are
/// neither removed nor replaced. Links below the folder are never followed.
struct OutputFolder: ~Copyable {
  /// The name of the list of our files.
  static let list = ".portcullis"

  /// The first line of the list.
  private static let head =
    "# The files that `portcullis compile` wrote here. It removes those that it no longer writes."

  /// The name of the folder in which files are written before they are given their places.
  private static let stage = ".portcullis-new"

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
    try clearStage()
    var drafts: [Artefact] = []
    var folders: [String] = []
    do {
      for f in files.sorted(by: { $0.path < $1.path }) where try needsWriting(f, folders: &folders) { drafts.append(f) }
      if drafts.isEmpty, ours == wanted { return (0, 0) }
      try root.makeFolder(OutputFolder.stage)
      try inStage { stage in
        for (i, f) in drafts.enumerated() { try OutputFolder.write(Array(f.text.utf8), as: "\(i)", in: stage) }
        try stage.synchronize()
      }
      // Until all is done the list names both, so that nothing of ours is ever forgotten.
      if !wanted.isSubset(of: ours) { try writeList(wanted.union(ours)) }
    } catch {
      try? clearStage()
      for path in folders.reversed() { try? inFolder(of: path) { try $0.remove($1, isFolder: true) } }
      throw error
    }
    for (i, f) in drafts.enumerated() {
      try inFolder(of: f.path) { folder, name in
        try inStage { try $0.rename("\(i)", to: name, in: folder) }
        try folder.synchronize()
      }
    }
    let stale = ours.subtracting(wanted).sorted()
    for path in stale { try remove(path) }
    if ours != wanted { try writeList(wanted) }
    try clearStage()
    return (drafts.count, stale.count)
  }

  /// Returns `true` iff `file` is not there as it should be, and makes the folders that it needs.
  ///
  /// The folders that were made are appended to `folders`. What is there and is not ours stays there.
  private func needsWriting(_ file: Artefact, folders: inout [String]) throws -> Bool {
    let bytes = Array(file.text.utf8)
    var made: [String] = []
    defer { folders += made }
    let device = try root.status().identity.device
    return try inFolder(of: file.path, making: &made) { folder, name in
      // A file is moved into its place at once, which is possible on one file system only.
      guard try folder.status().identity.device == device else {
        throw OutputError(description: "\(folder.path): is on another file system than \(root.path)")
      }
      guard let kind = try folder.status(of: name)?.kind else { return true }
      if kind == .regular {
        let old = try Descriptor(name, flags: O_RDONLY | O_NOFOLLOW, in: folder.number, path: file.path)
        if try old.bytes(atMost: bytes.count) == bytes { return false }
      }
      guard kind == .regular || kind == .link, ours.contains(file.path) else {
        let kind = kind == .folder ? "folder" : kind == .link ? "link" : "file"
        throw OutputError(
          description: "\(root.path)/\(file.path): this \(kind) is none that `portcullis compile` wrote; move it away")
      }
      return true
    }
  }

  /// Returns what `body` makes of the folder of files that have no place yet.
  private func inStage<T>(_ body: (borrowing Descriptor) throws -> T) throws -> T {
    let stage = try Descriptor(
      OutputFolder.stage, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW, in: root.number,
      path: "\(root.path)/\(OutputFolder.stage)")
    return try body(stage)
  }

  /// Removes the folder of files that have no place yet, which a run that was killed may have left behind.
  private func clearStage() throws {
    guard try root.status(of: OutputFolder.stage) != nil else { return }
    try inStage { stage in
      for name in try stage.names().names { try stage.remove(name) }
    }
    try root.remove(OutputFolder.stage, isFolder: true)
  }

  /// Writes `bytes` to the disk as the new file `name` of `folder`.
  private static func write(_ bytes: [UInt8], as name: String, in folder: borrowing Descriptor) throws {
    let file = try Descriptor(
      name, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o666, in: folder.number,
      path: "\(folder.path)/\(name)")
    try file.write(bytes)
    try file.synchronize()
  }

  /// Writes the list of our files.
  private func writeList(_ paths: Set<String>) throws {
    let text = ([OutputFolder.head] + paths.sorted()).joined(separator: "\n") + "\n"
    try inStage { stage in
      try OutputFolder.write(Array(text.utf8), as: "list", in: stage)
      try stage.rename("list", to: OutputFolder.list, in: root)
    }
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
