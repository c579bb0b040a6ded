import Foundation
import Testing

/// The line that changed is told as the cause of what it opens and closes.
@Suite struct DiffCauseTests: PolicyDiff {
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
}
