import Glibc

// The system calls that the program makes, each behind a safe face. C takes texts and memory by pointer, so this is
// the one file of the program that says `unsafe`: every pointer here lives no longer than the call that takes it.

/// What a system call says when it fails (errno(3)).
struct SystemError: Error, CustomStringConvertible {
  /// The number of the error.
  let number: Int32

  /// What the call was about.
  let path: String

  /// Creates the error that the last call left behind.
  init(_ path: String) {
    number = errno
    self.path = path
  }

  /// The words that the C library has for the error.
  var reason: String {
    guard let text = unsafe strerror(number) else { return "error \(number)" }
    return unsafe String(cString: text)
  }

  /// The path and what is wrong with it.
  var description: String { "\(path): \(reason)" }
}

/// What tells a file from every other.
struct FileIdentity: Hashable {
  /// The device that it is on.
  var device: UInt64
  /// Its number on the device.
  var inode: UInt64
}

/// What is known of a file without reading it.
struct FileStatus {
  /// What kind of file it is.
  enum Kind { case regular, folder, link, other }

  /// The kind.
  var kind: Kind
  /// The number of bytes.
  var size: Int
  /// Who may do what with it.
  var mode: mode_t
  /// The user that it belongs to.
  var user: uid_t
  /// The group that it belongs to.
  var group: gid_t
  /// Which file it is.
  var identity: FileIdentity

  /// Creates the status that the kernel reports.
  fileprivate init(_ s: stat) {
    kind =
      switch s.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .folder
      case S_IFLNK: .link
      default: .other
      }
    size = Int(s.st_size)
    mode = s.st_mode & 0o7777
    user = s.st_uid
    group = s.st_gid
    identity = FileIdentity(device: UInt64(s.st_dev), inode: UInt64(s.st_ino))
  }
}

/// An open file or folder, which is closed when it goes out of scope.
struct Descriptor: ~Copyable {
  /// The number by which the kernel knows it.
  let number: Int32

  /// The path by which a person knows it.
  let path: String

  /// Opens `name`, which is below `folder` if one is given.
  init(_ name: String, flags: Int32, mode: mode_t = 0, in folder: Int32 = AT_FDCWD, path: String) throws(SystemError) {
    var n: Int32
    repeat { n = unsafe openat(folder, name, flags | O_CLOEXEC, mode) } while n < 0 && errno == EINTR
    if n < 0 { throw SystemError(path) }
    number = n
    self.path = path
  }

  /// Takes over the open file `number`.
  fileprivate init(number: Int32, path: String) {
    self.number = number
    self.path = path
  }

  deinit { _ = close(number) }

  /// What the kernel knows of the file.
  func status() throws(SystemError) -> FileStatus {
    var s = stat()
    if unsafe fstat(number, &s) != 0 { throw SystemError(path) }
    return FileStatus(s)
  }

  /// Returns the bytes from the current position to the end, or nothing if there are more than `limit`.
  func bytes(atMost limit: Int) throws(SystemError) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(min(limit, (try? status().size) ?? 0) + 1)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let n = unsafe read(number, &buffer, buffer.count)
      if n < 0, errno == EINTR { continue }
      if n < 0 { throw SystemError(path) }
      if n == 0 { return result }
      result += buffer[..<n]
      if result.count > limit { return nil }
    }
  }

  /// Writes all of `bytes`.
  func write(_ bytes: [UInt8]) throws(SystemError) { try portcullis.write(bytes, to: number, path: path) }

  /// Returns when what was written is on the disk.
  func synchronize() throws(SystemError) {
    // Some file systems know no such thing for folders, and say so.
    if fsync(number) != 0, errno != EINVAL, errno != EROFS { throw SystemError(path) }
  }

  /// Gives the file the owner and the permissions that `other` has.
  func setAccess(of other: FileStatus) throws(SystemError) {
    let own = try status()
    // The owner first: to change it takes permissions away.
    if (own.user, own.group) != (other.user, other.group), fchown(number, other.user, other.group) != 0 {
      throw SystemError(path)
    }
    if fchmod(number, other.mode) != 0 { throw SystemError(path) }
  }

  /// Returns `true` iff no other process has locked the file; it is now locked until it is closed.
  func lock() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK }

  /// Returns the names in the folder, sorted, and whether there were names that are no UTF-8, which are left out.
  func names() throws(SystemError) -> (names: [String], hasOthers: Bool) {
    let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else { throw SystemError(path) }
    guard let stream = unsafe fdopendir(copy) else {
      defer { _ = close(copy) }
      throw SystemError(path)
    }
    defer { unsafe _ = closedir(stream) }
    unsafe rewinddir(stream)
    var names: [String] = []
    var hasOthers = false
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        if errno != 0 { throw SystemError(path) }
        break
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        unsafe tuple.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(validatingCString: $0) }
      }
      guard let name else {
        hasOthers = true
        continue
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return (names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }, hasOthers)
  }

  /// Returns what the kernel knows of `name` in the folder, or nothing if it is not there; links are not followed.
  func status(of name: String) throws(SystemError) -> FileStatus? {
    var s = stat()
    if unsafe fstatat(number, name, &s, AT_SYMLINK_NOFOLLOW) == 0 { return FileStatus(s) }
    if errno == ENOENT { return nil }
    throw SystemError("\(path)/\(name)")
  }

  /// Makes the folder `name` in the folder.
  func makeFolder(_ name: String) throws(SystemError) {
    if unsafe mkdirat(number, name, 0o777) != 0 { throw SystemError("\(path)/\(name)") }
  }

  /// Gives the file `name` in the folder the name `new`, in place of what may have it.
  func rename(_ name: String, to new: String) throws(SystemError) {
    if unsafe renameat(number, name, number, new) != 0 { throw SystemError("\(path)/\(new)") }
  }

  /// Gives the file `name` in the folder the name `new` in `folder`, in place of what may have it there.
  func rename(_ name: String, to new: String, in folder: borrowing Descriptor) throws(SystemError) {
    if unsafe renameat(number, name, folder.number, new) != 0 { throw SystemError("\(folder.path)/\(new)") }
  }

  /// Removes the file `name` from the folder, or the empty folder `name` if `isFolder`; it may be gone already.
  func remove(_ name: String, isFolder: Bool = false) throws(SystemError) {
    if unsafe unlinkat(number, name, isFolder ? AT_REMOVEDIR : 0) != 0, errno != ENOENT {
      throw SystemError("\(path)/\(name)")
    }
  }
}

/// Returns what the kernel knows of the file at `path`, links followed, or why it knows nothing.
func fileStatus(_ path: String) -> Result<FileStatus, SystemError> {
  var s = stat()
  return unsafe stat(path, &s) == 0 ? .success(FileStatus(s)) : .failure(SystemError(path))
}

/// Returns where `path` leads when all links are followed.
func resolvedPath(_ path: String) throws(SystemError) -> String {
  guard let text = unsafe realpath(path, nil) else { throw SystemError(path) }
  defer { unsafe free(text) }
  return unsafe String(cString: text)
}

/// Writes all of `bytes` to the open file `number`.
func write(_ bytes: [UInt8], to number: Int32, path: String) throws(SystemError) {
  var rest = bytes[...]
  while !rest.isEmpty {
    let n = unsafe rest.withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
    if n < 0, errno == EINTR { continue }
    if n < 0 { throw SystemError(path) }
    rest = rest.dropFirst(n)
  }
}

/// Writes all of `text` to the open file `number`.
func write(_ text: String, to number: Int32, path: String) throws(SystemError) {
  var start = 0
  let utf8 = text.utf8.span
  while start < utf8.count {
    let n = unsafe utf8.extracting(start...).withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
    if n < 0, errno == EINTR { continue }
    if n < 0 { throw SystemError(path) }
    start += n
  }
}

/// Returns what `program`, found as a shell would find it, writes to its standard output when it is run with
/// `arguments`, or nothing if it fails or writes more than `limit` bytes; no shell takes part.
///
/// What it says to standard error is seen, unless the run `isQuiet`.
func output(
  of program: String, _ arguments: [String], atMost limit: Int, isQuiet: Bool = false
) throws(SystemError) -> [UInt8]? {
  let child = try ChildProgram(program, arguments, isQuiet: isQuiet)
  return try child.result(atMost: limit)
}

/// Another program, which runs and reads nothing.
private struct ChildProgram: ~Copyable {
  /// The number by which the kernel knows it.
  private let number: pid_t

  /// What it writes.
  private let output: Descriptor

  /// Starts `program` with `arguments`.
  init(_ program: String, _ arguments: [String], isQuiet: Bool) throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    if unsafe pipe(&ends) != 0 { throw SystemError(program) }
    let reading = Descriptor(number: ends[0], path: program)
    let writing = Descriptor(number: ends[1], path: program)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, writing.number, STDOUT_FILENO)
    if isQuiet { unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) }
    var words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var child: pid_t = 0
    let error = unsafe posix_spawnp(&child, program, &actions, nil, &words, environ)
    if error != 0 {
      errno = error
      throw SystemError(program)
    }
    number = child
    output = reading
  }

  /// Waits for the end; returns what was written, unless the program failed or wrote more than `limit` bytes.
  consuming func result(atMost limit: Int) throws(SystemError) -> [UInt8]? {
    let bytes = try output.bytes(atMost: limit)
    let (number, path) = (number, output.path)
    // Whoever still writes to a pipe that is closed, ends.
    _ = consume self
    var status: Int32 = 0
    while unsafe waitpid(number, &status, 0) < 0 {
      if errno != EINTR { throw SystemError(path) }
    }
    return status == 0 ? bytes : nil
  }
}

/// Returns the value of the environment variable `name`, if it is set and not empty.
func environment(_ name: String) -> String? {
  guard let value = unsafe getenv(name) else { return nil }
  let text = unsafe String(cString: value)
  return text.isEmpty ? nil : text
}

/// The seconds since 1 January 1970, in UTC.
func secondsSinceEpoch() -> Int { time(nil) }

/// The name of this machine.
func machineName() -> String {
  var buffer = [CChar](repeating: 0, count: 256)
  guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
  return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
