import Driver
import Firewalls
import Glibc

/// Why rules of another program cannot be read.
struct ForeignFileError: Error, CustomStringConvertible {
  /// What is wrong.
  let description: String
}

extension ForeignRules {
  /// What the names of manifests end with.
  private static let endings = [".yaml", ".yml", ".json"]

  /// Reads the rules that `place` names.
  init(at place: (format: Format, path: String)) throws {
    guard !place.path.isEmpty else {
      throw ForeignFileError(description: "say which file: `\(place.format.rawValue):FILE`")
    }
    guard place.format == .manifests, case .success(let status) = fileStatus(place.path), status.kind == .folder else {
      let text = try ForeignRules.text(of: place.path, in: AT_FDCWD, path: place.path)
      self.init(place.format, path: place.path, text: text)
      return
    }
    var reader = ManifestReader()
    try reader.readFolder(place.path, in: AT_FDCWD, below: "", path: place.path, depth: 0)
    guard !reader.files.isEmpty else {
      throw ForeignFileError(description: "`\(place.path)` holds no `*.yaml`, `*.yml` or `*.json` file")
    }
    self.init(.manifests, path: place.path, files: reader.files)
  }

  /// Returns the text of the file `name` of the folder `parent`, which is at `path`.
  fileprivate static func text(of name: String, in parent: Int32, path: String) throws -> String {
    // Opening a pipe would wait for somebody to write to it.
    let file = try Descriptor(name, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY, in: parent, path: path)
    guard try file.status().kind == .regular else {
      throw ForeignFileError(description: "`\(path)` is not a file")
    }
    guard let bytes = try file.bytes(atMost: PolicyFiles.fileLimit) else {
      throw ForeignFileError(description: "`\(path)` has more than \(PolicyFiles.fileLimit >> 20) MiB")
    }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw ForeignFileError(description: "`\(path)` is no text in UTF-8")
    }
    return text
  }

  /// A reader of a folder of manifests.
  private struct ManifestReader {
    var files: [Artefact] = []
    private var total = 0
    private var folders: Set<FileIdentity> = []

    /// Reads the folder `name` of `parent`, whose files have paths that begin with `below`; links are followed, and a
    /// folder that several lead to is read once.
    mutating func readFolder(_ name: String, in parent: Int32, below: String, path: String, depth: Int) throws {
      let folder = try Descriptor(name, flags: O_RDONLY | O_DIRECTORY, in: parent, path: path)
      guard folders.insert(try folder.status().identity).inserted else { return }
      guard depth < 64 else { throw ForeignFileError(description: "`\(path)`: folders are nested more than 64 deep") }
      let (names, hasOthers) = try folder.names()
      if hasOthers { throw ForeignFileError(description: "`\(path)` holds a file whose name is no UTF-8") }
      for name in names where !name.hasPrefix(".") {
        let full = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
        let isManifest = ForeignRules.endings.contains { name.hasSuffix($0) }
        guard var kind = try folder.status(of: name)?.kind else { continue }
        if kind == .link {
          guard case .success(let target) = fileStatus(full) else {
            guard isManifest else { continue }
            throw ForeignFileError(description: "`\(full)` is a link that leads nowhere")
          }
          kind = target.kind
        }
        if kind == .folder {
          try readFolder(name, in: folder.number, below: below + name + "/", path: full, depth: depth + 1)
        } else if isManifest {
          let text = try ForeignRules.text(of: name, in: folder.number, path: full)
          total += text.utf8.count
          guard total <= PolicyFiles.totalLimit else {
            throw ForeignFileError(
              description: "the manifests have more than \(PolicyFiles.totalLimit >> 20) MiB in all")
          }
          files.append(Artefact(path: below + name, text: text))
        }
      }
    }
  }
}
