import Glibc
import Syntax

/// The files of a policy as they were read, and what could not be read.
struct PolicyFiles {
  /// The most bytes that a file may have.
  static let fileLimit = 64 << 20

  /// The most bytes that all files together may have.
  static let totalLimit = 512 << 20

  /// The files; those that could not be read are empty.
  private(set) var sources = Sources([])

  /// What could not be read, as findings.
  private(set) var diagnostics: [Diagnostic] = []

  /// The files that were read.
  private var files: [SourceFile] = []

  /// What could not be read, and why.
  private var failures: [(path: String, code: String, message: String, help: String?)] = []

  /// The bytes read so far.
  private var total = 0

  /// The folders read so far.
  private var folders: Set<FileIdentity> = []

  /// `true` iff something could not be read.
  var isIncomplete: Bool { !failures.isEmpty }

  /// Reads the policy at `paths`, each a file or a folder, in which every `*.port` file is read.
  init(_ paths: [String]) {
    for path in paths {
      switch fileStatus(path) {
      case .failure(let error): fail(path, "unreadable-file", "cannot be read: \(error.reason)")
      case .success(let status):
        if status.kind == .folder {
          let before = files.count + failures.count
          readFolder(path, in: AT_FDCWD, name: path, above: [])
          if files.count + failures.count == before {
            fail(path, "no-policy", "the folder holds no `*.port` file", help: "`portcullis init` writes a first one.")
          }
        } else {
          readFile(path, in: AT_FDCWD, name: path)
        }
      }
    }
    // A file that is named twice is one file. Bytes are compared, since texts are equal whose accents are encoded
    // differently, and those are two files.
    var known: Set<[UInt8]> = []
    files = files.filter { known.insert(Array($0.path.utf8)).inserted }
    sources = Sources(
      files
        + failures.filter { known.insert(Array($0.path.utf8)).inserted }.map { SourceFile(path: $0.path, bytes: []) })
    var index: [String: UInt32] = [:]
    for (i, f) in sources.files.enumerated() { index[f.path] = UInt32(i) }
    diagnostics = failures.map {
      Diagnostic(
        .error, $0.code, $0.message, at: .init(Span(file: index[$0.path] ?? 0, lower: 0, upper: 0)), help: $0.help,
        subject: $0.path)
    }
  }

  /// Creates the policy of `files`, which somebody else read.
  init(read files: [SourceFile]) { sources = Sources(files) }

  /// Notes that what is at `path` could not be read.
  private mutating func fail(_ path: String, _ code: String, _ message: String, help: String? = nil) {
    failures.append((path, code, message, help))
  }

  /// Reads the policy files in the folder `name` of `parent`; `above` are the folders that lead to it.
  ///
  /// A folder that links lead to a second time is not read again, or a few links could stand for endless folders.
  private mutating func readFolder(_ path: String, in parent: Int32, name: String, above: [FileIdentity]) {
    do throws(SystemError) {
      let folder = try Descriptor(name, flags: O_RDONLY | O_DIRECTORY, in: parent, path: path)
      let identity = try folder.status().identity
      if above.contains(identity) { return fail(path, "folder-loop", "the folder leads back to one that it is in") }
      if above.count == 64 { return fail(path, "folder-loop", "folders are nested more than 64 deep") }
      guard folders.insert(identity).inserted else { return }
      let (names, hasOthers) = try folder.names()
      if hasOthers { fail(path, "unreadable-file", "the folder holds a file whose name is no UTF-8") }
      let prefix = path.hasSuffix("/") ? path : path + "/"
      for name in names where !name.hasPrefix(".") {
        guard var kind = try folder.status(of: name)?.kind else { continue }
        if kind == .link {
          guard case .success(let target) = fileStatus(prefix + name) else {
            if name.hasSuffix(".port") { fail(prefix + name, "unreadable-file", "the link leads nowhere") }
            continue
          }
          kind = target.kind
        }
        if kind == .folder {
          readFolder(prefix + name, in: folder.number, name: name, above: above + [identity])
        } else if name.hasSuffix(".port") {
          readFile(prefix + name, in: folder.number, name: name)
        }
      }
    } catch {
      fail(path, "unreadable-file", "cannot be read: \(error.reason)")
    }
  }

  /// Reads the file `name` of the folder `parent`.
  private mutating func readFile(_ path: String, in parent: Int32, name: String) {
    do throws(SystemError) {
      // Opening a pipe would wait for somebody to write to it.
      let file = try Descriptor(name, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY, in: parent, path: path)
      let status = try file.status()
      guard status.kind == .regular else {
        return fail(path, "unreadable-file", "is neither a file nor a folder")
      }
      let limit = PolicyFiles.fileLimit
      guard status.size <= limit, let bytes = try file.bytes(atMost: limit) else {
        return fail(path, "file-too-large", "has more than \(limit >> 20) MiB", help: "Split it into several files.")
      }
      total += bytes.count
      if total > PolicyFiles.totalLimit {
        return fail(path, "file-too-large", "the policy has more than \(PolicyFiles.totalLimit >> 20) MiB in all")
      }
      files.append(SourceFile(path: path, bytes: bytes))
    } catch {
      fail(path, "unreadable-file", "cannot be read: \(error.reason)")
    }
  }
}
