import Driver
import Firewalls
import Iptables
import Nftables
import Packets
import Policies
import Support
import Syntax
import Testing

/// Three answers agree on random firewalls: what `Firewall.judge` says of a packet, what its meaning says, and what each
/// compiled ruleset, read back, does.
@Suite struct RandomProofTests {
  static let sources = Sources([SourceFile(path: "world.port", text: String(repeating: "a line...\n", count: 200))])

  /// The back ends whose output is proved, and what they may rightly refuse to say.
  private static let targets: [(target: any HostBackend.Type, refusals: Set<String>)] = [
    (NftablesBackend.self, []), (NftablesReplaceBackend.self, []),
    (IPv4Backend.self, ["iptables-until", "iptables-translation"]),
    (IPv6Backend.self, ["iptables-until", "iptables-translation"]),
  ]

  /// How many packets of each firewall are judged twice.
  private static let packets = 30

  @Test(arguments: Worlds.batches(of: 1500)) func answersAgree(batch: Int) throws {
    var proved = 0
    for seed in Worlds.seeds(of: batch) {
      var world = RandomWorld(seed: seed)
      // Small worlds find most: what meets, meets often. Now and then one is larger.
      var firewall = world.firewall(services: seed % 50 == 0 ? 40 : [1, 2, 3, 5, 8][seed % 5])
      if seed % 3 == 0 { firewall.departures = world.departures() }
      try judgePackets(of: firewall, &world, seed)
      proved += try prove(firewall, seed)
    }
    #expect(proved > Worlds.batch * 2, "\(proved) proved")
  }

  /// Expects that `firewall` and its meaning say the same of packets.
  private func judgePackets(of firewall: Firewall, _ world: inout RandomWorld, _ seed: Int) throws {
    let meaning = try firewall.meaning(in: Universe())
    var packets = Crossroads(of: firewall)
    // No clock gets to the year 9999.
    let days = RandomWorld.days.filter { $0.daysSinceEpoch < 100_000 }
    for i in 0..<Self.packets {
      let packet = i % 3 == 0 ? world.packet() : packets.packet(&world)
      let departing = world.pick(RandomWorld.interfaces + ["eth9"])
      try compare(packet, departing, on: world.pick(days), firewall, meaning, seed)
      if i % 6 == 0 {
        var sent = packet
        sent.interface = nil
        try compareSent(sent, departing, on: world.pick(days), firewall, meaning)
      }
    }
  }

  /// Expects that what every back end makes of `firewall` means the same, and returns how many made something.
  private func prove(_ firewall: Firewall, _ seed: Int) throws -> Int {
    let prover = Prover(firewall)
    var proved = 0
    for (target, refusals) in Self.targets {
      let compilation = target.compile(firewall, sources: Self.sources)
      let errors = compilation.diagnostics.filter { $0.severity == .error }
      #expect(errors.allSatisfy { refusals.contains($0.code) }, "seed \(seed), \(target.name): \(errors)")
      guard errors.isEmpty else { continue }
      let proof = try #require(prover.prove(compilation.artefacts, of: target))
      #expect(proof.failure == nil, "seed \(seed), \(target.name)")
      if let difference = proof.difference {
        let cause = difference.cause.map { "\($0.subject) \($0.span.lower / 10 + 1)" } ?? "nothing"
        Issue.record(
          """
          seed \(seed), \(target.name): \(difference.packet): policy \(difference.policy) by \(cause), \
          files \(difference.files) by \(difference.rules)
          """)
      }
      proved += 1
    }
    return proved
  }

  /// Compares what `firewall` and `meaning` say of `packet`, at both ends of the day `today`.
  private func compare(
    _ packet: Packet, _ departing: String, on today: CalendarDate, _ firewall: Firewall, _ meaning: Meaning, _ seed: Int
  ) throws {
    let universe = meaning.universe
    let isLocal = firewall.isLocal(packet.destination)
    let judgement = firewall.judge(packet, departing: departing, on: today)
    var withoutPing = firewall
    withoutPing.pingOpen = false
    // Beyond its rate an echo request is judged like everything else.
    let beyond =
      judgement.reason == .ping ? withoutPing.judge(packet, departing: departing, on: today) : judgement
    let closed = firewall.rejects ? Firewalls.Verdict.reject : .drop
    for second in [0, 86_399] {
      func values(_ holds: Bool) -> PacketValues {
        universe.values(
          of: packet, departing: departing, to: isLocal ? .local : .elsewhere,
          at: today.daysSinceEpoch * 86_400 + second, conditions: holds)
      }
      let within = values(true)
      try #require(
        meaning.verdicts.label(of: within) == judgement.verdict.label,
        "seed \(seed), \(universe.text(of: within)): \(judgement)")
      let expected = beyond.isLimited ? closed : beyond.verdict
      try #require(
        meaning.verdicts.label(of: values(false)) == expected.label,
        "seed \(seed), \(universe.text(of: within)): \(judgement)")
      try #require(
        universe.translation(labelled: meaning.translations.label(of: within))
          == translation(of: packet, judgement, firewall), "seed \(seed), \(universe.text(of: within)): \(judgement)")
      let isHidden =
        !isLocal && packet.interface != "lo" && judgement.verdict == .accept
        && firewall.passages.contains { $0.masquerade && $0.covers(packet, departing: departing, on: today) }
      try #require(
        meaning.masqueraded.contains(within) == isHidden, "seed \(seed), \(universe.text(of: within)): \(judgement)")
    }
  }

  /// Returns where `firewall` sends `packet`, which it judges by `judgement`.
  private func translation(of packet: Packet, _ judgement: Judgement, _ firewall: Firewall) -> Universe.Translation? {
    guard case .opened(let index) = judgement.reason, let ports = firewall.openings[index].traffic.ports else {
      return nil
    }
    switch firewall.openings[index].translation {
    case .redirect(let port)? where port != ports.lower: return .redirect(by: Int(port) - Int(ports.lower))
    case .forward(let targets, let port)?:
      let targets = Set(targets.filter { $0.family == packet.source.family })
      return .forward(to: targets.sorted(), by: Int(port) - Int(ports.lower))
    default: return nil
    }
  }

  /// Compares what `firewall` and `meaning` say of `packet`, which a process of the host sends on the day `today`.
  private func compareSent(
    _ packet: Packet, _ departing: String, on today: CalendarDate, _ firewall: Firewall, _ meaning: Meaning
  ) throws {
    let universe = meaning.universe
    let type = UInt8(truncatingIfNeeded: packet.destinationPort)
    let isEssential =
      packet.transport == .icmp && Essentials.icmp.contains(type)
      || packet.transport == .icmpv6 && Essentials.icmpv6.contains(type)
    let isOpen =
      firewall.departures?.contains { departure in
        departure.destinations.contains(packet.destination) && (departure.until.map { today <= $0 } ?? true)
          && (departure.traffic?.contains { $0.contains(packet.traffic) } ?? true)
      } ?? true
    let expected: Firewalls.Verdict = isOpen || isEssential ? .accept : firewall.rejects ? .reject : .drop
    let values = universe.values(
      of: packet, departing: departing, to: .elsewhere, at: today.daysSinceEpoch * 86_400, conditions: false)
    try #require(meaning.verdicts.label(of: values) == expected.label, "\(universe.text(of: values))")
    let looped = universe.values(
      of: packet, departing: "lo", to: .local, at: today.daysSinceEpoch * 86_400, conditions: false)
    try #require(meaning.verdicts.label(of: looped) == Firewalls.Verdict.accept.label)
  }
}

extension RandomProofTests {
  /// A passage from one family to the other is for no packet; its end once left a rule behind that led nowhere.
  @Test func aPassageOfNoPacketLeadsNowhere() throws {
    var world = RandomWorld(seed: 1)
    var firewall = world.firewall(services: 1)
    firewall.passages = [
      Passage(
        sources: [Reach(.all(.ipv4))], destinations: [Reach(.all(.ipv6))], traffic: nil, masquerade: true,
        until: RandomWorld.days[0], cause: firewall.openings[0].cause)
    ]
    let artefacts = NftablesBackend.compile(firewall, sources: Self.sources).artefacts
    let proof = try #require(Prover(firewall).prove(artefacts, of: NftablesBackend.self))
    #expect(proof.holds, "\(proof)")
  }
}

/// The values at which a firewall changes its mind, and their neighbours.
private struct Crossroads {
  private var addresses: [AddressFamily: [Address]] = [:]
  private var ports: [UInt16] = [0, 1, 546, 547, .max]

  init(of firewall: Firewall) {
    var sets = firewall.openings.flatMap { $0.sources.map(\.addresses) + [$0.destinations].compactMap(\.self) }
    sets += firewall.passages.flatMap { ($0.sources + $0.destinations).map(\.addresses) }
    sets += firewall.blocks.flatMap { $0.sources.map(\.addresses) + [$0.destinations].compactMap(\.self) }
    sets.append(firewall.addresses)
    for family in AddressFamily.allCases {
      var found: Set<Address> = []
      for range in sets.flatMap({ $0.ranges(family) }) {
        for value in [range.lower.value, range.upper.value] {
          found.insert(Address(family, value))
          if value > 0 { found.insert(Address(family, value - 1)) }
          if value < family.highest { found.insert(Address(family, value + 1)) }
        }
      }
      addresses[family] = found.sorted()
    }
    let traffic =
      firewall.openings.map(\.traffic) + firewall.passages.flatMap { $0.traffic ?? [] }
      + firewall.blocks.flatMap { $0.traffic ?? [] }
    for range in traffic.compactMap(\.ports) {
      ports += [range.lower, range.upper, range.lower &- 1, range.upper &+ 1]
    }
  }

  mutating func packet(_ world: inout RandomWorld) -> Packet {
    let family = world.pick(AddressFamily.allCases)
    let known = addresses[family] ?? []
    var transport = world.pick([.tcp, .udp, .sctp, .dccp, .udplite] as [TransportProtocol])
    if world.chance(20) { transport = family == .ipv4 ? .icmp : .icmpv6 }
    if world.chance(3) { transport = TransportProtocol(rawValue: 47) }
    var packet = Packet(
      interface: world.pick(RandomWorld.interfaces + ["eth9"]), source: world.pick(known),
      destination: world.chance(50) ? world.pick(RandomWorld.own.ranges(family)).lower : world.pick(known),
      transport: transport, sourcePort: 0, destinationPort: 0)
    if transport.hasPorts {
      packet.destinationPort = world.pick(ports)
      packet.sourcePort = world.pick([0, 547, 40_000, .max])
      if family == .ipv6, world.chance(10) {
        packet.source = Address(.ipv6, UInt128(0xfe80) << 112 | 5)
        packet.transport = .udp
        (packet.sourcePort, packet.destinationPort) = (547, 546)
      }
    } else if transport.isICMP {
      packet.destinationPort = UInt16.random(in: 0...255, using: &world.random)
      if world.chance(50) { packet.destinationPort = world.pick([3, 8, 11, 12, 128, 135, 13, 139]) }
      packet.sourcePort = world.pick([0, 1, 255])
    }
    if world.chance(3) { packet.interface = "lo" }
    return packet
  }
}
