import Syntax
import Testing

/// What `never` and `always` say of pods, by every way that leads to them.
@Suite struct PodInvariantTests {
  /// Returns the labels of the findings of `name` in `text`.
  private func labels(_ name: String, _ text: String) throws -> [String] {
    try ExactTests.findings(name, text).0.flatMap { [$0.primary.text] + $0.secondary.map(\.text) }
  }

  private static func web(_ publication: String, _ exposure: String = "expose to internet as 443/tcp") -> String {
    """
    service web { owner team; purpose "Site"; port 8443/tcp; \(exposure) }
    cluster k {
      pods 10.42.0.0/16
      workload web { namespace x; pods app=web; \(publication) }
    }

    """
  }

  @Test(arguments: [
    ("publish nodeport 30110", "30110/tcp", "30110/tcp of a node"),
    ("publish loadbalancer nodeport 30111", "443/tcp", "30111/tcp of a node"),
    ("publish loadbalancer", "443/tcp", "443/tcp of the load balancer of `web` of `x`"),
  ])
  func aBreachNamesTheWay(publication: String, port: String, way: String) throws {
    for asked in ["8443/tcp", port] {
      let found = try labels("broken-never", Self.web(publication) + "never 198.51.100.7 to web on \(asked)\n")
      #expect(
        found.first
          == "8443/tcp from 198.51.100.7 to a pod app=web of `x` (10.42.0.0) gets through on cluster `k`, also by \(way)",
        "\(found)")
    }
  }

  @Test func aBalancerThatDoesNotTakeSomebodyIsNoWay() throws {
    let text =
      Self.web("publish loadbalancer nodeport 30111", "expose to 198.51.100.7")
      + "never 198.51.100.7 to web\nnever 198.51.100.8 to web\n"
    let found = try labels("broken-never", text)
    #expect(found.count == 2, "\(found)")
  }

  @Test func aPortThatNoServiceShowsIsNotOpen() throws {
    let asked = "always 198.51.100.0/24 to web on 443/tcp\n"
    let hidden = try labels("broken-always", Self.web("") + asked)
    #expect(
      hidden.first
        == "443/tcp from 198.51.100.1 to a pod app=web of `x` (10.42.0.0) does not get through on cluster `k`",
      "\(hidden)")
    #expect(
      hidden.contains("no Service shows 443/tcp here (`publish`); the pods listen on 8443/tcp"), "\(hidden)")
    for publication in ["publish cluster", "publish nodeport 30110", "publish loadbalancer"] {
      #expect(try labels("broken-always", Self.web(publication) + asked).isEmpty)
    }
    // The pods themselves listen on their own port, whoever publishes it.
    for ports in ["", " on 8443/tcp"] {
      #expect(try labels("broken-always", Self.web("") + "always 198.51.100.0/24 to web\(ports)\n").isEmpty)
    }
    #expect(
      try labels("broken-always", Self.web("publish nodeport 30110") + "always internet to web on 30110/tcp\n").isEmpty)
    #expect(
      try !labels("broken-always", Self.web("publish nodeport 30110") + "always internet to web on 30111/tcp\n").isEmpty
    )
  }

  @Test func aPortThatAServiceShowsForATimeIsNotAlwaysOpen() throws {
    let exposures = "expose to internet as 443/tcp until 2027-01-31; expose to internet"
    let found = try labels(
      "broken-always", Self.web("publish cluster", exposures) + "always 198.51.100.0/24 to web on 443/tcp\n")
    #expect(found.first?.hasSuffix("on cluster `k` from 2027-02-01 on") == true, "\(found)")
  }

  @Test func whatRunsNowhereIsNotOpen() throws {
    let service = "service web { owner team; purpose \"Site\"; port 443/tcp; expose to internet }\n"
    #expect(
      try labels("broken-always", service + "always 198.51.100.0/24 to web\n").first == "it runs nowhere")
  }

  @Test func aPortThatANodeShowsIsThereWithoutItsService() throws {
    let web = Self.web("publish nodeport 30010", "expose to internet, 10.1.0.0/16")
    for asked in ["30010/tcp", "web on 30010/tcp"] {
      #expect(try labels("broken-always", web + "always 10.1.0.0/16 to \(asked)\n").isEmpty)
    }
    // What no node shows is not there, and what does not get in is told of the service.
    #expect(
      try labels("broken-always", web + "always 10.1.0.0/16 to 30011/tcp\n") == ["nothing of it is exposed"])
    let closed = try labels("broken-always", web + "block 10.1.2.0/24\nalways 10.1.0.0/16 to 30010/tcp\n")
    #expect(closed.first?.contains("from 10.1.2.0 to a pod app=web of `x`") == true, "\(closed)")
  }
}
