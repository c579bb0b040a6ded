import Glibc

/// Puts `text` at `path`, at once, whether there is a file or not; everybody may read a new one, as programs that collect
/// metrics have to.
///
/// A reader sees the old text or the new one, and no file beside it whose name ends as that of `path`.
func writeFile(at path: String, _ text: String) throws {
  let target: String
  if case .failure(let error) = fileStatus(path), error.number == ENOENT {
    target = path
  } else {
    target = try resolvedPath(path)
  }
  let slash = target.lastIndex(of: "/")
  let name = slash.map { String(target[target.index(after: $0)...]) } ?? target
  let parent = slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
  let folder = try Descriptor(parent, flags: O_RDONLY | O_DIRECTORY, path: path)
  let draft = ".\(name).portcullis-new"
  _ = umask(0o022)
  try folder.remove(draft)
  do {
    let file = try Descriptor(
      draft, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644, in: folder.number, path: path)
    try file.write(Array(text.utf8))
    if let old = try folder.status(of: name) {
      guard old.kind == .regular else { throw OutputError(description: "\(path): this is no file") }
      try file.setAccess(of: old)
    }
    try file.synchronize()
    try folder.rename(draft, to: name)
    try folder.synchronize()
  } catch {
    try? folder.remove(draft)
    throw error
  }
}

/// Returns the text of the file at `path`, or nothing if it cannot be read.
func textIfReadable(at path: String) -> String? {
  guard let file = try? Descriptor(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY, path: path),
    let bytes = try? file.bytes(atMost: 64 << 20)
  else { return nil }
  return String(decoding: bytes, as: UTF8.self)
}
