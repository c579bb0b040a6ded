import ArgumentParser
import Deploy
import Driver
import Firewalls
import Glibc
import Netlink
import Nftables
import Policies
import Reports
import Syntax

/// What every command takes that looks at a live host.
struct HostOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The host (default: the one that has this machine's name).", valueName: "name"))
  var host: String?

  @Option(help: ArgumentHelp("Where states are kept.", valueName: "dir"), completion: .directory)
  var stateDir = StateFolder.usual

  /// Opens the tables of this machine, or ends the run if that is not permitted.
  static func deployment() -> Deployment {
    do throws(NetlinkError) {
      return Deployment(to: try Kernel())
    } catch {
      Terminal.fail(words(error))
    }
  }

  /// Returns the table as the kernel has it, if it can be read, while the policy is read and judged; who uses it asks whether it
  /// is still so.
  static func earlyReading() -> LiveTable? { try? Deployment(to: Kernel()).live() }

  /// Returns `error` in words, with what to do about it.
  static func words(_ error: NetlinkError) -> String {
    guard error.isLackOfPrivilege else { return error.description }
    return "\(error.description); run it as root, or give it that one capability"
  }

  /// Returns the firewall of the host in `pipeline`, or ends the run if it has no such host.
  func firewall(in pipeline: Pipeline) -> Firewall {
    let name = host ?? machineName()
    if let found = pipeline.firewalls.first(where: { $0.name == name }) { return found }
    if host == nil, let found = pipeline.firewalls.first(where: { $0.name == name.prefix { $0 != "." } }) {
      return found
    }
    let hint = host == nil ? "; say which one with --host NAME" : ""
    Terminal.fail("`\(name)` is no host of the policy\(hint)")
  }
}

extension WantedRuleset {
  /// Works out what `firewall` wants; what nftables cannot express ends the run.
  init(_ firewall: Firewall, of pipeline: Pipeline) throws {
    let (table, diagnostics) = NftablesBackend.table(for: firewall, sources: pipeline.sources)
    if diagnostics.contains(where: { $0.severity == .error }) {
      let report = FindingsReport(
        version: Portcullis.version, sources: pipeline.sources, diagnostics: diagnostics)
      Terminal.say(render(report, as: .text, color: Terminal.hasColors))
      throw ExitCode.found
    }
    try self.init(table, of: firewall)
  }
}

extension Table {
  /// A table that does nothing.
  static let none = Table(Deployment.table)
}

extension LiveTable? {
  /// What judges now, in place of a policy.
  var rules: ForeignRules {
    ForeignRules(
      Script([.define(self?.ruleset ?? .none)]), path: "the kernel's table \(Deployment.table)",
      unknowns: self?.unknowns ?? [])
  }
}

extension StateFolder {
  /// Gives the draft its name if it is what judges for good; a run that was cut short could not.
  ///
  /// - Returns: the number of the state, or nothing if there is none such.
  func adoptDraft(judging live: LiveTable?) throws -> Int? {
    guard let draft = try? draft(), let live, live.pending == nil, live.unknowns.isEmpty,
      draft.table.isLike(live.ruleset)
    else { return nil }
    try confirmDraft()
    return draft.number
  }
}
