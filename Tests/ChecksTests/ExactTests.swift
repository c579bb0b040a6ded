import Checks
import Firewalls
import Foundation
import Packets
import Policies
import Support
import Syntax
import Testing

/// What `broken-never`, `broken-always` and the checks of exposures say is so for every packet.
@Suite struct ExactTests {
  static let today = ExampleTests.today

  /// Returns the findings of the check `name` in the policy `text`, and the policy.
  static func findings(_ name: String, _ text: String) throws -> ([Diagnostic], Inspection) {
    let policy = try cleanPolicy(text + "\nowner team { contact \"team@acme.example\" }\n")
    let lowering = Lowering(policy)
    let firewalls = policy.hosts.indices.map { lowering.firewall(of: ID($0)) }
    let inspection = Inspection(lowering, firewalls: firewalls, today: today)
    return (Check.judge(inspection).findings.filter { $0.code == name }, inspection)
  }

  /// Returns the labels of the findings of `name` in `text`, the first of each at the front.
  private func labels(_ name: String, _ text: String) throws -> [[String]] {
    try Self.findings(name, text).0.map { [$0.primary.text] + $0.secondary.map(\.text) }
  }

  static let service = "service s { owner team; purpose \"S\"; port 8000-8010/tcp; expose to internet }\n"
  static let host = "host h { address 192.0.2.10; runs s }\n"

  @Test func aNeverHoldsWhereSeveralBlocksTogetherCloseIt() throws {
    let text = Self.service + Self.host + "never 198.51.100.7 to s\nblock 198.51.100.0/24 on 8000-8005/tcp\n"
    #expect(
      try labels("broken-never", text) == [
        ["tcp from 198.51.100.7:49152 to 192.0.2.10:8006 gets through on host `h`", "forbidden here"]
      ])
    #expect(try labels("broken-never", text + "block 198.51.100.7 to h on 8006-8010/tcp\n").isEmpty)
    #expect(try labels("broken-never", text + "block 198.51.100.7 to host h on 8006-8009/tcp\n").count == 1)
  }

  @Test func aNeverLooksAtItsPortsAlone() throws {
    let text = Self.service + Self.host + "never 198.51.100.7 to 8005/tcp\nblock 198.51.100.0/24 on 8005/tcp\n"
    #expect(try labels("broken-never", text).isEmpty)
  }

  @Test func aNeverSeesTheIngressBesideWhatIsOpen() throws {
    let text = """
      service proxy { owner team; purpose "Ingress"; port 443/tcp; expose to internet; uses shop }
      service shop { owner team; purpose "Shop"; port a 8443/tcp; port b 9000/tcp
        expose a to proxy; expose b to 198.51.100.7 }
      cluster k {
        pods 10.42.0.0/16
        ingress namespace proxy pods app=proxy
        workload proxy { namespace proxy; pods app=proxy }
        workload shop { namespace x; pods app=shop; publish a ingress "shop.acme.example" }
      }
      never internet to shop
      """
    let found = try labels("broken-never", text).compactMap(\.first)
    #expect(found.contains { $0.contains("9000/tcp from 198.51.100.7") }, "\(found)")
    #expect(found.contains { $0.contains("since the ingress controller passes it on") }, "\(found)")
  }

  @Test func aNeverTellsFromWhenAndUntilWhenItIsBroken() throws {
    let text = Self.service + Self.host + "never 198.51.100.7 to s\nblock 198.51.100.0/24 until 2027-01-31\n"
    #expect(
      try labels("broken-never", text)
        == [
          ["tcp from 198.51.100.7:49152 to 192.0.2.10:8000 gets through on host `h` from 2027-02-01", "forbidden here"]
        ].map { [$0[0] + " on", $0[1]] })
    let lapsing = Self.service.replacingOccurrences(of: "internet", with: "internet until 2027-01-31")
    #expect(
      try labels("broken-never", lapsing + Self.host + "never 198.51.100.7 to s\n").first?.first
        == "tcp from 198.51.100.7:49152 to 192.0.2.10:8000 gets through on host `h` until the end of 2027-01-31")
  }

  @Test func aNeverSeesWhatARouterSendsOn() throws {
    let text = """
      zone lan { }
      service s { owner team; purpose "S"; port 8443/tcp; expose to internet via gw as 443/tcp }
      host gw { address 198.51.100.1; interface eth0 in internet; interface eth1 in lan }
      host web1 { address 10.0.0.11; interface eth0 in lan; runs s }
      never internet to host web1
      """
    #expect(try labels("broken-never", text).first?.first?.contains("198.51.100.1:443") == true)
  }

  @Test func anAlwaysHoldsWhereSeveralExposuresTogetherOpenIt() throws {
    let text = """
      service s { owner team; purpose "S"; port a 8000-8004/tcp; port b 8005-8010/tcp
        expose a to 10.0.0.0/8; expose b to 10.0.0.0/9; expose b to 10.128.0.0/9 }
      host h { address 192.0.2.10; runs s }
      always 10.0.0.0/8 to s on 8000-8010/tcp
      always 10.0.0.0/8 to host h on 8003-8007/tcp

      """
    #expect(try labels("broken-always", text).isEmpty)
    let blocked = try labels("broken-always", text + "block 10.3.0.0/16 to s on 8004/tcp until 2027-01-31\n")
    #expect(blocked.count == 2)
    #expect(
      blocked.first?.prefix(2) == [
        "tcp from 10.3.0.0:49152 to 192.0.2.10:8004 does not get through on host `h` until the end of 2027-01-31",
        "refused by this block",
      ])
  }

  @Test func anAlwaysTellsWhatIsMissing() throws {
    let host = "host h { address 192.0.2.10; runs s }\nalways 10.0.0.0/8 to s on 8443/tcp\n"
    func labels(_ exposures: String) throws -> [String] {
      let service = "service s { owner team; purpose \"S\"; port 8443/tcp; \(exposures) }\n"
      return try self.labels("broken-always", service + host).first ?? []
    }
    #expect(try labels("expose to 10.0.0.0/9").prefix(2).last == "the nearest exposure, but not to 10.128.0.0")
    #expect(try labels("expose to 10.0.0.0/8 limit 5/second").prefix(2).last == "let in within a limit alone")
    let lapsing = try labels("expose to 10.0.0.0/8 until 2027-01-31")
    #expect(lapsing.first?.hasSuffix("does not get through on host `h` from 2027-02-01 on") == true, "\(lapsing)")
    #expect(lapsing.prefix(2).last == "the nearest exposure, but only until 2027-01-31")
    #expect(try labels("expose to 10.0.0.0/9 until 2027-01-31; expose to 10.0.0.0/8").isEmpty)
  }

  @Test func anAlwaysSeesBlocksBehindTheRouter() throws {
    let text = """
      service s { owner team; purpose "S"; port 8443/tcp; expose to internet via gw as 443/tcp }
      host gw { address 198.51.100.1; interface eth0 in internet }
      host web1 { address 10.0.0.11; runs s }
      always 203.0.113.0/24 to s on 443/tcp

      """
    #expect(try labels("broken-always", text).isEmpty)
    let found = try labels("broken-always", text + "block 203.0.113.7 to host web1\n")
    #expect(found.first?.first?.contains("behind router `gw` on host `web1`") == true, "\(found)")
  }

  @Test func whatSeveralExposuresCoverIsRedundantAndAllAreNamed() throws {
    let text = """
      service s { owner team; purpose "S"; port 8443/tcp
        expose to 10.0.0.0/9; expose to 10.128.0.0/9; expose to 10.100.0.0-10.200.0.0 until 2027-01-31 }
      host h { address 192.0.2.10; runs s }
      """
    #expect(
      try labels("redundant-exposure", text) == [["is covered", "by this one in part", "by this one in part"]])
  }

  @Test func ofManyExposuresTheDeadOnesAreFound() throws {
    // Each block of 256 is exposed by two halves, and some are exposed as a whole as well.
    var exposures: [String] = []
    for i in 0..<300 {
      exposures += ["expose to 10.\(i / 256).\(i % 256).0/25", "expose to 10.\(i / 256).\(i % 256).128/25"]
      if i % 10 == 0 { exposures.append("expose to 10.\(i / 256).\(i % 256).64-10.\(i / 256).\(i % 256).200") }
      if i % 50 == 0 { exposures.append("expose to 10.\(i / 256).\(i % 256).0/25") }
    }
    let text =
      "service s { owner team; purpose \"S\"; port 8443/tcp; \(exposures.joined(separator: "; ")) }\n"
      + "host h { address 192.0.2.10; runs s }"
    #expect(try labels("redundant-exposure", text).count == 36)
  }

  // MARK: - Random policies

  @Test(arguments: 0..<120) func invariantsAgreeWithPackets(seed: Int) throws {
    var world = World(seed: seed)
    let text = world.policy()
    let (policy, firewalls) = try {
      let (_, inspection) = try Self.findings("broken-never", text)
      return (inspection.policy, inspection.firewalls)
    }()
    let broken = try Self.findings("broken-never", text).0 + Self.findings("broken-always", text).0
    for _ in 0..<400 {
      let firewall = world.numbers.pick(firewalls)
      let packet = world.packet(to: firewall)
      let day = world.numbers.pick(World.days)
      for invariant in policy.invariants {
        let claim = NaiveClaim(invariant: invariant, policy: policy)
        let told = broken.filter { finding in
          ([finding.primary] + finding.secondary).contains { $0.span == invariant.provenance.span }
        }
        if invariant.isAlways {
          guard claim.asks(packet, of: firewall) else { continue }
          let judgement = firewall.judge(packet, on: day)
          if judgement.verdict != .accept || judgement.isLimited {
            #expect(!told.isEmpty, "\(packet) on \(day), \(judgement) in:\n\(text)")
          }
        } else {
          let judgement = firewall.judge(packet, on: day)
          guard case .opened = judgement.reason, claim.isAbout(packet, at: firewall) else { continue }
          for opening in firewall.openings where opening.covers(packet, on: day) && claim.meets(opening, firewall) {
            #expect(told.contains { $0.primary.span == opening.cause.span }, "\(packet) on \(day) in:\n\(text)")
          }
        }
      }
    }
    for finding in broken { try checkWitness(of: finding, policy, firewalls, text) }
  }

  /// Expects that the packet which `finding` shows is treated as it says.
  private func checkWitness(
    of finding: Diagnostic, _ policy: Policy, _ firewalls: [Firewall], _ text: String
  ) throws {
    let words = finding.primary.text
    let pattern =
      /(\w+) from \[?([0-9a-f.:]+?)\]?:(\d+) to \[?([0-9a-f.:]+?)\]?:(\d+)(?: arriving on (.+?))? (gets|does not get) through on host `(\w+)`(?: from (\S+?)(?: on)?)?(?: until .*)?/
    let match = try #require(words.wholeMatch(of: pattern), "\(words)")
    let firewall = try #require(firewalls.first { $0.name == String(match.8) })
    let isAlways = match.7 == "does not get"
    let transport = match.1 == "tcp" ? TransportProtocol.tcp : .udp
    let packet = Packet(
      interface: match.6.map { $0 == "another interface" ? "eth7" : String($0) } ?? "eth7",
      source: try #require(Address(String(match.2))), destination: try #require(Address(String(match.4))),
      transport: transport, sourcePort: UInt16(match.3) ?? 0, destinationPort: UInt16(match.5) ?? 0)
    let day = match.9.flatMap { CalendarDate(String($0)) } ?? Self.today
    let claims = policy.invariants.filter { invariant in
      ([finding.primary] + finding.secondary).contains { $0.span == invariant.provenance.span }
    }
    for invariant in claims {
      let claim = NaiveClaim(invariant: invariant, policy: policy)
      var meant = firewall
      meant.openings.removeAll { !claim.meets($0, firewall) }
      let judgement = meant.judge(packet, on: day)
      let isOpen = judgement.verdict == .accept && !(isAlways && judgement.isLimited)
      #expect(isOpen != isAlways, "\(words): \(judgement) in:\n\(text)")
      #expect(
        isAlways ? claim.asks(packet, of: firewall) : claim.isAbout(packet, at: firewall), "\(words) in:\n\(text)")
    }
  }
}

/// An invariant, looked at packet by packet.
private struct NaiveClaim {
  let invariant: Invariant
  let policy: Policy

  /// Returns `true` iff `packet` comes from the audience, as `firewall` sees it, and goes where the invariant says.
  func isAbout(_ packet: Packet, at firewall: Firewall) -> Bool {
    let audience = invariant.audience
    guard audience.parties.contains(where: { covers($0.value, packet, firewall) }),
      !audience.exceptions.contains(where: { covers($0.value, packet, firewall) })
    else { return false }
    let traffic = invariant.traffic.map(\.value)
    return traffic.isEmpty || traffic.contains { $0.contains(packet.traffic) }
  }

  private func covers(_ party: Party, _ packet: Packet, _ firewall: Firewall) -> Bool {
    switch party {
    case .addresses(let range): return range.contains(packet.source)
    case .zone(let zone):
      guard policy[zone].addresses.contains(packet.source) else { return false }
      let bound = policy[firewall.host].interfaces.filter { $0.zones.contains { $0.value == zone } }
      return bound.isEmpty || bound.contains { $0.name.value == packet.interface }
    default: return false
    }
  }

  /// Returns `true` iff the invariant is about what `opening` of `firewall` opens.
  func meets(_ opening: Opening, _ firewall: Firewall) -> Bool {
    invariant.targets.contains { target in
      switch target.value {
      case .service(let service): opening.cause.service == service
      case .host(let host): firewall.host == host
      default: false
      }
    }
  }

  /// Returns `true` iff the invariant asks for `packet` to get in on the host of `firewall`.
  func asks(_ packet: Packet, of firewall: Firewall) -> Bool {
    let host = policy[firewall.host]
    guard isAbout(packet, at: firewall), !firewall.addresses.contains(packet.source),
      firewall.addresses.contains(packet.destination)
    else { return false }
    let outside = host.interfaces.filter(\.isInternet).map(\.name.value)
    if AddressSet.privateNetworks.contains(packet.source), outside.contains(packet.interface ?? "") { return false }
    return invariant.targets.contains { target in
      switch target.value {
      case .service(let service):
        guard let run = host.runs.first(where: { $0.service == service }) else { return false }
        guard run.addresses.isEmpty || run.addresses.contains(where: { $0.value == packet.destination }) else {
          return false
        }
        guard invariant.traffic.isEmpty else { return true }
        return policy[service].exposures.contains { exposure in
          exposure.ports.contains { policy[service].ports[$0].traffic.contains { $0.contains(packet.traffic) } }
        }
      case .host(let id):
        guard id == firewall.host else { return false }
        // Where the port is bound to some addresses alone, these are where it is to be open.
        let traffic = invariant.traffic.isEmpty ? firewall.openings.map(\.traffic) : invariant.traffic.map(\.value)
        return traffic.contains { asked in
          guard asked.contains(packet.traffic) else { return false }
          let openings = firewall.openings.filter { $0.traffic.overlaps(asked) }
          return openings.isEmpty || openings.contains { $0.destinations?.contains(packet.destination) ?? true }
        }
      default: return false
      }
    }
  }
}

/// A source of policies and packets that meet often.
private struct World {
  var numbers: SeededGenerator

  init(seed: Int) { numbers = SeededGenerator(seed: seed) }

  static let dates = ["2026-11-22", "2026-12-31", "2027-06-30"]
  static let days =
    ([20779, 20780]
    + [0, 1].flatMap { shift in dates.compactMap { CalendarDate($0)?.daysSinceEpoch }.map { $0 + shift } })
    .map { CalendarDate(daysSinceEpoch: $0) }
  static let networks = [
    "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.64.0.0/10", "10.200.0.0/16", "198.51.100.0/24", "198.51.100.7",
    "2001:db8::/32", "2001:db8:1::/48", "2001:db8:1::7",
  ]
  static let ports = ["8000-8010/tcp", "8000-8004/tcp", "8005-8010/tcp", "8003/tcp", "8004-8006/tcp", "8000-8010/udp"]

  mutating func party() -> String { numbers.pick(World.networks + ["za", "zb", "za", "zb"]) }

  mutating func audience() -> String {
    var text = party()
    if numbers.chance(30) { text += ", " + party() }
    if numbers.chance(25) { text += " except " + party() }
    return text
  }

  mutating func policy() -> String {
    var text = "zone za { \(numbers.pick(World.networks)) }\nzone zb { \(numbers.pick(World.networks)) }\n"
    for name in ["s", "t"] {
      let first = name == "s" ? 8000 : 9000
      text +=
        "service \(name) { owner team; purpose \"S\"\n port a \(first)-\(first + 4)/tcp; port b \(first + 5)-\(first + 10)/tcp\n"
      for _ in 0..<Int.random(in: 1...4, using: &numbers) {
        text += " expose \(numbers.pick(["a", "b", "a, b"])) to \(audience())"
        if numbers.chance(15) { text += " limit 5/second" }
        if numbers.chance(25) { text += " until \(numbers.pick(World.dates))" }
        text += "\n"
      }
      text += "}\n"
    }
    for (i, name) in ["h", "g"].enumerated() {
      text += "host \(name) { address 192.0.2.1\(i); address 192.0.2.2\(i); address 2001:db8:ff::1\(i)\n"
      if numbers.chance(50) { text += " interface eth0 in internet; interface eth1 in \(numbers.pick(["za", "zb"]))\n" }
      text += " runs s\(numbers.chance(20) ? " on 192.0.2.1\(i)" : "")\n runs t\n}\n"
    }
    for _ in 0..<Int.random(in: 0...4, using: &numbers) {
      text += "block \(party())"
      if numbers.chance(50) { text += " to \(numbers.pick(["s", "t", "host h", "host g"]))" }
      if numbers.chance(50) { text += " on \(numbers.pick(World.ports))" }
      if numbers.chance(30) { text += " until \(numbers.pick(World.dates))" }
      text += "\n"
    }
    for _ in 0..<3 {
      let isAlways = numbers.chance(50)
      text +=
        "\(isAlways ? "always" : "never") \(party())\(numbers.chance(30) ? ", " + party() : "") to \(numbers.pick(["s", "t", "host h", "host g"]))"
      if numbers.chance(60) { text += " on \(numbers.pick(World.ports))" }
      if numbers.chance(25) { text += " except \(party())" }
      text += "\n"
    }
    return text
  }

  mutating func packet(to firewall: Firewall) -> Packet {
    let prefixes = World.networks.compactMap { text -> Prefix? in
      let parts = text.split(separator: "/")
      guard let address = Address(String(parts[0])) else { return nil }
      return Prefix(containing: address, length: parts.count > 1 ? Int(parts[1]) ?? 0 : address.family.width)
    }
    let range = numbers.pick(prefixes).range
    let span = range.upper.value - range.lower.value
    let offset = numbers.chance(20) ? 0 : UInt128.random(in: 0...span, using: &numbers)
    let source = Address(range.family, range.lower.value + offset)
    let destination = numbers.pick(firewall.addresses.ranges(source.family).map(\.lower))
    return Packet(
      interface: numbers.pick(["eth0", "eth1", "eth7"]), source: source, destination: destination,
      transport: numbers.chance(85) ? .tcp : .udp, sourcePort: 40000,
      destinationPort: UInt16.random(in: 7999...8011, using: &numbers) + (numbers.chance(40) ? 1000 : 0))
  }
}
