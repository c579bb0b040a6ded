public import Firewalls
import Iptables
import Nftables
import Packets
import Policies
import Syntax

/// Rules of whatever origin that stand in place of a policy.
public struct ForeignRules: Sendable {
  /// Who wrote them.
  public enum Format: String, Sendable, CaseIterable {
    /// iptables-save, or what iptables-restore reads.
    case iptables
    /// The same for IPv6.
    case ip6tables
    /// `nft -j list ruleset`.
    case nft
  }

  /// Who wrote them.
  public var format: Format

  /// Where they were.
  public var path: String

  /// The rules.
  public var text: String

  /// Creates rules.
  public init(_ format: Format, path: String, text: String) {
    self.format = format
    self.path = path
    self.text = text
  }

  /// Returns the format and the path that `argument`, such as `iptables:FILE`, names, or nothing if it names a policy.
  public static func place(_ argument: String) -> (format: Format, path: String)? {
    for format in Format.allCases where argument.hasPrefix("\(format.rawValue):") {
      return (format, String(argument.dropFirst(format.rawValue.utf8.count + 1)))
    }
    return nil
  }

  /// Returns what the rules make a host do.
  func read(in universe: Universe) throws(UnreadableRuleset) -> RulesetReading {
    if format == .nft { return try RulesetListing.read(text, in: universe) }
    let family: AddressFamily = format == .iptables ? .ipv4 : .ipv6
    let ruleset: ForeignRuleset
    do throws(BudgetExceeded) { ruleset = try ForeignRuleset(text, family, in: universe) } catch {
      throw UnreadableRuleset(error)
    }
    if let problem = ruleset.problems.first {
      throw UnreadableRuleset(message: "\(path), line \(problem.line): \(problem.words)")
    }
    return RulesetReading(
      ruleset.chains, of: [family], unknowns: ruleset.unknown.map { "\(path), line \($0.line): \($0.words)" })
  }
}

extension Difference {
  /// Returns what changes if `rules` take the place of what `policy` makes of `host`, or the other way round if
  /// `areOld`.
  public static func between(
    _ policy: ComparedPolicy, host: String, and rules: ForeignRules, areOld: Bool
  ) -> Difference {
    var result = Difference()
    result.hosts = 1
    guard let firewall = policy.pipeline.firewalls.first(where: { $0.name == host }) else {
      result.failures = ["`\(host)` is no host of the policy"]
      return result
    }
    do {
      let universe = Universe()
      let meant = try firewall.meaning(in: universe)
      let reading = try rules.read(in: universe)
      result.unknowns = reading.unknowns
      result.families = reading.families.count == 2 ? [] : reading.families.map { $0 == .ipv4 ? "IPv4" : "IPv6" }
      let window = Universe.moments(from: policy.pipeline.today)
      let about = try universe.packets(of: reading.families)
        .intersection(universe.space.set(.time, in: universe.space.values(window, of: .time)))
      let all = try reading.chains.meaning(in: universe).restricted(to: about)
      // First packets of connections over the wire are what a policy is about; of others one word does.
      let first = try universe.new.subtracting(universe.looped)
      let whole = try meant.restricted(to: about)
      let (own, found) = (try whole.restricted(to: first), try all.restricted(to: first))
      let comparison = areOld ? Comparison(found, nil, own, firewall) : Comparison(own, firewall, found, nil)
      let words = FlowWords(old: policy.pipeline.policy, new: policy.pipeline.policy)
      result.rows = try comparison.changes().map { change in
        var (row, packet) = try words.row(
          of: change, in: comparison, on: host, to: firewall.addresses, atMost: 40, in: window, universe)
        let mine = try policy.pipeline.fate(of: packet, own, firewall)
        let (fate, decided) = found.conditionalFate(of: packet)
        let rule = try reading.chains.trace(decided, in: universe).last.map { " (\($0.text))" } ?? ""
        (row.before, row.after) = areOld ? (fate + rule, mine) : (mine, fate + rule)
        if let cause = change.cause {
          row.cause = policy.pipeline.line(of: cause, isNew: areOld)
        } else {
          row.reason = "the rules of \(rules.path) differ"
        }
        return row
      }
      let rest = try whole.differing(from: all).subtracting(first)
      if let packet = try universe.example(of: rest, to: firewall.addresses) {
        var row = Difference.Row(.later, at: "host \(host)")
        row.reason =
          "the rules of \(rules.path) treat packets of known connections, stray ones, or loopback differently"
        row.extent = try words.extent(of: rest, universe)
        row.witness = universe.text(of: packet)
        let (mine, theirs) = (whole.conditionalFate(of: packet).words, all.conditionalFate(of: packet).words)
        (row.before, row.after) = areOld ? (theirs, mine) : (mine, theirs)
        result.rows.append(row)
      }
    } catch let error as UnreadableRuleset {
      result.failures = [error.message]
    } catch let error as BudgetExceeded {
      result.failures = [UnreadableRuleset(error).message]
    } catch let error as EvaluationError {
      result.failures = [error.description]
    } catch {
      result.failures = ["\(error)"]
    }
    return result
  }
}
