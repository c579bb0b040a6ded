import Glibc

/// The processes that have sockets, as far as `/proc` shows them.
struct SocketOwners {
  /// A process.
  struct Owner {
    /// Its number.
    var process: UInt32

    /// Its name, of up to 15 bytes.
    var name: String
  }

  /// The processes by the numbers of the sockets.
  private var owners: [UInt32: Owner] = [:]

  /// The most processes and open files that are looked at.
  private static let mostEntries = 2_000_000

  /// Looks for the owners of the sockets `inodes`.
  init(of inodes: Set<UInt32>) {
    var left = SocketOwners.mostEntries
    for name in SocketOwners.names(in: "/proc", &left) {
      guard let process = UInt32(name), owners.count < inodes.count else { continue }
      for file in SocketOwners.names(in: "/proc/\(name)/fd", &left) {
        guard let inode = SocketOwners.socket("/proc/\(name)/fd/\(file)"), inodes.contains(inode), owners[inode] == nil
        else { continue }
        owners[inode] = Owner(process: process, name: SocketOwners.name(of: process))
      }
    }
  }

  /// Returns the owner of the socket `inode`, if it is known.
  subscript(_ inode: UInt32) -> Owner? { owners[inode] }

  /// Returns the names in `folder` that are numbers, the lowest first; none if it cannot be read.
  private static func names(in folder: String, _ left: inout Int) -> [String] {
    guard let stream = unsafe opendir(folder) else { return [] }
    defer { unsafe _ = closedir(stream) }
    var numbers: [UInt32] = []
    while left > 0, let entry = unsafe readdir(stream) {
      left -= 1
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
      if let number = UInt32(String(decoding: name, as: UTF8.self)) { numbers.append(number) }
    }
    return numbers.sorted().map { String($0) }
  }

  /// Returns the number of the socket that the open file at `path` is, if it is one.
  private static func socket(_ path: String) -> UInt32? {
    var target = [CChar](repeating: 0, count: 64)
    let count = unsafe readlink(path, &target, target.count)
    guard count > 0 else { return nil }
    let text = String(decoding: target[..<count].lazy.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard text.hasPrefix("socket:["), text.hasSuffix("]") else { return nil }
    return UInt32(text.dropFirst(8).dropLast())
  }

  /// Returns the name of `process`, which is empty if it is gone.
  private static func name(of process: UInt32) -> String {
    let file = unsafe open("/proc/\(process)/comm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
    return String(decoding: bytes[..<max(0, count)].prefix { $0 != 10 }, as: UTF8.self)
  }
}
