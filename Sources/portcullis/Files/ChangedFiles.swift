import Glibc
import Reports
import Syntax

/// Why it is not known what changed.
struct ChangeError: Error, CustomStringConvertible {
  /// What is wrong.
  let description: String
}

/// What differs between a commit and the files as they are, in the repository of a policy.
struct ChangedFiles {
  /// The folder of the repository, with all links followed.
  private let root: String

  /// The paths from `root` of the files that differ or that git does not know; a folder stands for all in it.
  private let paths: Set<Substring>

  /// Asks git what changed since `commit` in the repository that `path`, a file or a folder, is in.
  ///
  /// - Requires: `commit` does not begin with `-`.
  init(since commit: String, around path: String) throws {
    var folder = path
    if case .success(let status) = fileStatus(path), status.kind != .folder {
      folder = try resolvedPath(path)
      folder.removeSubrange((folder.lastIndex(of: "/") ?? folder.startIndex)...)
      if folder.isEmpty { folder = "/" }
    }
    guard let top = try ChangedFiles.git("rev-parse", "--show-toplevel", in: folder) else {
      throw ChangeError(description: "`\(path)` is in no git repository")
    }
    guard let line = try ChangedFiles.git("rev-parse", "--verify", "--quiet", "\(commit)^{commit}", in: folder),
      case let hash = line.dropLast(), !hash.isEmpty, hash.allSatisfy(\.isHexDigit)
    else {
      throw ChangeError(
        description: "`\(commit)` is no commit of the repository; a shallow clone may lack it (`git fetch --unshallow`)"
      )
    }
    root = String(top.dropLast())
    guard
      let changed = try ChangedFiles.git(
        "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", String(hash), "--", in: root),
      let unknown = try ChangedFiles.git("ls-files", "--others", "--full-name", "-z", in: folder)
    else {
      throw ChangeError(description: "git could not tell what changed since `\(commit)`")
    }
    let names = changed.split(separator: "\0") + unknown.split(separator: "\0")
    paths = Set(names.map { $0.hasSuffix("/") ? $0.dropLast() : $0 })
  }

  /// Returns `true` iff the file at `path`, or a link that leads to it, changed or is in no repository.
  func contains(_ path: String) -> Bool {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
    guard let target = try? resolvedPath(path), let folder = try? resolvedPath(folder) else { return true }
    return holds(target) || holds("\(folder)/\(name)")
  }

  /// Returns `true` iff the file at `path`, which is absolute, changed or is in no repository.
  private func holds(_ path: String) -> Bool {
    let prefix = root.hasSuffix("/") ? root : root + "/"
    guard path.hasPrefix(prefix) else { return true }
    var rest = path.dropFirst(prefix.count)
    while !paths.contains(rest) {
      guard let slash = rest.lastIndex(of: "/") else { return false }
      rest = rest[..<slash]
    }
    return true
  }

  /// Returns what git writes when it is run with `arguments` in `folder`, or nothing if it fails.
  private static func git(_ arguments: String..., in folder: String) throws -> String? {
    do throws(SystemError) {
      let output = try output(of: "git", ["-C", folder, "--no-optional-locks"] + arguments, atMost: 256 << 20)
      return output.map { String(decoding: $0, as: UTF8.self) }
    } catch {
      throw ChangeError(description: "`--changed-since` asks git, which could not be run: \(error.reason)")
    }
  }
}

extension FindingsReport {
  /// Leaves out the findings that have no place in a file that is among `changes`.
  mutating func keepFindings(in changes: ChangedFiles) {
    let changed = sources.files.map { changes.contains($0.path) }
    func isKept(_ d: Diagnostic) -> Bool {
      changed[Int(d.primary.span.file)] || d.secondary.contains { changed[Int($0.span.file)] }
    }
    diagnostics.removeAll { !isKept($0) }
    waived.removeAll { !isKept($0.diagnostic) }
  }
}
