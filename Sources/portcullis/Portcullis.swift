import ArgumentParser
import Driver
import Glibc
import Netlink
import Nftables

/// The command line.
@main struct Portcullis: AsyncParsableCommand {
  /// The version of the program.
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "portcullis",
    abstract: "One policy in; firewalls and manifests out.",
    discussion: """
      A policy is a file `*.port`, or a folder of them; without a PATH it is the folder `policies`.
      Exit codes: 0 fine; 1 something was found; 2 could not run.

      Example:
        portcullis init && portcullis check && portcullis compile --host web1 --to nftables
      """,
    version: "portcullis \(version)",
    subcommands: [
      InitCommand.self, CheckCommand.self, FmtCommand.self, CompileCommand.self, DiffCommand.self,
      ExplainCommand.self, ChecksCommand.self, PlanCommand.self, ApplyCommand.self, ConfirmCommand.self,
      RollbackCommand.self, VerifyCommand.self, StatusCommand.self, AuditCommand.self, RestoreCommand.self,
    ])

  /// Runs the command that the arguments name.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var working = command as? any AsyncParsableCommand {
        try await working.run()
      } else {
        try command.run()
      }
    } catch let code as ExitCode {
      Glibc.exit(code.rawValue)
    } catch let error as SystemError {
      Terminal.fail(error.description)
    } catch let error as OutputError {
      Terminal.fail(error.description)
    } catch let error as UnprovedRuleset {
      Terminal.fail(error.description)
    } catch let error as NetlinkError {
      Terminal.fail(HostOptions.words(error))
    } catch let error as PlanningError {
      Terminal.fail(error.description)
    } catch let error as ChangeError {
      Terminal.fail(error.description)
    } catch let error as ForeignFileError {
      Terminal.fail(error.description)
    } catch {
      // Help and the version come this way too.
      let message = fullMessage(for: error)
      guard exitCode(for: error).isSuccess else {
        Terminal.say(message + "\n")
        Glibc.exit(ExitCode.notRun.rawValue)
      }
      do { try Terminal.print(message + "\n") } catch { Glibc.exit(ExitCode.notRun.rawValue) }
    }
  }
}

extension ExitCode {
  /// Something was found.
  static let found = ExitCode(1)

  /// The program could not do what it was asked to.
  static let notRun = ExitCode(2)
}
