import Deploy
import Firewalls
import Netlink
import Nftables
import Packets
import Reports
import Support
import Syntax
import Testing

/// How what is watched is written.
@Suite struct WatchReportTests {
  /// A status with all that there can be.
  private func status() throws -> Status {
    let host = try Watched(StatusTests.site)
    let wanted = NftablesBackend.table(for: host.firewall, sources: host.sources).0
    var live = StatusTests.live(wanted) { name in
      switch name {
      case "web site/policy.port:4": 12
      case "block site/policy.port:20": 7
      case "chain refuse": 9
      case "chain when2": 3
      default: 0
      }
    }
    // A line that a former policy had.
    let gone = LiveRule(
      handle: 99, rule: Rule([.counter, .verdict(.accept)], comment: "gone old\"\\.port:3"),
      counts: [Count(packets: 5, bytes: 300)])
    for i in live.chains.indices where live.chains[i].name == "host" { live.chains[i].rules.insert(gone, at: 0) }
    var status = Status(
      host.firewall, of: host.policy, sources: host.sources, wanted: wanted, live: live, fingerprint: nil,
      on: Watched.today)
    status.refusals = RefusedTraffic(
      log: "portcullis refused: IN=eth0 SRC=198.51.100.7 PROTO=TCP DPT=22", of: host.policy, on: host.firewall)
    status.pending = 41_500
    return status
  }

  private func audit() throws -> Audit {
    let host = try Watched(StatusTests.site)
    return Audit(
      host.firewall, of: host.policy, sources: host.sources,
      listeners: [
        Listener(.tcp, ip("::"), port: 443, process: 10, processName: "nginx"),
        Listener(.tcp, ip("0.0.0.0"), port: 9999, user: 33, process: 20, processName: "e\"vil\\"),
        Listener(.udp, ip("127.0.0.1"), port: 323, user: 5),
      ], facts: HostFacts(), on: Watched.today)
  }

  @Test func `status stays as it is`() throws {
    let report = StatusReport(try status(), endingWithin: 30)
    expectGolden(report.text(color: false), at: golden("status.text"))
    expectGolden(report.json, at: golden("status.json"))
    expectGolden(report.prometheus, at: golden("status.prom"))
    #expect(report.text(color: true).replacing(/\u{1b}\[[0-9;]*m/, with: "") == report.text(color: false))
  }

  @Test func `audit stays as it is`() throws {
    let report = AuditReport(try audit())
    expectGolden(report.text(color: false), at: golden("audit.text"))
    expectGolden(report.json, at: golden("audit.json"))
    expectGolden(report.prometheus, at: golden("audit.prom"))
    #expect(report.text(color: true).replacing(/\u{1b}\[[0-9;]*m/, with: "") == report.text(color: false))
  }

  @Test func `metrics are as Prometheus wants them`() throws {
    let host = try Watched(StatusTests.site)
    let empty = Status(
      host.firewall, of: host.policy, sources: host.sources,
      wanted: NftablesBackend.table(for: host.firewall, sources: host.sources).0, live: nil, fingerprint: nil,
      on: Watched.today)
    for text in [
      StatusReport(try status(), endingWithin: 30).prometheus, AuditReport(try audit()).prometheus,
      StatusReport(empty, endingWithin: 30).prometheus,
    ] {
      let result = try run(["promtool", "check", "metrics"], input: text)
      #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)\(result.output)")
    }
    let bad = try run(["promtool", "check", "metrics"], input: "# TYPE a_total gauge\na_total 1\n")
    #expect(bad.status != 0)
  }
}
