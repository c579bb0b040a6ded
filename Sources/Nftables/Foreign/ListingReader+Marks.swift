import Firewalls
import Packets

extension ListingReader {
  /// Returns `true` iff `statement` writes a mark in a way that is not understood.
  func writesUnknownMarks(_ statement: JSONValue) -> Bool {
    guard let member = statement.only else { return false }
    if member.name == "xt" {
      return member.value["type"]?.string != "match"
        && ["MARK", "CONNMARK", nil].contains(member.value["name"]?.string)
    }
    guard member.name == "mangle", let key = member.value["key"] else { return false }
    return mark(key) != nil && markActions(member.value) == nil
  }

  /// Returns the mark that `expression` is, or nothing if it is none.
  private func mark(_ expression: JSONValue) -> HookedChains.Mark? {
    if expression["meta"]?["key"]?.string == "mark" { return .packet }
    return expression["ct"]?["key"]?.string == "mark" ? .connection : nil
  }

  /// A mark, or 0, of which bits are kept and then flipped.
  private struct Bits {
    var mark: HookedChains.Mark?
    var kept: UInt32
    var flipped: UInt32
  }

  private func bits(_ value: JSONValue) -> Bits? {
    if let number = value.number { return UInt32(exactly: number).map { Bits(mark: nil, kept: 0, flipped: $0) } }
    if let mark = mark(value) { return Bits(mark: mark, kept: .max, flipped: 0) }
    guard let member = value.only, let parts = member.value.array, parts.count == 2, var bits = bits(parts[0]),
      let operand = parts[1].number.flatMap({ UInt32(exactly: $0) })
    else { return nil }
    switch member.name {
    case "&":
      bits.kept &= operand
      bits.flipped &= operand
    case "|":
      bits.kept &= ~operand
      bits.flipped |= operand
    case "^": bits.flipped ^= operand
    default: return nil
    }
    return bits
  }

  /// Returns what the statement `mangle` does to a mark, or nothing if it does something else.
  func markActions(_ mangle: JSONValue) -> [HookedChains.Action]? {
    guard let target = mangle["key"].flatMap(mark), let bits = mangle["value"].flatMap(bits) else { return nil }
    guard let source = bits.mark, source != target else {
      return [.mark(target, clear: bits.mark == nil ? .max : ~bits.kept, flip: bits.flipped)]
    }
    var actions: [HookedChains.Action] = [.copy(from: source, to: target, mask: bits.kept)]
    // Bits that are not taken from the other mark become 0.
    if bits.kept != .max || bits.flipped != 0 {
      actions.append(.mark(target, clear: ~bits.kept, flip: bits.flipped))
    }
    return actions
  }

  /// Returns `true` iff the statement `mangle` writes something that no rule of a meaning looks at.
  func isHarmless(_ mangle: JSONValue) -> Bool {
    guard let key = mangle["key"]?.only else { return false }
    switch key.name {
    case "meta": return ["priority", "nftrace", "secmark"].contains(key.value["key"]?.string)
    case "ct": return ["label", "event", "helper", "secmark"].contains(key.value["key"]?.string)
    case "tcp option": return true
    case "payload": return ["dscp", "ecn"].contains(key.value["field"]?.string)
    default: return false
    }
  }

  /// Returns rules that do `actions` to the packets of `ways`, and then what the statements `rest` do.
  ///
  /// What comes behind is judged by a chain of its own, because the packet no longer has the mark that it was matched by.
  mutating func marking(
    _ actions: [HookedChains.Action], _ rest: [JSONValue], _ ways: [Matched], _ text: String
  ) throws -> [HookedChains.Rule] {
    let names = rest.compactMap { $0.only?.name }
    let isIdle = names.allSatisfy { ["counter", "log", "comment"].contains($0) }
    if isIdle, actions.count == 1 {
      return try ways.flatMap { try $0.rules(actions[0], text, in: universe) }
    }
    let position = host.chains.count
    host.chains.append(HookedChains.Chain("\(place) (behind its marks)"))
    let marks = try actions.flatMap { try Matched().rules($0, text, in: universe) }
    let behind = try rules(of: rest, text)
    host.chains[position].rules = marks + behind
    let leaves = names.contains { ["return", "goto", "vmap"].contains($0) }
    guard leaves else { return try ways.flatMap { try $0.rules(.jump(position), text, in: universe) } }
    // A chain that is gone to returns to where this one was called from, as the statements would.
    let isCertain = names.allSatisfy { ["counter", "log", "comment", "return", "goto"].contains($0) }
    if !isCertain {
      unknowns.append("\(place): a verdict that leaves the chain, on a condition behind a change of marks")
    }
    return try ways.flatMap { try $0.rules(.goto(position), text, in: universe) }
  }
}
