import Deploy
import Firewalls
import Nftables
import Packets
import Support
import Syntax
import Testing

/// What a live table counted, line by line.
@Suite struct StatusTests {
  static let site = """
    owner team { contact "team@example.net" }
    zone lan { 10.0.0.0/8 }
    service web { owner team; purpose "Shop"; port 443/tcp
      expose to internet
      expose to lan
    }
    service api { owner team; purpose "API"; port 8443/tcp
      expose to lan limit 10/second
    }
    service db { owner team; purpose "Data"; port 5432/tcp
      expose to 10.1.0.0/16 until 2026-12-05 because "migration"
    }
    service old { owner team; purpose "Old"; port 5433/tcp
      expose to 10.1.0.0/16 until 2026-12-05 because "migration"
    }
    service ssh { owner team; purpose "Shell"; port 22/tcp
      expose to lan
      expose to 10.2.0.0/16
    }
    block 10.9.0.0/16
    host web1 { address 192.0.2.10; runs web; runs api; runs db; runs old; runs ssh }
    """

  /// Returns the live table that `table` makes, whose entries counted what `packets` says of their comments, and whose
  /// other counters counted what it says of their chains.
  static func live(_ table: Table, generation: UInt32 = 1, _ packets: (String) -> UInt64) -> LiveTable {
    let table = table.canonical
    func count(_ name: String) -> Count { Count(packets: packets(name), bytes: 60 * packets(name)) }
    return LiveTable(
      table.name, handle: 1, generation: generation,
      chains: table.chains.enumerated().map { i, chain in
        LiveChain(
          chain.name, handle: UInt64(i), hook: chain.hook,
          rules: chain.rules.enumerated().map { j, rule in
            LiveRule(
              handle: UInt64(j), rule: rule,
              counts: rule.statements.filter { $0 == .counter }.map { _ in count(rule.comment ?? "chain \(chain.name)")
              })
          })
      },
      sets: table.sets.enumerated().map { i, set in
        var definition = set
        definition.elements = []
        return LiveSet(
          definition, handle: UInt64(i), elements: set.elements,
          counts: set.counts ? set.elements.map { count($0.comment ?? "") } : [])
      })
  }

  /// Returns the status of the policy `text`, whose table counted what `packets` says; the table is that of the policy
  /// `loaded` if there is one.
  private func status(
    _ text: String = StatusTests.site, loaded: String? = nil, on day: CalendarDate = Watched.today,
    _ packets: (String) -> UInt64
  ) throws -> Status {
    let host = try Watched(text)
    let other = try loaded.map { try Watched($0) } ?? host
    let wanted = NftablesBackend.table(for: host.firewall, sources: host.sources).0
    let table = NftablesBackend.table(for: other.firewall, sources: other.sources).0
    return Status(
      host.firewall, of: host.policy, sources: host.sources, wanted: wanted,
      live: StatusTests.live(table, packets), fingerprint: nil, on: day)
  }

  private func line(_ status: Status, _ number: Int) throws -> Status.Line {
    try #require(status.lines.first { $0.location.line == number })
  }

  @Test func `counters lead back to lines`() throws {
    let status = try status { name in
      switch name {
      case "web site/policy.port:4": 12
      case "ssh site/policy.port:17": 3
      case "block site/policy.port:20": 7
      case "chain refuse": 9
      case "chain invalid": 2
      default: 0
      }
    }
    #expect(status.isLoaded && status.isCurrent && status.pending == nil && !status.hasLapsed)
    let web = try line(status, 4)
    #expect(web.decided == Count(packets: 12, bytes: 720))
    #expect((web.precision, web.isUnused, web.traffic, web.owner) == (.exact, false, ["443/tcp"], "team"))
    #expect(web.text == "expose to internet")
    #expect(try line(status, 20).decided?.packets == 7)
    #expect(status.refused?.packets == 9)
    #expect(status.invalid?.packets == 2)
    #expect(status.strangers.isEmpty)
  }

  @Test func `what nobody used is told, unless others may have been asked first`() throws {
    let status = try status { $0 == "web site/policy.port:4" ? 12 : 0 }
    // The line for the LAN accepts a part of what that for the Internet does.
    #expect(try line(status, 5).precision == .preceded)
    #expect(try line(status, 5).isUnused == nil)
    #expect(status.unused.map(\.location.line) == [8, 11, 14, 17, 18])
    let quiet = try self.status { _ in 0 }
    #expect(quiet.unused.map(\.location.line) == [4, 5, 8, 11, 14, 17, 18])
  }

  @Test func `lines of a rate or an end share a chain, and may share its counter`() throws {
    let status = try status { name in name.hasPrefix("chain when") ? 5 : 0 }
    // The limit is of `api` alone; both databases end on one day, in one chain.
    let api = try line(status, 8)
    #expect((api.precision, api.decided?.packets) == (.exact, 5))
    for number in [11, 14] {
      let ending = try line(status, number)
      #expect(ending.precision == .shared)
      #expect(ending.decided == nil)
      #expect(ending.isUnused == nil)
    }
  }

  @Test func `what ends soon is told`() throws {
    let status = try status { _ in 0 }
    #expect(status.lapsing(within: 11).isEmpty)
    #expect(status.lapsing(within: 12).map(\.location.line) == [11, 14])
    let last = try self.status(on: CalendarDate("2026-12-05") ?? Watched.today) { _ in 0 }
    #expect(last.lapsing(within: 0).map(\.daysLeft) == [1, 1])
    let past = try self.status(on: CalendarDate("2026-12-06") ?? Watched.today) { _ in 0 }
    #expect(past.lapsing(within: 30).isEmpty)
    #expect(try line(past, 11).daysLeft == 0)
  }

  @Test func `lines that moved keep their numbers`() throws {
    let moved = "# A comment.\n\n" + StatusTests.site
    let status = try status(moved, loaded: StatusTests.site) { $0 == "web site/policy.port:4" ? 12 : 0 }
    #expect(status.isCurrent)
    #expect(try line(status, 6).decided?.packets == 12)
    #expect(status.strangers.isEmpty)
  }

  @Test func `counts of lines that are gone are told as such`() throws {
    let old = StatusTests.site.replacing("port 22/tcp", with: "port 2222/tcp")
    let status = try status(StatusTests.site, loaded: old) { $0 == "ssh site/policy.port:17" ? 4 : 0 }
    #expect(!status.isCurrent)
    // The line has the number of one in the kernel's rules, and is taken for it.
    #expect(try line(status, 17).decided?.packets == 4)
    let gone = StatusTests.site.replacing("  expose to lan\n  expose to 10.2", with: "  expose to 10.2")
    let later = try self.status(gone, loaded: StatusTests.site) { $0 == "ssh site/policy.port:17" ? 4 : 0 }
    #expect(later.strangers.map(\.comment).contains("block site/policy.port:20") == false)
    #expect(later.lines.allSatisfy { $0.subject != "ssh" || $0.decided != nil })
  }

  @Test func `without a table nothing is known`() throws {
    let host = try Watched(StatusTests.site)
    let status = Status(
      host.firewall, of: host.policy, sources: host.sources,
      wanted: NftablesBackend.table(for: host.firewall, sources: host.sources).0, live: nil, fingerprint: nil,
      on: Watched.today)
    #expect(!status.isLoaded && !status.isCurrent)
    #expect(status.lines.allSatisfy { $0.precision == .absent && $0.isUnused == nil && $0.decided == nil })
    #expect(status.refused == nil)
  }

  @Test func `the log tells zones and ports`() throws {
    let host = try Watched(Watched.site)
    let log = """
      [1.0] portcullis refused: IN=eth0 OUT= MAC=00 SRC=198.51.100.7 DST=192.0.2.10 LEN=60 TTL=64 PROTO=TCP SPT=4000 DPT=22 SYN
      [1.1] portcullis refused: IN=eth0 OUT= MAC=00 SRC=198.51.100.7 DST=192.0.2.10 LEN=60 TTL=64 PROTO=TCP SPT=4001 DPT=22 SYN
      [1.2] portcullis refused: IN=eth1 OUT= SRC=10.0.0.7 DST=10.0.0.10 LEN=60 PROTO=UDP SPT=4001 DPT=161 LEN=40
      [1.3] portcullis refused: IN=eth0 OUT= SRC=10.0.0.7 DST=10.0.0.10 LEN=60 PROTO=UDP SPT=4001 DPT=161 LEN=40
      [1.4] portcullis blocked web: IN=eth0 SRC=2001:0db8:0010:0000:0000:0000:0000:0007 DST=2001:0db8::10 PROTO=ICMPv6 TYPE=128 CODE=0
      [1.5] portcullis accepted web: IN=eth0 SRC=198.51.100.7 DST=192.0.2.10 PROTO=TCP SPT=1 DPT=443
      [1.6] portcullis refused: IN=eth0 SRC=nonsense PROTO=TCP DPT=22
      [1.7] portcullis refused: IN=eth0 SRC=198.51.100.8 DST=192.0.2.10 PROTO=47
      [1.8] eth0: link up
      """
    let traffic = RefusedTraffic(log: log, of: host.policy, on: host.firewall)
    #expect((traffic.lines, traffic.unreadable) == (7, 1))
    #expect(
      traffic.rows.map { "\($0.packets) \($0.zones.joined(separator: "+")) \($0.traffic) \($0.source)" } == [
        "2 internet 22/tcp 198.51.100.7", "1 internet 161/udp 10.0.0.7", "1 internet protocol 47 198.51.100.8",
        "1 lan 161/udp 10.0.0.7", "1 office echo-request/icmpv6 2001:db8:10::7",
      ])
  }
}
