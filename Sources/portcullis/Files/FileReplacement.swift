import Glibc

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
