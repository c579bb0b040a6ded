import Support
import Testing

/// The laboratory itself, with rulesets written by hand: one that always says "open", or "closed", would be caught.
@Suite struct LabTests {
  /// A web server with two interfaces, where everything that the file says is as it says under `Rules.selective`.
  static let selective = """
    host web1
    link eth0 192.0.2.10/24 2001:db8::10/64 fe80::10/64
    link eth1 10.0.0.10/8
    link docker0 172.17.0.1/16
    forward
    peer client on eth0 203.0.113.9 2001:db8:10::9 192.0.2.66 192.0.2.77 192.0.2.78 fe80::9
    peer inside on eth1 10.8.0.3
    peer container on docker0 172.17.0.2
    listen web1 8443/tcp 22/tcp 53/udp
    listen web1 5432/tcp at 10.0.0.10
    listen container 80/tcp
    listen client 80/tcp
    translate 8081/tcp to 172.17.0.2 80

    # from within, and to within
    from web1 127.0.0.1,::1 to 127.0.0.1,::1 22/tcp,53/udp                open
    from web1 192.0.2.10 to 203.0.113.9 80/tcp                            open
    # redirected, and the listening port
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 443/tcp     open at 8443
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 8443/tcp    silent
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 53/udp      open
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 echo-request/icmp   open
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 3868/sctp   arrives
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 3869/sctp   closed
    from client 203.0.113.9 to 192.0.2.10 timestamp-request/icmp          closed
    # refusals
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 23/tcp      refused with reset
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 24/tcp,24/udp   refused with admin
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 25/udp      refused with port
    # sources and interfaces
    from client 192.0.2.66 to 192.0.2.10 443/tcp,53/udp                   closed
    from inside 10.8.0.3 to 10.0.0.10 5432/tcp                            open
    from client 10.8.0.3 spoofed to 10.0.0.10 5432/tcp                    closed
    from client 203.0.113.200,2001:db8:10::200 spoofed to 192.0.2.10,2001:db8::10 443/tcp arrives at 8443
    from client 203.0.113.200 spoofed to 192.0.2.10 53/udp,3868/sctp      arrives
    # somebody else's translation
    from client 203.0.113.9 to 192.0.2.10 8081/tcp                        closed
    from inside 10.8.0.3 to 10.0.0.10 8081/tcp                            open at 172.17.0.2 80
    # broadcast, multicast, link-local
    from client 203.0.113.9 to 192.0.2.255,255.255.255.255,224.0.0.251 5353/udp,5354/udp closed
    from client 203.0.113.9 to 192.0.2.255,255.255.255.255,224.0.0.251 5355/udp  arrives
    from client fe80::9 to ff02::fb 5355/udp                              arrives
    from client fe80::9 to ff02::fb 5353/udp                              closed
    from client fe80::9 port 547 to fe80::10 546/udp                      arrives
    from client fe80::9 to fe80::10 546/udp                               closed
    from client fe80::9 to fe80::10 neighbour-solicitation/icmp,router-advertisement/icmp   arrives
    # segments out of nowhere
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 443/tcp flags SF    closed
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 443/tcp flags none  closed
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 443/tcp flags R     closed
    # a limit per source
    from client 192.0.2.77 to 192.0.2.10 22/tcp times 20                  4..6
    from client 192.0.2.78 to 192.0.2.10 22/tcp times 3                   3..3
    from client 192.0.2.77 to 192.0.2.10 22/tcp                           closed
    # what was established goes on
    from client 203.0.113.9 to 192.0.2.10 443/tcp                         open at 8443 hold first
    from client 2001:db8:10::9 to 2001:db8::10 53/udp                     open
    from client 203.0.113.9 to 192.0.2.10 too-big/icmp about first        arrives
    from client 203.0.113.9 to 192.0.2.10 too-big/icmp about nothing      closed
    reload
    held first alive
    load closed
    held first alive
    from client 203.0.113.9,2001:db8:10::9 to 192.0.2.10,2001:db8::10 443/tcp     closed
    load severed
    held first cut
    """

  @Test(arguments: RulesetKind.allCases)
  func `sees what a selective ruleset does`(kind: RulesetKind) throws {
    let lab = try Lab(parsing: LabTests.selective, file: "selective.lab")
    let report = try runLab(
      lab, ruleset: Rules.selective(kind),
      others: ["closed": Rules.closed(kind), "severed": Rules.severed(kind)])
    #expect(report.discrepancies.isEmpty, Comment(rawValue: report.text))
    #expect(report.probes == 90)
  }

  @Test(arguments: RulesetKind.allCases)
  func `finds everything open without rules`(kind: RulesetKind) throws {
    let lab = try Lab(parsing: LabTests.matrix, file: "matrix.lab")
    let report = try runLab(lab, ruleset: Rules.open(kind))
    #expect(report.discrepancies.map(\.line) == LabTests.lines(after: "closed:"), Comment(rawValue: report.text))
  }

  @Test(arguments: RulesetKind.allCases)
  func `finds everything closed behind a wall`(kind: RulesetKind) throws {
    let lab = try Lab(parsing: LabTests.matrix, file: "matrix.lab")
    let report = try runLab(lab, ruleset: Rules.wall(kind))
    #expect(report.discrepancies.map(\.line) == LabTests.lines(after: "open:"), Comment(rawValue: report.text))
  }

  /// Every kind of packet, first said to be open and then said to be closed.
  static let matrix = """
    host web1
    link eth0 192.0.2.10/24 2001:db8::10/64
    peer client on eth0 203.0.113.9 2001:db8:10::9
    listen web1 443/tcp 53/udp
    # open:
    from client 203.0.113.9 to 192.0.2.10 443/tcp               open
    from client 2001:db8:10::9 to 2001:db8::10 443/tcp          open
    from client 203.0.113.9 to 192.0.2.10 53/udp                open
    from client 2001:db8:10::9 to 2001:db8::10 53/udp           open
    from client 203.0.113.9 to 192.0.2.10 echo-request/icmp     open
    from client 2001:db8:10::9 to 2001:db8::10 echo-request/icmp open
    from client 203.0.113.9 to 192.0.2.10 3868/sctp             arrives
    from client 2001:db8:10::9 to 2001:db8::10 3868/sctp        arrives
    from client 203.0.113.8 spoofed to 192.0.2.10 443/tcp       arrives
    from client 203.0.113.9 to 192.0.2.255 5353/udp             arrives
    from client 203.0.113.9 to 224.0.0.251 5353/udp             arrives
    from client 2001:db8:10::9 to ff02::fb 5353/udp             arrives
    from client 203.0.113.9 to 192.0.2.10 443/tcp times 10      10..10
    # closed:
    from client 203.0.113.9 to 192.0.2.10 443/tcp               silent
    from client 2001:db8:10::9 to 2001:db8::10 443/tcp          closed
    from client 203.0.113.9 to 192.0.2.10 53/udp                closed
    from client 2001:db8:10::9 to 2001:db8::10 53/udp           silent
    from client 203.0.113.9 to 192.0.2.10 echo-request/icmp     silent
    from client 2001:db8:10::9 to 2001:db8::10 echo-request/icmp silent
    from client 203.0.113.9 to 192.0.2.10 3868/sctp             closed
    from client 2001:db8:10::9 to 2001:db8::10 3868/sctp        closed
    from client 203.0.113.8 spoofed to 192.0.2.10 443/tcp       closed
    from client 203.0.113.9 to 192.0.2.255 5353/udp             closed
    from client 203.0.113.9 to 224.0.0.251 5353/udp             closed
    from client 2001:db8:10::9 to ff02::fb 5353/udp             closed
    from client 203.0.113.9 to 192.0.2.10 443/tcp times 10      0..0
    """

  /// Returns the numbers of the lines of `matrix` after the comment `heading`, to the next one.
  static func lines(after heading: String) -> [Int] {
    let lines = matrix.split(separator: "\n", omittingEmptySubsequences: false)
    guard let start = lines.firstIndex(where: { $0.hasSuffix(heading) }) else { return [] }
    return lines.indices.filter { $0 > start }.prefix { !lines[$0].hasPrefix("#") }.map { $0 + 1 }
  }

  @Test func `judges a router`() throws {
    let lab = try Lab(
      parsing: """
        host gw1
        link eth0 198.51.100.1/24 2001:db8::1/64
        link eth1 10.0.0.1/8 fd00::1/64
        forward
        peer world on eth0 203.0.113.9 2001:db8:10::9
        peer web1 on eth1 10.0.0.10 fd00::10
        peer web2 on eth1 10.0.0.11
        listen world 80/tcp 53/udp
        listen web1 8443/tcp
        listen web2 8443/tcp
        from web1 10.0.0.10 to 203.0.113.9 80/tcp,53/udp,echo-request/icmp   open seen from 198.51.100.1
        from web1 fd00::10 to 2001:db8:10::9 80/tcp                          open
        from world 203.0.113.9 to 198.51.100.1 443/tcp                       open at 10.0.0.10 8443
        from world 203.0.113.9 to 10.0.0.10,10.0.0.11 8443/tcp               closed
        from world 2001:db8:10::9 to fd00::10 8443/tcp                       refused with admin
        """, file: "router.lab")
    let report = try runLab(lab, ruleset: Rules.router)
    #expect(report.discrepancies.isEmpty, Comment(rawValue: report.text))
    let open = try runLab(lab, ruleset: Rules.open(.nftables))
    #expect(open.discrepancies.map(\.line) == [11, 11, 11, 13, 14, 14, 15], Comment(rawValue: open.text))
  }

  @Test(arguments: [
    ("host a\nfrom b 192.0.2.1 to 192.0.2.2 1/tcp open", "lab:2: `b` is neither the host nor a peer above"),
    ("host a\nlink eth0 192.0.2.1\n", "lab:2: `192.0.2.1` is no address with a prefix length"),
    (
      "host a\nfrom a 127.0.0.1 to ::1 1/tcp open",
      "lab:2: the sources and the destinations are not of the same families"
    ),
    ("host a\nfrom a 127.0.0.2 spoofed to 127.0.0.1 1/tcp open", "lab:2: a has 127.0.0.2: not spoofed"),
    ("host a\nfrom a 192.0.2.1 to 127.0.0.1 1/tcp open", "lab:2: a does not have 192.0.2.1"),
    ("host a\nfrom a 127.0.0.1 to 127.0.0.1 1/tcp perhaps", "lab:2: `perhaps` is no expectation"),
    ("host a\nfrom a 127.0.0.1 to 127.0.0.1 99999/tcp open", "lab:2: `99999/tcp` is no port with a protocol"),
    ("host a\nheld x maybe", "lab:2: `alive` or `cut` is wanted, not `maybe`"),
    ("host a\nforward now", "lab:2: `now` is too much"),
    ("link eth0", "lab: no line `host NAME`"),
  ])
  func `refuses a laboratory that it does not understand`(text: String, message: String) {
    #expect { try Lab(parsing: text) } throws: { "\($0)" == message }
  }

  @Test func `says what a loading program refuses`() throws {
    let lab = try Lab(parsing: "host a\nlink eth0 192.0.2.1/24")
    #expect { try runLab(lab, ruleset: .nftables(["table inet x { chain y { nonsense } }"])) } throws: {
      "\($0)".contains("nonsense")
    }
  }

  @Test(arguments: RulesetKind.allCases)
  func `reloads and relists rulesets`(kind: RulesetKind) throws {
    let faults = try Rules.selective(kind).textualFaults()
    #expect(faults.isEmpty, Comment(rawValue: faults.joined(separator: "\n")))
  }

  @Test func `sees packets that are judged wrongly while rulesets change`() throws {
    let lab = try Lab(
      parsing: "host web1\nlink eth0 192.0.2.10/24\npeer client on eth0 203.0.113.9\n", file: "flood.lab")
    func rules(_ port: Int) -> Ruleset {
      .nftables([
        """
        table inet lab
        delete table inet lab
        table inet lab {
          chain input {
            type filter hook input priority 0; policy accept;
            iif != lo udp dport != \(port) drop
          }
        }

        """
      ])
    }
    let steady = try flood(lab, replacing: [rules(7001)], open: 7001, closed: 7002, count: 5000)
    #expect(steady.loads > 1 && steady.lost < 100, "\(steady)")
    let swapping = try flood(lab, replacing: [rules(7001), rules(7002)], open: 7001, closed: 7002, count: 5000)
    #expect(swapping.lost > 100 && swapping.admitted > 100, "\(swapping)")
  }

  @Test func `finds a ruleset that is not stable`() throws {
    // A second load adds the rule once more.
    let growing = "table inet x { chain input { type filter hook input priority 0; tcp dport 1 accept; }; }\n"
    #expect(try Ruleset.nftables([growing]).textualFaults().count == 1)
  }
}
