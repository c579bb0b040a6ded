import Foundation
import Testing

/// Limits are compared by what they let through.
@Suite struct RateDiffTests: PolicyDiff {
  @Test func aRefusalIsToldWhereARateLetsSomeIn() throws {
    let rest = Self.web("expose to 203.0.113.0/24 limit 5/second") + Self.host
    let (_, json) = try difference("policy { deny with drop }\n" + rest, "policy { deny with reject }\n" + rest)
    let kinds = try rows(json).map { $0["kind"] as? String ?? "" }
    #expect(kinds == ["answers"])
    // What is over the limit is refused, and hears of it now.
    let sources = try rows(json)[0]["extent"] as? String
    #expect(sources?.hasPrefix("2^32 IPv4 sources") == true, "\(sources ?? "")")
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
}
