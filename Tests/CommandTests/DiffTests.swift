import Foundation
import Testing

/// `portcullis diff` tells what changes for packets, and nothing else.
@Suite struct DiffTests: PolicyDiff {
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
