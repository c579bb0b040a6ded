import Foundation
import Testing

/// `portcullis diff` tells what changes for packets, and nothing else.
@Suite struct DiffTests {
  private static let owner = "owner a { contact \"a@acme.example\" }\n"
  private static let host = "host h { address 192.0.2.1, 2001:db8::1; interface eth0 in internet; runs web }\n"

  private static func web(_ statements: String) -> String {
    "service web { owner a; purpose \"Web\"; port 8443/tcp; \(statements) }\n"
  }

  /// Returns the answer to the comparison of two policies, as JSON.
  private func difference(
    _ old: String, _ new: String, _ options: String = ""
  ) throws -> (code: Int32, json: [String: Any]) {
    let box = try Sandbox()
    try box.write(Self.owner + old, to: "old.port")
    try box.write(Self.owner + new, to: "new.port")
    let outcome = try box.shell("\"$P\" diff old.port new.port --format json --today 2026-11-22 \(options)")
    #expect(outcome.error == "")
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    return (outcome.code, try #require(json as? [String: Any]))
  }

  private func rows(_ json: [String: Any]) throws -> [[String: Any]] {
    try #require(json["changes"] as? [[String: Any]])
  }

  /// Returns the kind, the flows and the line of each change.
  private func summary(_ json: [String: Any]) throws -> [String] {
    try rows(json).map { row in
      let cause = (row["cause"] as? [String: Any]).map { "\($0["subject"] ?? "") \($0["side"] ?? "")" } ?? "no line"
      return "\(row["kind"] ?? ""): \((row["flows"] as? [String] ?? []).joined(separator: "; ")) by \(cause)"
    }
  }

  @Test func otherTextsOfOneMeaningAreEqual() throws {
    let old = "zone lan { 10.0.0.0/8 }\n" + Self.web("expose to internet as 443/tcp; expose to lan") + Self.host
    let new =
      Self.host + Self.web("expose to upper, lower; expose to internet as 443/tcp")
      + "zone upper { 10.128.0.0/9 }\nzone lower { 10.0.0.0/9 }\n"
    let (code, json) = try difference(old, new, "--exit-code")
    #expect(code == 0)
    #expect(json["equal"] as? Bool == true)
    #expect(try rows(json).isEmpty)
  }

  @Test func whatOpensIsToldWithItsLineAndAWitness() throws {
    let (code, json) = try difference(
      Self.web("expose to 10.0.0.0/8") + Self.host, Self.web("expose to 10.0.0.0/8, 198.51.100.0/24") + Self.host,
      "--exit-code")
    #expect(code == 4)
    #expect(try summary(json) == ["opens: 8443/tcp from 198.51.100.0/24 by web new"])
    let row = try #require(rows(json).first)
    #expect(row["extent"] as? String == "256 IPv4 sources, 1 port")
    let witness = try #require(row["witness"] as? [String: String])
    #expect(witness["packet"] == "tcp from 198.51.100.1:49152 to 192.0.2.1:8443 arriving on eth0")
    #expect(witness["before"] == "drop (nothing exposes it)")
    #expect(witness["after"] == "accept (web, new.port:2:54)")
  }

  @Test func whatClosesHasItsOwnCode() throws {
    let (code, json) = try difference(
      Self.web("expose to 198.51.100.0/24, 203.0.113.0/24") + Self.host,
      Self.web("expose to 203.0.113.0/24") + Self.host,
      "--exit-code")
    #expect(code == 3)
    #expect(try summary(json) == ["closes: 8443/tcp from 198.51.100.0/24 by web old"])
  }

  @Test func aBlockIsTheCauseOfWhatItClosesAndOpens() throws {
    let open = Self.web("expose to 203.0.113.0/24") + Self.host
    let blocked = open + "block 203.0.113.66\n"
    #expect(try summary(difference(open, blocked).json) == ["closes: 8443/tcp from 203.0.113.66 by block new"])
    #expect(try summary(difference(blocked, open).json) == ["opens: 8443/tcp from 203.0.113.66 by block old"])
  }

  @Test func aZoneIsTheCauseIfTheLineStays() throws {
    let rest = Self.web("expose to lan") + Self.host
    let (_, json) = try difference("zone lan { 203.0.113.0/25 }\n" + rest, "zone lan { 203.0.113.0/24 }\n" + rest)
    #expect(try summary(json) == ["opens: 8443/tcp from 203.0.113.128/25 by zone lan new"])
  }

  @Test func translationsAndRatesAreTheirOwnKinds() throws {
    func two(_ public: String) -> String {
      "service web { owner a; purpose \"Web\"; port one 8443/tcp; port two 8444/tcp; \(`public`) }\n" + Self.host
    }
    let (code, json) = try difference(
      two("expose one to internet as 443/tcp"), two("expose two to internet as 443/tcp"), "--exit-code")
    #expect(code == 4)
    #expect(try summary(json) == ["translates: 443/tcp from anywhere by web new"])
    let limited = try difference(
      Self.web("expose to 203.0.113.0/24") + Self.host, Self.web("expose to 203.0.113.0/24 limit 5/second") + Self.host)
    #expect(try summary(limited.json) == ["limits: 8443/tcp from 203.0.113.0/24 by web new"])
  }

  @Test func aLongerExposureIsAChangeFromTheDayOn() throws {
    let (_, json) = try difference(
      Self.web("expose to 203.0.113.0/24 until 2026-12-31") + Self.host,
      Self.web("expose to 203.0.113.0/24 until 2027-01-31") + Self.host)
    #expect(try summary(json) == ["opens: 8443/tcp from 203.0.113.0/24 by web new"])
    // 1 to 31 January.
    #expect(try rows(json).first?["conditions"] as? [String] == ["from 2027-01-01 until the end of 2027-01-31"])
  }

  @Test func whatLapsesIsToldForALaterDay() throws {
    let box = try Sandbox()
    try box.write(
      Self.owner + Self.web("expose to 203.0.113.0/24 until 2026-12-31; expose to 10.0.0.0/8") + Self.host, to: "p.port"
    )
    func then(_ day: String) throws -> Sandbox.Outcome {
      try box.shell("\"$P\" diff --then \(day) --today 2026-11-22 p.port")
    }
    #expect(try then("2026-12-31").code == 0)
    let later = try then("2027-01-01")
    #expect(later.code == 1)
    #expect(later.output.contains("Closes (1 change)"))
    #expect(later.output.contains("- 8443/tcp from 203.0.113.0/24"))
  }

  @Test func aCommitIsReadWithoutTouchingTheFolder() throws {
    let box = try Sandbox()
    try box.write(Self.owner + Self.web("expose to 203.0.113.0/24") + Self.host, to: "policies/p.port")
    _ = try box.shell("git init -q . && git add . && git -c user.name=a -c user.email=a commit -q -m one")
    #expect(try box.portcullis("diff", "--against", "HEAD").output.hasPrefix("Nothing changes: proved"))
    try box.write(Self.owner + Self.web("expose to internet") + Self.host, to: "policies/p.port")
    let before = try box.shell("git status --porcelain")
    let outcome = try box.portcullis("diff", "--against", "HEAD", "--exit-code")
    #expect(outcome.code == 4)
    #expect(outcome.output.contains("+ 8443/tcp from anywhere but 203.0.113.0/24"))
    #expect(try box.shell("git status --porcelain").output == before.output)
    #expect(try box.portcullis("diff", "--against", "nowhere").code == 2)
    #expect(try box.portcullis("diff", "--against=--output=x").code == 2)
  }

  @Test func whatCannotBeComparedIsSaid() throws {
    let box = try Sandbox()
    try box.write(Self.owner, to: "good.port")
    try box.write("service {", to: "bad.port")
    let bad = try box.portcullis("diff", "good.port", "bad.port")
    #expect(bad.code == 2 && bad.output == "" && bad.error.contains("bad.port:1"), "\(bad)")
    #expect(try box.portcullis("diff", "good.port").code == 2)
    #expect(try box.portcullis("diff", "good.port", "good.port", "--host", "h").code == 2)
  }

  @Test func newAndGoneHostsAreToldInFull() throws {
    let policy = Self.web("expose to 203.0.113.0/24")
    let (code, json) = try difference(policy, policy + Self.host, "--exit-code")
    #expect(code == 4)
    #expect(json["addedHosts"] as? [String] == ["h"])
    let opened = [
      "8443/tcp from 203.0.113.0/24 by web", "echo-request/icmp from anywhere (IPv4 only); ",
      "everything that the host sends",
    ]
    let opens = try summary(json)
    #expect(opens.count == 3 && opens.allSatisfy { $0.hasPrefix("opens: ") }, "\(opens)")
    for words in opened { #expect(opens.contains { $0.contains(words) }, "\(words): \(opens)") }
    let reasons = try rows(json).compactMap { $0["reason"] as? String }
    #expect(
      reasons == ["the host is new, and answers echo requests (`ping`)", "the host is new, and its egress is open"])
    let (goneCode, gone) = try difference(policy + Self.host, policy, "--exit-code")
    #expect(goneCode == 3)
    #expect(gone["removedHosts"] as? [String] == ["h"])
    let closes = try summary(gone)
    #expect(closes.count == 3 && closes.allSatisfy { $0.hasPrefix("closes: ") }, "\(closes)")
    for words in opened { #expect(closes.contains { $0.contains(words) }, "\(words): \(closes)") }
  }

  @Test func rulesOfOthersAreComparedWithThePolicy() throws {
    let box = try Sandbox()
    try box.write(Self.owner + Self.web("expose to 203.0.113.0/24") + Self.host, to: "p.port")
    _ = try box.shell("\"$P\" compile p.port --host h --to iptables > own.save")
    let own = try box.portcullis("diff", "p.port", "--host", "h", "iptables:own.save")
    #expect(own.code == 0, "\(own)")
    #expect(own.output.hasPrefix("Nothing changes: proved for every packet of 1 host (IPv4).\n"))

    try box.write(
      """
      *filter
      :INPUT DROP [0:0]
      :FORWARD DROP [0:0]
      :OUTPUT ACCEPT [0:0]
      -A INPUT -i lo -j ACCEPT
      -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A INPUT -p tcp -m tcp --dport 8443 -j ACCEPT
      -A INPUT -p tcp -m tcp --dport 25 -m recent --rcheck --name known -j ACCEPT
      COMMIT

      """, to: "other.save")
    let other = try box.portcullis("diff", "p.port", "--host", "h", "iptables:other.save", "--exit-code")
    #expect(other.code == 4, "\(other)")
    #expect(other.output.contains("+ 8443/tcp from anywhere but 203.0.113.0/24"))
    #expect(other.output.contains("+ 25/tcp from anywhere"))
    #expect(other.output.contains("- echo-request/icmp from anywhere"))
    #expect(other.output.contains("Not known here"))
    #expect(other.output.contains("recent"))

    let listing = try box.shell(
      "\"$P\" compile p.port --host h --to nftables > own.nft && unshare -n sh -c 'nft -f own.nft && nft -j list ruleset' > own.json"
    )
    #expect(listing.code == 0, "\(listing)")
    let live = try box.portcullis("diff", "p.port", "--host", "h", "nft:own.json")
    #expect(live.code == 0 && live.output.hasPrefix("Nothing changes"), "\(live)")

    #expect(try box.portcullis("diff", "p.port", "iptables:own.save").code == 2)
    #expect(try box.portcullis("diff", "p.port", "--host", "h", "iptables:missing").code == 2)
    #expect(try box.portcullis("diff", "p.port", "--host", "h", "nft:own.save").code == 2)
  }

  @Test func aRefusalIsToldWhereARateLetsSomeIn() throws {
    let rest = Self.web("expose to 203.0.113.0/24 limit 5/second") + Self.host
    let (_, json) = try difference("policy { deny with drop }\n" + rest, "policy { deny with reject }\n" + rest)
    let kinds = try rows(json).map { $0["kind"] as? String ?? "" }
    #expect(kinds == ["answers"])
    // What is over the limit is refused, and hears of it now.
    let sources = try rows(json)[0]["extent"] as? String
    #expect(sources?.hasPrefix("2^32 IPv4 sources") == true, "\(sources ?? "")")
  }

  @Test func clustersAreCompared() throws {
    func policy(_ audience: String) -> String {
      """
      zone office { 203.0.113.0/24 }
      service web { owner a; purpose "Web"; port 8443/tcp; expose to office; uses db }
      service db { owner a; purpose "Data"; port 5432/tcp; expose to \(audience) }
      cluster prod {
        pods 10.42.0.0/16
        workload web { namespace shop; pods app=web; publish nodeport 30010 }
        workload db { namespace shop; pods app=db }
      }

      """
    }
    let (same, equal) = try difference(policy("office"), policy("office"), "--exit-code")
    #expect(same == 0)
    #expect(equal["clusters"] as? Int == 1)
    let (code, json) = try difference(policy("office"), policy("office, web"), "--exit-code")
    #expect(code == 4)
    let row = try #require(rows(json).first)
    #expect(row["kind"] as? String == "opens")
    let flows = try #require(row["flows"] as? [String])
    #expect(flows.contains { $0.hasPrefix("5432/tcp from") && $0.contains("web") && $0.contains("db") }, "\(flows)")
  }

  @Test func onlyWhatOpensTogetherIsToldTogether() throws {
    func policy(_ a: String, _ b: String) -> String {
      """
      service one { owner a; purpose "One"; port 8443/tcp; expose to \(a) }
      service two { owner a; purpose "Two"; port 8443/tcp; expose to \(b) }
      host h { address 192.0.2.1, 192.0.2.2; runs one on 192.0.2.1; runs two on 192.0.2.2 }

      """
    }
    let (_, json) = try difference(
      policy("203.0.113.0/25", "203.0.113.128/25"), policy("203.0.113.0/24", "203.0.113.0/24"))
    #expect(
      try summary(json) == [
        "opens: 8443/tcp from 203.0.113.128/25 to 192.0.2.1 by one new",
        "opens: 8443/tcp from 203.0.113.0/25 to 192.0.2.2 by two new",
      ])
  }

  @Test func anotherRepositoryInTheEnvironmentIsNotRead() throws {
    let box = try Sandbox()
    try box.write(Self.owner + Self.web("expose to 203.0.113.0/24") + Self.host, to: "policies/p.port")
    try box.write(Self.owner + "host x { address 192.0.2.9 }\n", to: "others/o.port")
    _ = try box.shell("git init -q . && git add . && git -c user.name=a -c user.email=a commit -q -m one")
    let outcome = try box.shell("GIT_DIR=$PWD/.git \"$P\" diff --against HEAD policies")
    #expect(outcome.code == 0, "\(outcome)")
    let gone = try box.shell("mkdir new && cp policies/p.port new && \"$P\" diff --against HEAD new")
    #expect(gone.code == 2 && gone.error.contains("has no `*.port` file at `new`"), "\(gone)")
    let backwards = try box.shell("\"$P\" diff --today 2026-11-22 --then 2026-11-21 policies")
    #expect(backwards.code == 2)
  }

  @Test func portsThatWrapAroundDoNotStopTheProgram() throws {
    let box = try Sandbox()
    try box.write(Self.owner + Self.web("expose to 203.0.113.0/24") + Self.host, to: "p.port")
    try box.write(
      """
      *nat
      :PREROUTING ACCEPT [0:0]
      -A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.5:80-90/1000
      COMMIT
      *filter
      :INPUT DROP [0:0]
      :FORWARD DROP [0:0]
      :OUTPUT ACCEPT [0:0]
      -A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT
      COMMIT

      """, to: "other.save")
    let outcome = try box.portcullis("diff", "p.port", "--host", "h", "iptables:other.save")
    #expect(outcome.code == 1 || outcome.code == 2, "\(outcome)")
  }

  @Test func whatIsTooComplexToProveIsAWarning() throws {
    let box = try Sandbox()
    let exposures = (0..<245).map { "expose to 10.0.\($0).0/24 limit \($0 + 1)/second" }.joined(separator: "; ")
    try box.write(Self.owner + Self.web(exposures) + Self.host, to: "p.port")
    let outcome = try box.portcullis("compile", "p.port", "--host", "h", "--to", "nftables")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.output.contains("table inet portcullis"))
    #expect(outcome.error.contains("warning[unproved-output]"))
    #expect(try box.portcullis("compile", "p.port", "--host", "h", "--to", "nftables", "--strict").code == 1)
    // Equal lines need no sets, and different ones are not compared.
    #expect(try box.portcullis("diff", "p.port", "p.port").code == 0)
    try box.write(Self.owner + Self.web(exposures + "; expose to 192.0.2.7") + Self.host, to: "q.port")
    let difference = try box.portcullis("diff", "p.port", "q.port")
    #expect(difference.code == 2 && difference.output.contains("Not compared: host h: "), "\(difference)")
  }

  /// Returns the subject, the line and the owner of the causes of what changes from `old` to `new`.
  private func causes(_ old: String, _ new: String) throws -> [String] {
    try rows(difference(old, new).json).map { row in
      let cause = try #require(row["cause"] as? [String: Any], "\(row)")
      return "\(row["kind"] ?? "") \(cause["subject"] ?? ""): \(cause["text"] ?? "") (\(cause["owner"] ?? ""))"
    }
  }

  @Test func theNamedObjectThatChangedIsTheCause() throws {
    let host = "host h { address 192.0.2.1; interface eth0 in internet; runs web }\n"
    let a = "host a { address 203.0.113.1 }\n"
    let b = "host b { address 203.0.113.2 }\n"
    let web = Self.web("expose to group clients") + host
    #expect(
      try causes(a + b + "group clients { a }\n" + web, a + b + "group clients { a, b }\n" + web) == [
        "opens group clients: group clients { a, b } (a)"
      ])
    let toB = Self.web("expose to b") + host
    #expect(
      try causes(b + toB, "host b { address 203.0.113.2, 203.0.113.9 }\n" + toB) == [
        "opens host b: host b { address 203.0.113.2, 203.0.113.9 } (a)"
      ])
    func client(_ words: String) -> String {
      a + b + "service one { owner a; purpose \"One\"; class ui; port 80/tcp; expose to internet }\n"
        + "service two { owner a; purpose \"Two\"\n\(words)port 81/tcp; expose to internet }\n"
        + "group all { a; runs one }\ngroup others { b; runs two }\n" + Self.web("expose to class ui")
        + host
    }
    #expect(try causes(client(""), client("class ui\n")) == ["opens class ui: class ui (a)"])
    #expect(try causes(client("class ui\n"), client("")) == ["closes class ui: class ui (a)"])
  }

  @Test func portsAndInterfacesThatChangedAreTheCause() throws {
    let host = "host h { address 192.0.2.1; interface eth0 in lan; interface eth1 in dmz; runs web }\n"
    let zones = "zone lan { 10.0.0.0/8 }\nzone dmz { 172.16.0.0/12 }\n"
    func web(_ port: String) -> String {
      "service web { owner a; purpose \"Web\"\nport \(port)\nexpose to 203.0.113.0/24 }\n"
    }
    #expect(
      try causes(zones + web("8443/tcp") + host, zones + web("8443-8444/tcp") + host) == [
        "opens service web: port 8443-8444/tcp (a)"
      ])
    let exposed = zones + Self.web("expose to lan")
    #expect(
      try causes(
        exposed + host,
        exposed + "host h { address 192.0.2.1\ninterface eth0 in lan\ninterface eth1 in dmz, lan\nruns web }\n")
        == ["opens host h: interface eth1 in dmz, lan (a)"])
  }

  @Test func linesOfClustersAreTheCause() throws {
    func policy(_ audience: String, _ web: String, _ rest: String = "") -> String {
      """
      zone office { 203.0.113.0/24 }
      service web { owner a; purpose "Web"; port 8443/tcp; expose to office
        \(web) }
      service db { owner a; purpose "Data"; port 5432/tcp
        expose to \(audience) }
      cluster prod {
        pods 10.42.0.0/16
        workload web { namespace shop; pods app=web }
        workload db { namespace shop; pods app=db }
      }
      \(rest)

      """
    }
    let opened = try difference(policy("office", "uses db"), policy("office, web", "uses db")).json
    #expect(
      try causes(policy("office", "uses db"), policy("office, web", "uses db"))
        == ["opens db: expose to office, web } (a)"])
    let row = try #require(rows(opened).first)
    #expect(row["extent"] as? String == "1 kind of pods, 1 port")
    let witness = try #require(row["witness"] as? [String: String])
    #expect(witness["before"] == "closed by the receiving end (let out by web, old.port:4:3)")
    #expect(witness["after"] == "open (db, new.port:6:3; web, new.port:4:3)")
    #expect(
      try causes(policy("office, web", ""), policy("office, web", "uses db"))
        == ["opens web: uses db } (a)"])
    let wider = policy("office", "").replacingOccurrences(of: "203.0.113.0/24", with: "203.0.112.0/23")
    #expect(
      Set(try causes(policy("office", ""), wider)) == ["opens zone office: zone office { 203.0.112.0/23 } (a)"])
    #expect(
      try causes(policy("office", ""), policy("office", "", "block 203.0.113.7 to db")) == [
        "closes block: block 203.0.113.7 to db (<null>)"
      ])
  }

  @Test func untilsOfClustersAreCompared() throws {
    func policy(_ exposure: String, _ rest: String = "") -> String {
      """
      service web { owner a; purpose "Web"; port 8443/tcp
        \(exposure) }
      cluster prod {
        pods 10.42.0.0/16
        workload web { namespace shop; pods app=web }
      }
      \(rest)

      """
    }
    let short = policy("expose to 203.0.113.0/24 until 2027-01-31")
    let long = policy("expose to 203.0.113.0/24 until 2090-01-31")
    let later = try rows(difference(short, long).json)
    #expect(later.count == 1 && later.first?["kind"] as? String == "opens", "\(later)")
    #expect(
      later.first?["conditions"] as? [String] == ["from 2027-02-01 until the end of 2090-01-31"], "\(later)")
    #expect(try causes(short, long) == ["opens web: expose to 203.0.113.0/24 until 2090-01-31 } (a)"])
    // What ends is told once, by its line.
    #expect(try causes(policy(""), short) == ["opens web: expose to 203.0.113.0/24 until 2027-01-31 } (a)"])
    // So is what a block closes for a time.
    let exposed = "expose to 203.0.113.0/24"
    let block = "block 203.0.113.7 until 2027-01-31"
    let blocked = try rows(difference(policy(exposed), policy(exposed, block)).json)
    #expect(blocked.count == 1 && blocked.first?["kind"] as? String == "closes", "\(blocked)")
    #expect(blocked.first?["conditions"] as? [String] == ["until the end of 2027-01-31"], "\(blocked)")
    #expect(
      try causes(policy(exposed, block), policy(exposed, "block 203.0.113.7 until 2027-03-31"))
        == ["closes block: block 203.0.113.7 until 2027-03-31 (<null>)"])
  }

  @Test func aControllerThatPassesNothingOnDoesNotCount() throws {
    /// Returns the fingerprint of the cluster with `ingress`.
    func fingerprint(_ ingress: String, _ publication: String) throws -> Substring? {
      let box = try Sandbox()
      try box.write(
        Self.owner + """
          service web { owner a; purpose "Web"; port 8443/tcp; expose to internet }
          cluster prod {
            pods 10.42.0.0/16
            \(ingress)
            workload web { namespace shop; pods app=web; \(publication) }
          }

          """, to: "p.port")
      _ = try box.portcullis("compile", "p.port", "--all", "--output", "out")
      let text = try box.shell("cat out/clusters/prod/kustomization.yaml").output
      return text.split(separator: "\n").first { $0.contains("Meaning: pm1-") }
    }
    let controller = "ingress namespace ing pods app=nginx"
    let plain = try #require(try fingerprint("", ""))
    #expect(try fingerprint(controller, "") == plain)
    #expect(try fingerprint(controller, "publish ingress \"shop.acme.example\"") != plain)
  }

  @Test func everyWayToPodsThatChangesIsTold() throws {
    func policy(_ publication: String) -> String {
      """
      service dns { owner a; purpose "Names"; port u 5353/udp; port t 5353/tcp
        expose u to internet as 53/udp; expose t to internet as 53/tcp }
      cluster prod {
        pods 10.42.0.0/16
        workload dns { namespace names; pods app=dns; \(publication) }
      }

      """
    }
    let (_, json) = try difference(policy(""), policy("publish loadbalancer"))
    let flows = try rows(json).flatMap { $0["flows"] as? [String] ?? [] }
    for port in ["53/tcp", "53/udp"] {
      #expect(
        flows.contains {
          $0.hasPrefix("\(port) from anywhere to the load balancer of `dns` of `names`: leads nowhere")
        },
        "\(flows)")
    }
  }

  @Test func ratesAreToldByTheLinesThatChange() throws {
    func web(_ words: String) -> String { Self.web(words) + Self.host }
    // The line that stays, and comes first, is not the cause.
    let (_, json) = try difference(
      web("expose to 203.0.113.0/24 limit 5/second; expose to 203.0.113.0/25 limit 10/second"),
      web("expose to 203.0.113.0/24 limit 5/second; expose to 203.0.113.0/25 limit 20/second"))
    #expect(try summary(json) == ["limits: 8443/tcp from 203.0.113.0/25 by web new"])
    let row = try #require(rows(json).first)
    #expect(
      row["conditions"] as? [String] == [
        "before: within 10/second burst 5, or within 5/second burst 5",
        "now: within 5/second burst 5, or within 20/second burst 5",
      ])
    let witness = try #require(row["witness"] as? [String: String])
    #expect(witness["after"] == "accept within 20/second burst 5 (web, new.port:2:95)")
    let gone = try difference(
      web("expose to 203.0.113.0/24 limit 5/second; expose to 203.0.113.0/25"),
      web("expose to 203.0.113.0/24 limit 5/second")
    ).json
    #expect(try summary(gone) == ["limits: 8443/tcp from 203.0.113.0/25 by web old"])
  }

  @Test func whatOpensWithinARateSaysSo() throws {
    let (_, json) = try difference(
      Self.web("expose to 10.0.0.7") + Self.host,
      Self.web("expose to 10.0.0.7; expose to 203.0.113.0/24 limit 5/second") + Self.host)
    #expect(try summary(json) == ["opens: 8443/tcp from 203.0.113.0/24 by web new"])
    #expect(try rows(json).first?["conditions"] as? [String] == ["within 5/second burst 5"])
  }

  @Test func equalBucketsAreEqual() throws {
    func web(_ limit: String) -> String { Self.web("expose to 203.0.113.0/24 limit \(limit)") + Self.host }
    #expect(try difference(web("60/minute"), web("1/second"), "--exit-code").code == 0)
    #expect(try difference(web("24/day burst 5 per source"), web("1/hour per source"), "--exit-code").code == 0)
    #expect(try difference(web("60/minute burst 60"), web("1/second"), "--exit-code").code == 4)
    #expect(try difference(web("90/minute"), web("1/second"), "--exit-code").code == 4)
  }

  @Test func aLimitThatChangesNothingIsNoPartOfTheFingerprint() throws {
    let box = try Sandbox()
    func fingerprint(_ statements: String) throws -> String {
      try box.write(Self.owner + Self.web(statements) + Self.host, to: "p.port")
      let outcome = try box.portcullis("compile", "p.port", "--host", "h", "--to", "nftables")
      return try #require(outcome.output.split(separator: "\n").first { $0.contains("Meaning:") }.map(String.init))
    }
    let plain = try fingerprint("expose to 203.0.113.0/24; expose to 10.0.0.0/8 limit 7/second")
    #expect(
      try fingerprint(
        "expose to 203.0.113.0/24; expose to 203.0.113.7 limit 3/second; expose to 10.0.0.0/8 limit 7/second") == plain)
    #expect(try fingerprint("expose to 203.0.113.0/24; expose to 10.0.0.0/8 limit 420/minute") == plain)
    #expect(try fingerprint("expose to 203.0.113.0/24; expose to 10.0.0.0/8 limit 8/second") != plain)
  }

  @Test func whatDependsOnSomethingUnknownHasWordsOfItsOwn() throws {
    let box = try Sandbox()
    try box.write(Self.owner + Self.web("expose to 203.0.113.0/24") + Self.host, to: "p.port")
    try box.write(
      """
      *filter
      :INPUT DROP [0:0]
      :FORWARD DROP [0:0]
      :OUTPUT ACCEPT [0:0]
      -A INPUT -p tcp -m tcp --dport 8443 -m recent --rcheck --name known -j ACCEPT
      -A INPUT -p tcp -m tcp --dport 25 -m recent --rcheck --name known -j ACCEPT
      COMMIT

      """, to: "other.save")
    let outcome = try box.portcullis("diff", "p.port", "--host", "h", "iptables:other.save", "--format", "json")
    let json = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    let kinds = try rows(json).map { "\($0["kind"] ?? "") \(($0["flows"] as? [String] ?? []).first ?? "")" }
    #expect(kinds.contains("depends 8443/tcp from 203.0.113.0/24"), "\(kinds)")
    #expect(!kinds.contains { $0.hasPrefix("limits") }, "\(kinds)")
    let opened = try rows(json).filter { $0["kind"] as? String == "opens" }
    #expect(
      opened.allSatisfy { ($0["conditions"] as? [String])?.first?.hasPrefix("depends on: ") == true }, "\(opened)")
  }
}
