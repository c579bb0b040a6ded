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

/// What a policy wants of a host, and how it is proved that a ruleset does it.
struct WantedRuleset {
  /// The host's firewall.
  let firewall: Firewall

  /// The ruleset.
  let table: Table

  /// The one who proves.
  let prover: Prover

  /// Works out what `firewall` wants; what nftables cannot express ends the run.
  init(_ firewall: Firewall, of pipeline: Pipeline) throws {
    let (table, diagnostics) = NftablesBackend.table(for: firewall, sources: pipeline.sources)
    if diagnostics.contains(where: { $0.severity == .error }) {
      let report = FindingsReport(
        version: Portcullis.version, sources: pipeline.sources, diagnostics: diagnostics)
      Terminal.say(render(report, as: .text, color: Terminal.hasColors))
      throw ExitCode.found
    }
    self.firewall = firewall
    self.table = table
    prover = Prover(firewall)
    try prove(table)
  }

  /// Throws unless `ruleset` does what the policy says, for every packet.
  func prove(_ ruleset: Table) throws {
    let proof = prover.prove(Script([.define(ruleset)]))
    guard !proof.holds else { return }
    if let difference = proof.difference {
      throw UnprovedRuleset(
        description:
          "the ruleset would not do what the policy says: of \(difference.packet), the policy says \(difference.policy), "
          + "the ruleset \(difference.files); nothing judges by it. This is a fault of portcullis: please report it.")
    }
    throw UnprovedRuleset(
      description:
        "the ruleset cannot be proved to do what the policy says: \(proof.failure ?? ""); nothing judges by it")
  }
}

/// A ruleset is not proved to do what it should.
struct UnprovedRuleset: Error, CustomStringConvertible {
  /// Why.
  let description: String
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
