import Glibc
import Syntax

/// Why it is not known what changed.
struct ChangeError: Error, CustomStringConvertible {
  /// What is wrong.
  let description: String
}

/// The Git repository that a policy is in, which is read and never changed.
struct Repository {
  /// The folder of the repository, with all links followed.
  let root: String

  /// The folder that was asked about.
  let folder: String

  /// Finds the repository that `path`, a file or a folder, is in.
  init(around path: String) throws {
    var folder = path
    if case .success(let status) = fileStatus(path), status.kind != .folder {
      folder = try resolvedPath(path)
      folder.removeSubrange((folder.lastIndex(of: "/") ?? folder.startIndex)...)
      if folder.isEmpty { folder = "/" }
    }
    guard let top = try Repository.git("rev-parse", "--show-toplevel", in: folder) else {
      throw ChangeError(description: "`\(path)` is in no git repository")
    }
    self.folder = folder
    root = String(top.dropLast())
  }

  /// Returns the hash of `commit`, which does not begin with `-`.
  func hash(of commit: String) throws -> String {
    guard let line = try Repository.git("rev-parse", "--verify", "--quiet", "\(commit)^{commit}", in: folder),
      case let hash = line.dropLast(), !hash.isEmpty, hash.allSatisfy(\.isHexDigit)
    else {
      throw ChangeError(
        description: "`\(commit)` is no commit of the repository; a shallow clone may lack it (`git fetch --unshallow`)"
      )
    }
    return String(hash)
  }

  /// What keeps git from looking at another repository, which hooks of git name in their environment.
  private static let elsewhere = [
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE",
  ].flatMap { ["-u", $0] }

  /// Returns what git writes when it is run with `arguments` in `folder`, or nothing if it fails.
  static func git(_ arguments: String..., in folder: String) throws -> String? {
    try bytes(arguments, in: folder).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Returns the bytes that git writes when it is run with `arguments` in `folder`, or nothing if it fails.
  static func bytes(_ arguments: [String], in folder: String, isQuiet: Bool = false) throws -> [UInt8]? {
    do throws(SystemError) {
      return try output(
        of: "env", Repository.elsewhere + ["git", "-C", folder, "--no-optional-locks"] + arguments,
        atMost: 256 << 20, isQuiet: isQuiet)
    } catch {
      throw ChangeError(description: "git could not be run: \(error.reason)")
    }
  }
}

/// A file in a commit.
private struct Blob {
  /// Its path from the folder of the repository.
  var name: String
  /// The name of the object with its contents.
  var object: String
  /// The number of bytes.
  var size: Int
}

extension Repository {
  /// The most objects that one run of git is asked for, and the most bytes unless one object has more.
  private static let batch = (objects: 1000, bytes: 32 << 20)

  /// Returns `blobs` with their contents.
  fileprivate func contents(of blobs: [Blob]) throws -> [(Blob, [UInt8])] {
    var known: [String: [UInt8]] = [:]
    // Files of one content are one object.
    var seen: Set<String> = []
    var rest = blobs.filter { seen.insert($0.object).inserted }[...]
    while let first = rest.first {
      var (count, size) = (1, first.size)
      for blob in rest.dropFirst() {
        guard count < Repository.batch.objects, size + blob.size <= Repository.batch.bytes else { break }
        (count, size) = (count + 1, size + blob.size)
      }
      let part = rest.prefix(count)
      // Objects that are files are written as they are, one behind the other (git-show(1)).
      let arguments = ["show", "--no-textconv", "--no-ext-diff", "--no-color"] + part.map(\.object)
      guard let bytes = try Repository.bytes(arguments, in: root), bytes.count == size else {
        throw ChangeError(description: "git could not read `\(first.name)` and what follows it")
      }
      var start = 0
      for blob in part {
        known[blob.object] = Array(bytes[start..<start + blob.size])
        start += blob.size
      }
      rest = rest.dropFirst(count)
    }
    return blobs.map { ($0, known[$0.object] ?? []) }
  }
}

extension PolicyFiles {
  /// Reads the policy that was at `path` in `commit`; nothing on the disk is touched.
  init(commit: String, _ path: String) throws {
    let repository = try Repository(around: path)
    let hash = try repository.hash(of: commit)
    let target = try resolvedPath(path)
    let prefix = repository.root.hasSuffix("/") ? repository.root : repository.root + "/"
    let inside = target == repository.root ? "." : String(target.dropFirst(target.hasPrefix(prefix) ? prefix.count : 0))
    guard
      let listing = try Repository.git(
        "ls-tree", "-r", "-l", "-z", "--full-name", hash, "--", inside, in: repository.root)
    else { throw ChangeError(description: "git could not list `\(path)` in `\(commit)`") }
    var wanted: [Blob] = []
    for entry in listing.split(separator: "\0") {
      guard let tab = entry.firstIndex(of: "\t") else { continue }
      let name = String(entry[entry.index(after: tab)...])
      let isHidden = name.split(separator: "/").contains { $0.hasPrefix(".") }
      let isPolicy = name == inside || name.hasSuffix(".port") && !isHidden
      if isPolicy && entry.hasPrefix("120") || entry.hasPrefix("160") {
        throw ChangeError(
          description: "`\(name)` in `\(commit)` is a link or a submodule, which cannot be followed there")
      }
      guard entry.hasPrefix("100"), isPolicy else { continue }
      // The mode, the kind, the name of the object, and its size (git-ls-tree(1)).
      let words = entry[..<tab].split(separator: " ")
      guard words.count == 4, let size = Int(words[3]), size <= PolicyFiles.fileLimit else {
        throw ChangeError(description: "`\(name)` in `\(commit)` has more than \(PolicyFiles.fileLimit >> 20) MiB")
      }
      wanted.append(Blob(name: name, object: String(words[2]), size: size))
    }
    guard wanted.reduce(0, { $0 + $1.size }) <= PolicyFiles.totalLimit else {
      throw ChangeError(description: "the policy has more than \(PolicyFiles.totalLimit >> 20) MiB in all")
    }
    var files: [SourceFile] = []
    for (blob, bytes) in try repository.contents(of: wanted) {
      files.append(SourceFile(path: "\(commit):\(blob.name)", bytes: bytes))
    }
    guard !files.isEmpty else {
      throw ChangeError(description: "`\(commit)` has no `*.port` file at `\(inside)`")
    }
    self.init(read: files)
  }
}

extension Repository {
  /// Returns the commit of what is at `path`, with `+changes` if it is not as that commit has it, or nothing if it is in no
  /// repository.
  static func revision(of path: String) -> String? {
    var folder = path
    if case .success(let status) = fileStatus(path), status.kind != .folder {
      folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }
    func lines(_ arguments: String...) -> String? {
      (try? bytes(arguments, in: folder, isQuiet: true)).flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
    }
    guard let head = lines("rev-parse", "--short=12", "HEAD") else { return nil }
    // As root it runs nothing that a repository of somebody else asks for, which looking for changes may.
    let isClean = geteuid() == 0 || lines("status", "--porcelain", "--", ".")?.isEmpty ?? false
    return head.filter { !$0.isNewline } + (isClean ? "" : "+changes")
  }
}
