import Nftables
import Packets
import Support
import Testing

/// What tables do to some packets, as the interpreter of the tests walks through them: it knows nothing of gates, cuts and
/// second names.
struct Fates: Equatable {
  /// What becomes of one packet.
  struct Fate: Equatable {
    var outcomes: [Interpreter.Outcome] = []
    var logged: [String] = []
    var translation: Interpreter.Translated?
    var isMasqueraded = false
  }

  /// What becomes of each.
  var fates: [Fate]

  /// Walks through `table` with each of `probes`.
  init(of probes: [Probe], in table: Table) {
    let hooks = table.chains.filter { $0.hook != nil }.sorted { ($0.hook?.priority ?? 0) < ($1.hook?.priority ?? 0) }
    let fresh = Interpreter(table)
    fates = probes.map { probe in
      var fate = Fate()
      for kind in [BaseHook.Kind.filter, .nat] {
        for point in BaseHook.Point.allCases {
          var outcome = Interpreter.Outcome.accept
          // Chains at one point judge one after the other, until one refuses.
          for chain in hooks where chain.hook?.kind == kind && chain.hook?.point == point && outcome == .accept {
            var interpreter = fresh
            outcome = interpreter.judge(probe, in: chain.name)
            fate.logged += interpreter.logged
            fate.translation = fate.translation ?? interpreter.translation
            fate.isMasqueraded = fate.isMasqueraded || interpreter.masqueraded
          }
          fate.outcomes.append(outcome)
        }
      }
      return fate
    }
  }

  /// Returns packets that the tables of random worlds know something about.
  static func probes(seed: Int, count: Int = 12) -> [Probe] {
    var world = RandomWorld(seed: seed)
    return (0..<count).map { _ in
      let packet = world.packet()
      return Probe(
        packet: packet, outbound: world.chance(80) ? world.pick(RandomWorld.interfaces + ["eth9"]) : nil,
        destinationType: RandomWorld.own.contains(packet.destination) ? .local : nil, hopLimit: 255)
    }
  }
}
