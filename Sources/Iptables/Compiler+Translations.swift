import Firewalls
import Packets
import Syntax

extension Compiler {
  /// Writes the chains of `nat` that translate what `mangle` marked, and returns `true` iff there are some.
  ///
  /// Each rule asks again who the packet is from, so that two openings of one port may lead to different places, and
  /// so that these rules together with older ones of `mangle` open nothing.
  mutating func addTranslations() -> Bool {
    let translated = firewall.openings.indices.filter {
      firewall.openings[$0].translation != nil && isExpressible(firewall.openings[$0])
    }
    // As in `mangle`: what is not limited first.
    let ordered =
      translated.filter { firewall.openings[$0].limit == nil }
      + translated.filter { firewall.openings[$0].limit != nil }
    guard !ordered.isEmpty else { return false }
    let chain = nat.add(Name.translate)
    nat.append(
      Rule(matches: [.mark(value: Marks.translated, mask: Marks.translated, isNegated: true)], target: .return),
      to: chain)
    var byTransport: [TransportProtocol: [PortTree.Entry]] = [:]
    for i in ordered {
      guard let range = firewall.openings[i].traffic.ports else { continue }
      byTransport[firewall.openings[i].traffic.transport, default: []].append(.init(range: range, index: i))
    }
    for (transport, entries) in byTransport.sorted(by: { $0.key < $1.key }) {
      let name = Self.stem(transport)
      var call = Rule(transport: transport)
      call.target = .goto(name)
      nat.append(call, to: chain)
      let sorted = entries.sorted {
        $0.range.lower == $1.range.lower ? $0.index < $1.index : $0.range.lower < $1.range.lower
      }
      let firewall = firewall
      let tree = PortTree(sorted) { a, b in
        Self.precedes(a, b, in: firewall) && firewall.openings[a].translatesOtherwise(than: firewall.openings[b])
      }
      write(tree, of: transport, to: \.nat, into: nat.add(name), stem: name, end: nil) {
        compiler, chain, entries in
        // The order of the openings, which the order of the ports broke up.
        for entry in entries.sorted(by: { Self.precedes($0.index, $1.index, in: firewall) }) {
          compiler.addTranslation(of: compiler.firewall.openings[entry.index], to: chain)
        }
      }
    }
    return true
  }

  /// Returns `true` iff the opening of `firewall` at `a` is judged before that at `b`.
  private static func precedes(_ a: Int, _ b: Int, in firewall: Firewall) -> Bool {
    let (isLimited, isOtherLimited) = (firewall.openings[a].limit != nil, firewall.openings[b].limit != nil)
    return isLimited == isOtherLimited ? a < b : isOtherLimited
  }

  /// Writes the translation of `opening` into the chain at `chain`.
  private mutating func addTranslation(of opening: Opening, to chain: Int) {
    guard let range = opening.traffic.ports, let base = Rule.matching(opening.traffic, family) else { return }
    let matches = opening.until.map { [Match.until($0)] } ?? []
    func append(_ address: Address?, _ port: UInt16, _ further: [Match]) {
      guard let last = UInt16(exactly: Int(port) + range.count - 1) else { return }
      let target = Target.destination(
        address, ports: PortRange(from: port, through: last), base: range.isSingle ? nil : range.lower)
      let decision = Decision(
        sources: opening.sources, destinations: opening.destinations.map { [Reach($0)] }, matches: matches + further,
        comment: comment(opening.cause), target: target)
      nat.append(decision, for: base, to: chain)
    }
    switch opening.translation {
    case nil: break
    case .redirect(let port): append(nil, port, [])
    case .forward(let addresses, let port):
      let targets = addresses.filter { $0.family == family }
      for (i, address) in targets.enumerated() {
        let left = UInt32(targets.count - i)
        append(address, port, left > 1 ? [.probability((1 << 31 + left / 2) / left)] : [])
      }
    }
  }
}
