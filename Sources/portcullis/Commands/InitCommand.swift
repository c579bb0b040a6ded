import ArgumentParser
import Glibc
import Reports

/// `portcullis init`.
struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Write a small policy to start from.",
    discussion: """
      Writes main.port to the folder, which is made if it is missing; a file that is there is never overwritten.

      Example:
        portcullis init && portcullis check
      """)

  @Argument(help: "The folder.", completion: .directory)
  var folder = "policies"

  func run() throws {
    let path = folder.hasSuffix("/") ? folder + "main.port" : folder + "/main.port"
    if case .failure(let error) = fileStatus(folder) {
      guard error.number == ENOENT else { throw error }
      let parts = folder.split(separator: "/", omittingEmptySubsequences: true)
      let parent = (folder.hasPrefix("/") ? "/" : "") + parts.dropLast().joined(separator: "/")
      try Descriptor(parent.isEmpty ? "." : parent, flags: O_RDONLY | O_DIRECTORY, path: folder)
        .makeFolder(String(parts.last ?? ""))
    }
    let parent = try Descriptor(folder, flags: O_RDONLY | O_DIRECTORY, path: folder)
    let file = try Descriptor(
      "main.port", flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o666, in: parent.number, path: path)
    do {
      try file.write(Array(InitCommand.policy.utf8))
    } catch {
      try? parent.remove("main.port")
      throw error
    }
    try Terminal.print("\(printable(path))\n")
  }

  /// The policy that is written.
  static let policy = """
    # A policy says who may connect to what. What no line exposes stays closed.
    # Next: portcullis check, then portcullis compile --host web1 --to nftables

    policy "first steps" {
      deny with  drop
    }

    owner web-team {
      contact   "web@example.com"
    }

    # Where people and machines are. `internet` is built in.
    zone office {
      203.0.113.0/24, 2001:db8:10::/48
    }

    service website {
      owner   web-team
      purpose "The public web site"
      port    8443/tcp
      # People connect to 443; the process listens on 8443, which stays closed.
      expose  to internet as 443/tcp
    }

    service ssh {
      owner   web-team
      purpose "Administration"
      port    22/tcp
      expose  to office
    }

    host web1 {
      address   192.0.2.10, 2001:db8::10
      runs      website, ssh
    }

    # Proved whenever the policy is checked.
    never internet to 22/tcp except office

    """
}
