import Foundation
import Testing

/// What `explain` says of what it cannot know, and of what decides.
@Suite struct ExplainTests {
  private func sandbox(_ policy: String) throws -> Sandbox {
    let box = try Sandbox()
    try box.write("owner team { contact \"x@example.org\" }\n" + policy, to: "policies/main.port")
    return box
  }

  private func ask(_ box: Sandbox, _ words: String, today: String = "2026-11-22") throws -> Sandbox.Outcome {
    try box.shell("\"$P\" explain --today \(today) \(words)")
  }

  // MARK: - Rules of other programs

  @Test func theHopLimitOfAStrangerIsNotKnown() throws {
    let box = try Sandbox()
    func rules(_ match: String) -> String { "*filter\n:INPUT DROP [0:0]\n-A INPUT \(match) -j ACCEPT\nCOMMIT\n" }
    try box.write(rules("-m ttl --ttl-gt 254"), to: "v4")
    let answer = try ask(box, "iptables:v4 --from 198.51.100.7 --to 192.0.2.1 --port 22/tcp")
    #expect(answer.code == 0 && answer.output.hasPrefix("accept or drop: "), "\(answer)")
    #expect(answer.output.contains("  - its hop limit (TTL)\n"), "\(answer)")
    // Neighbours take nothing that a router passed on.
    try box.write(rules("-p ipv6-icmp -m hl --hl-eq 255"), to: "v6")
    for (port, verdicts) in [("135/icmpv6", "accept"), ("128/icmpv6", "accept or drop")] {
      let answer = try ask(box, "ip6tables:v6 --from 2001:db8::7 --to 2001:db8::1 --port \(port)")
      #expect(answer.output.hasPrefix("\(verdicts): "), "\(answer)")
    }
  }

  @Test(arguments: [
    "-p tcp --dport 22", "-p tcp -m conntrack --ctstate NEW --dport 22", "-p 6 --sport 1024:65535 --dport 22",
    "-p tcp -m comment --comment x ! --dport 23 --sport 1:65535",
  ])
  func theMatchOfTheProtocolNeedsNoOption(match: String) throws {
    let box = try Sandbox()
    try box.write("*filter\n:INPUT DROP [0:0]\n-A INPUT \(match) -j ACCEPT\nCOMMIT\n", to: "rules")
    for (port, verdict) in [("22/tcp", "accept"), ("23/tcp", "drop"), ("22/udp", "drop")] {
      let answer = try ask(box, "iptables:rules --from 198.51.100.7 --to 192.0.2.1 --port \(port)")
      #expect(answer.output.hasPrefix("\(verdict): "), "\(answer)")
    }
  }

  @Test func targetPortsThatAreNotKnownGiveNoVerdict() throws {
    let box = try Sandbox()
    try box.write(
      """
      apiVersion: v1
      kind: Service
      metadata: {name: web, namespace: shop}
      spec: {selector: {app: web}, ports: [{port: 80, targetPort: http}]}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: web, namespace: shop}
      spec:
        podSelector: {matchLabels: {app: web}}
        ingress: [{ports: [{port: 8080}]}]

      """, to: "m.yaml")
    let answer = try ask(box, "manifests:m.yaml --from 198.51.100.7 --to shop/web --port 80/tcp")
    #expect(answer.code == 2 && answer.output == "" && answer.error.contains("is not known here"), "\(answer)")
    let pods = try ask(box, "manifests:m.yaml --from 198.51.100.7 --to shop/app=web --port 8080/tcp")
    #expect(pods.code == 0 && pods.output.hasPrefix("accept: "), "\(pods)")
    #expect(pods.output.contains("198.51.100.7 is taken for an address outside the cluster."), "\(pods)")
  }

  // MARK: - Interfaces

  @Test(arguments: ["''", "abcdefghijklmnop", "a/b", "'a b'", ".."])
  func namesThatNoInterfaceHasAreRefused(name: String) throws {
    let box = try CommandTests.sandbox()
    let answer = try ask(box, "--from 198.51.100.7 --to web1 --port 443/tcp --in \(name)")
    #expect(answer.code == 2 && answer.output == "" && answer.error.contains("no name of an interface"), "\(answer)")
  }

  // MARK: - Ends

  @Test func whatHoldsLongestSaysUntilWhen() throws {
    let service = "service web { owner team; purpose \"Site\"; port 8443/tcp; "
    let host = " }\nhost web1 { address 192.0.2.10; runs web }\n"
    let block = "block 203.0.113.0/24 until 2026-12-31\n"
    for (policy, end) in [
      (service + "expose to 203.0.113.0/24 until 2026-12-31; expose to 203.0.113.7" + host, nil),
      (
        service + "expose to 203.0.113.0/24 until 2026-12-31; expose to 203.0.113.7 until 2027-03-31" + host,
        "2027-03-31"
      ),
      (service + "expose to internet" + host + block, "2026-12-31"),
      (service + "expose to internet" + host + block + "block 203.0.113.7\n", nil),
      (service + "expose to 192.0.2.1" + host + block, nil),
    ] as [(String, String?)] {
      let answer = try ask(sandbox(policy), "--from 203.0.113.7 --to web1 --port 8443/tcp")
      let words = end.map { "This holds until the end of \($0)" }
      #expect(
        answer.code == 0 && answer.output.contains(words ?? "This holds") == (words != nil), "\(policy)\n\(answer)")
    }
  }

  @Test func hostsBehindARouterJudgeToo() throws {
    let policy = """
      service web { owner team; purpose "Site"; port 8443/tcp; expose to internet via gw as 443/tcp }
      host gw { address 198.51.100.1; interface eth0 in internet }
      host web1 { address 10.0.0.11; runs web }

      """
    let box = try sandbox(policy + "block 203.0.113.7 to host web1\n")
    let refused = try ask(box, "--from 203.0.113.7 --to gw --port 443/tcp")
    #expect(refused.output.hasPrefix("drop: ") && refused.output.contains("at host web1"), "\(refused)")
    #expect(refused.output.contains("| block 203.0.113.7 to host web1"), "\(refused)")
    let open = try ask(box, "--from 203.0.113.8 --to gw --port 443/tcp")
    #expect(open.output.hasPrefix("accept: ") && open.output.contains("at host gw"), "\(open)")
  }

  // MARK: - Pods

  private static let shop = """
    service shop {
      owner team
      purpose "Shop"
      port 8000-8010/tcp
      expose to internet as 9000-9010/tcp
    }
    cluster prod {
      pods 10.42.0.0/16
      workload shop { namespace shop; pods app=shop PUBLISHED }
    }

    """

  @Test func onlyWhatIsPublishedLeadsToPods() throws {
    let closed = try sandbox(Self.shop.replacing("PUBLISHED", with: ""))
    let direct = try ask(closed, "--from 203.0.113.7 --to shop/shop --port 8005/tcp")
    #expect(direct.output.hasPrefix("accept: "), "\(direct)")
    let absent = try ask(closed, "--from 203.0.113.7 --to shop/shop --port 9000/tcp")
    #expect(absent.output.hasPrefix("drop: ") && absent.output.contains("Nearest:"), "\(absent)")
    #expect(absent.output.contains("is exposed to 203.0.113.7 on 8000-8010/tcp, but not on 9000/tcp."), "\(absent)")
    let open = try sandbox(Self.shop.replacing("PUBLISHED", with: "; publish cluster"))
    for port in ["9000", "9005", "9010"] {
      let shown = try ask(open, "--from 203.0.113.7 --to shop/shop --port \(port)/tcp")
      #expect(shown.output.hasPrefix("accept: "), "\(shown)")
      #expect(shown.output.contains("goes on to 80\(port.suffix(2))/tcp of the pods."), "\(shown)")
    }
    #expect(try ask(open, "--from 203.0.113.7 --to shop/shop --port 9011/tcp").output.hasPrefix("drop: "))
    let named = try ask(open, "--from 203.0.113.7 --to shop/shop --port 9005/tcp --in eth0")
    #expect(named.code == 2 && named.output == "", "\(named)")
  }

  @Test func blocksOfPodsAreNamed() throws {
    let box = try sandbox(
      Self.shop.replacing("PUBLISHED", with: "; publish cluster") + "block 203.0.113.7 on 8005/tcp until 2026-12-31\n")
    let answer = try ask(box, "--from 203.0.113.7 --to shop/shop --port 9005/tcp")
    #expect(answer.output.hasPrefix("drop: ") && answer.output.contains("| block 203.0.113.7 on 8005/tcp"), "\(answer)")
    #expect(answer.output.contains("This holds until the end of 2026-12-31"), "\(answer)")
    #expect(
      try ask(box, "--format json --from 203.0.113.7 --to shop/shop --port 8005/tcp").output.contains("\"blocked\""))
    let other = try ask(box, "--from 203.0.113.8 --to shop/shop --port 9005/tcp")
    #expect(other.output.hasPrefix("accept: ") && !other.output.contains("until the end"), "\(other)")
  }

  @Test func bothEndsOfPodsSayHowLong() throws {
    let box = try sandbox(
      """
      service cart { owner team; purpose "Cart"; port 80/tcp; expose to internet; uses shop until 2026-12-31 }
      service shop {
        owner team; purpose "Shop"; port 8443/tcp; expose to cart until 2027-12-31
        expose to 192.0.2.1 until 2027-06-30; expose to 192.0.2.0/24
      }
      cluster prod {
        pods 10.42.0.0/16
        workload shop { namespace shop; pods app=shop }
        workload cart { namespace shop; pods app=cart }
      }

      """)
    let answer = try ask(box, "--from shop/cart --to shop/shop --port 8443/tcp")
    #expect(answer.output.hasPrefix("accept: "), "\(answer)")
    #expect(answer.output.contains("This holds until the end of 2026-12-31"), "\(answer)")
    #expect(answer.output.contains("is exposed to cart here") && answer.output.contains("cart uses"), "\(answer)")
    let lasting = try ask(box, "--from 192.0.2.1 --to shop/shop --port 8443/tcp")
    #expect(lasting.output.hasPrefix("accept: ") && !lasting.output.contains("until the end"), "\(lasting)")
  }

  @Test func limitsOfOtherPacketsDoNotCount() throws {
    let exposures = (0..<250).map { "expose to 10.0.\($0).0/24 limit \($0 + 1)/second" }.joined(separator: "; ")
    let box = try sandbox(
      """
      service web { owner team; purpose "Web"; port 8443/tcp; \(exposures) }
      host h { address 192.0.2.1; runs web }

      """)
    let answer = try ask(box, "--from 10.0.7.1 --to h --port 8443/tcp")
    #expect(answer.code == 0 && answer.output.hasPrefix("accept: "), "\(answer)")
    #expect(answer.output.contains("within a rate limit only"), "\(answer)")
    let closed = try ask(box, "--from 192.0.2.77 --to h --port 8443/tcp")
    #expect(closed.code == 0 && closed.output.hasPrefix("drop: "), "\(closed)")
    #expect(closed.output.contains("is exposed here, but not to 192.0.2.77"), "\(closed)")
  }

  @Test func podsAreAskedByTheirFamiliesAlone() throws {
    let box = try sandbox(
      """
      service shop { owner team; purpose "Shop"; port 8443/tcp; expose to internet }
      cluster prod { pods 10.42.0.0/16; workload shop { namespace shop; pods app=shop } }

      """)
    #expect(try ask(box, "--from 192.0.2.1 --to shop/shop --port 8443/tcp").output.hasPrefix("accept: "))
    let other = try ask(box, "--from 2001:db8::1 --to shop/shop --port 8443/tcp")
    #expect(other.code == 2 && other.error.contains("have no IPv6 addresses by the policy"), "\(other)")
  }
}
