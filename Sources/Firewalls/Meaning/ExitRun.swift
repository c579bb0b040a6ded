import Packets

/// Rules one after the other that decide what becomes of all packets that they match.
///
/// They are taken together, which is far faster than one by one.
struct ExitRun {
  /// How packets leave, the last rule's first; neighbours with the same exits share them.
  private var exits: [PacketMap] = []
  /// The boxes of the rules, each with the position of its exits, counted from 1.
  private var boxes: [PacketBox] = []

  /// Adds a rule before the others that matches the union of `boxes`, whose packets leave by `exits`.
  mutating func prepend(_ boxes: [PacketBox], _ exits: PacketMap) {
    if self.exits.last != exits { self.exits.append(exits) }
    for box in boxes {
      var box = box
      box.label = UInt32(self.exits.count)
      self.boxes.append(box)
    }
  }

  /// Returns the exits of packets that come to the rules, those of `rest` for what none of them matches.
  func exits(before rest: PacketMap) throws(BudgetExceeded) -> PacketMap {
    if boxes.isEmpty { return rest }
    var boxes = boxes
    let labels = exits.compactMap(\.onlyLabel)
    if exits.count == 1, labels.count == 1 {
      for i in boxes.indices { boxes[i].label = labels[0] }
      return try rest.space.map(of: boxes, over: rest)
    }
    // Of several labels, the lowest decides: that of the first rule.
    let last = exits.count
    for i in boxes.indices { boxes[i].label = UInt32(last + 1) - boxes[i].label }
    let rules = try rest.space.map(of: boxes)
    if labels.count == last { return try rules.relabelled { labels[last - Int($0)] }.overriding(rest) }
    var numbers: [PacketMap: UInt32] = [:]
    var choices: [PacketMap] = []
    let byRule = exits.reversed().map { exits in
      if let known = numbers[exits] { return known }
      choices.append(exits)
      numbers[exits] = UInt32(choices.count)
      return UInt32(choices.count)
    }
    return try rules.relabelled { byRule[Int($0) - 1] }.choosing(among: choices, else: rest)
  }
}
