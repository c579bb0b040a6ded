import Glibc
import Reports
import Syntax

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
    let repository = try Repository(around: path)
    let hash = try repository.hash(of: commit)
    root = repository.root
    guard
      let changed = try Repository.git(
        "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", hash, "--", in: root),
      let unknown = try Repository.git("ls-files", "--others", "--full-name", "-z", in: repository.folder)
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
