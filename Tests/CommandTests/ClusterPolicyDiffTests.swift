import Foundation
import Testing

/// Policies of clusters are compared.
@Suite struct ClusterPolicyDiffTests: PolicyDiff {
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
}
