import CNetfilter
import Glibc
public import Nftables

extension Kernel {
  /// Returns the table `name` of the family `inet` as the kernel has it, or nothing if there is none.
  ///
  /// It is read anew if it changed meanwhile; so it is what the kernel had at one moment.
  ///
  /// - Parameters:
  ///   - name: the name of the table.
  ///   - changes: what tells which tables changed meanwhile, so that changes of others are none; without it any counts.
  ///   - known: what was read before. The elements of a set that is still the one that it was, by its handle, are taken
  ///     from there: the caller knows that nobody has changed them, since the generation tells of every change.
  /// - Returns: the table.
  /// - Throws: why the kernel could not be asked.
  public func table(
    named name: String, watching changes: ChangeEvents? = nil, knowing known: LiveTable? = nil
  ) throws(NetlinkError) -> LiveTable? {
    for _ in 0..<Kernel.mostAttempts {
      do throws(NetlinkError) {
        let before = try generation().number
        // What was counted may not be shown as a whole yet.
        try settle()
        var reading = TableReading(name: name, knowing: known)
        let isSteady = try read(&reading)
        let after = try generation().number
        if isSteady, after == before { return reading.finish(generation: before) }
        guard reading.hasSteadyNames, let changes else { continue }
        // That nothing is told of a change may mean that it is still under way.
        try settle()
        guard let now = try changes.generation(since: before, sparing: name), Generation.isReached(after, by: now)
        else {
          continue
        }
        return reading.finish(generation: now)
      } catch {
        switch error {
        // What is gone meanwhile was there when its name was read.
        case .lostAnswers, .system(ENOENT, _), .system(EINTR, _), .system(EAGAIN, _): continue
        default: throw error
        }
      }
    }
    throw .restless
  }

  /// Reads a table into `reading`.
  ///
  /// - Returns: `true` iff nothing changed meanwhile.
  private func read(_ reading: inout TableReading) throws(NetlinkError) -> Bool {
    var tables: [(name: String, table: AttributeTable)] = []
    var isSteady = try ask(request(NFT_MSG_GETTABLE, flags: NLM_F_DUMP, family: Wire.inet)) {
      message throws(NetlinkError) in
      let table = try message.attributes(after: 4).table()
      if let name = table.text(Int(NFTA_TABLE_NAME.rawValue)) { tables.append((name, table)) }
    }
    reading.hasSteadyNames = isSteady
    guard let table = tables.first(where: { $0.name == reading.name })?.table else { return isSteady }
    reading.begin(table)
    isSteady = try dump(NFT_MSG_GETCHAIN, NFTA_CHAIN_TABLE.rawValue, &reading) && isSteady
    reading.hasSteadyNames = isSteady
    guard isSteady else { return false }
    isSteady = try dump(NFT_MSG_GETSET, NFTA_SET_TABLE.rawValue, &reading) && isSteady
    for set in reading.setNames where !reading.takeKnownElements(of: set) {
      var request = request(NFT_MSG_GETSETELEM, flags: NLM_F_DUMP, family: Wire.inet)
      request.put(NFTA_SET_ELEM_LIST_TABLE.rawValue, reading.name)
      request.put(NFTA_SET_ELEM_LIST_SET.rawValue, set)
      isSteady = try reading.addElements(to: set) { body throws(NetlinkError) in try ask(request, body) } && isSteady
    }
    isSteady = try dump(NFT_MSG_GETRULE, NFTA_RULE_TABLE.rawValue, &reading) && isSteady
    isSteady = try dump(NFT_MSG_GETOBJ, NFTA_OBJ_TABLE.rawValue, &reading) && isSteady
    isSteady = try dump(NFT_MSG_GETFLOWTABLE, NFTA_FLOWTABLE_TABLE.rawValue, &reading) && isSteady
    return isSteady
  }

  /// Asks for all objects of a kind, whose attribute `attribute` is the name of their table.
  private func dump(
    _ type: nf_tables_msg_types, _ attribute: UInt32, _ reading: inout TableReading
  ) throws(NetlinkError) -> Bool {
    var request = request(type, flags: NLM_F_DUMP, family: Wire.inet)
    // The kernel gives chains of all tables all the same.
    request.put(attribute, reading.name)
    do throws(NetlinkError) {
      return try ask(request) { message throws(NetlinkError) in try reading.add(message) }
    } catch {
      // A kernel without flow tables has none in any table.
      if case .system(EOPNOTSUPP, _) = error { return true }
      throw error
    }
  }
}

/// A table that is being read.
struct TableReading {
  /// The name.
  let name: String

  /// What was read before, if it is the same table, by the handles of sets.
  private let known: [UInt64: LiveSet]

  /// The table, once it was found.
  private var table: LiveTable?

  /// The sets by their names.
  private var sets: [String: ReadSet] = [:]

  /// The names of the sets, in the kernel's order.
  private(set) var setNames: [String] = []

  /// The positions of the chains by their names.
  private var chains: [String: Int] = [:]

  /// The rules of chains that stand in rules, by the names that the kernel made up.
  private var bound: [String: [LiveRule]] = [:]

  /// `true` iff nothing at all changed while the lists of all tables and all chains were made, which the kernel does not
  /// confine to one table: when others come or go, they may be torn.
  var hasSteadyNames = false

  /// `true` iff the sets are complete.
  private var hasAllElements = false

  /// Creates a reading of the table `name`, of which `known` was read before.
  init(name: String, knowing known: LiveTable?) {
    self.name = name
    // What rules add, and what goes away by itself, is never known.
    let lasting = known?.sets.filter { !$0.definition.isDynamic && !$0.definition.hasTimeouts } ?? []
    self.known = Dictionary(lasting.map { ($0.handle, $0) }) { first, _ in first }
  }

  /// Takes note of the table itself.
  mutating func begin(_ attributes: AttributeTable) {
    var live = LiveTable(name, handle: attributes.long(Int(NFTA_TABLE_HANDLE.rawValue)) ?? 0, generation: 0)
    let flags = attributes.number(Int(NFTA_TABLE_FLAGS.rawValue)) ?? 0
    if flags & 1 != 0 { live.oddities.append("dormant: no chain judges") }
    if flags & ~1 != 0 { live.oddities.append("flags \(flags)") }
    if let owner = attributes.number(Int(NFTA_TABLE_OWNER.rawValue)) { live.oddities.append("owned by port \(owner)") }
    table = live
  }

  /// Takes note of an object of the table.
  mutating func add(_ message: Message) throws(NetlinkError) {
    switch nf_tables_msg_types(UInt32(message.type & 255)) {
    case NFT_MSG_NEWCHAIN: try addChain(message)
    case NFT_MSG_NEWSET:
      let set = try SetReader.set(message)
      guard sets.count < 1_000_000 else { throw .tooLarge("the sets of a table") }
      if sets.updateValue(set, forKey: set.live.definition.name) == nil { setNames.append(set.live.definition.name) }
    case NFT_MSG_NEWRULE:
      if !hasAllElements { finishSets() }
      let (chain, rule) = try RuleReader.rule(message, sets: sets)
      if bound[chain] != nil {
        bound[chain]?.append(rule)
        return
      }
      guard let index = chains[chain] else { throw .system(ENOENT, call: "chain \(chain)") }
      table?.chains[index].rules.append(rule)
    case NFT_MSG_NEWOBJ:
      let attributes = try message.attributes(after: 4).table()
      let type = attributes.number(Int(NFTA_OBJ_TYPE.rawValue)) ?? 0
      try add(LiveObject(.object(type: type), attributes.text(Int(NFTA_OBJ_NAME.rawValue)) ?? ""))
    case NFT_MSG_NEWFLOWTABLE:
      let name = try message.attributes(after: 4).table().text(Int(NFTA_FLOWTABLE_NAME.rawValue)) ?? ""
      try add(LiveObject(.flowTable, name))
    default: throw .malformed("a message of type \(message.type & 255)")
    }
  }

  /// Takes note of something that is not ours.
  private mutating func add(_ object: LiveObject) throws(NetlinkError) {
    guard let table, table.objects.count < 10_000 else { throw .tooLarge("the objects of a table") }
    self.table?.objects.append(object)
  }

  /// Takes the elements of the set `name` from what was read before; returns `false` if they are not known.
  mutating func takeKnownElements(of name: String) -> Bool {
    guard var set = sets[name], !set.isAnonymous, let known = known[set.live.handle],
      known.definition == set.live.definition
    else { return false }
    set.live = known
    sets[name] = set
    return true
  }

  /// Takes note of the elements of the set `name`, whose messages `ask` hands on.
  mutating func addElements(
    to name: String, from ask: ((Message) throws(NetlinkError) -> Void) throws(NetlinkError) -> Bool
  ) throws(NetlinkError) -> Bool {
    // Taken out, so that it is not copied while it is changed.
    guard var set = sets.removeValue(forKey: name) else { return true }
    defer { sets[name] = set }
    var reader = ElementReader(set)
    return try ask { message throws(NetlinkError) in try reader.addElements(message, to: &set) }
  }

  /// Takes note of a chain, if it is in the table.
  private mutating func addChain(_ message: Message) throws(NetlinkError) {
    let attributes = try message.attributes(after: 4).table()
    guard attributes.text(Int(NFTA_CHAIN_TABLE.rawValue)) == name,
      let chainName = attributes.text(Int(NFTA_CHAIN_NAME.rawValue)), chains[chainName] == nil
    else { return }
    guard chains.count + bound.count < 1_000_000 else { throw .tooLarge("the chains of a table") }
    let flags = attributes.number(Int(NFTA_CHAIN_FLAGS.rawValue)) ?? 0
    if flags & UInt32(NFT_CHAIN_BINDING.rawValue) != 0 {
      bound[chainName] = []
      return
    }
    var chain = LiveChain(chainName, handle: attributes.long(Int(NFTA_CHAIN_HANDLE.rawValue)) ?? 0)
    if let hook = try attributes.nested(Int(NFTA_CHAIN_HOOK.rawValue)) {
      let kind = attributes.text(Int(NFTA_CHAIN_TYPE.rawValue)) ?? "filter"
      let point = hook.number(Int(NFTA_HOOK_HOOKNUM.rawValue))
      let priority = Int32(bitPattern: hook.number(Int(NFTA_HOOK_PRIORITY.rawValue)) ?? 0)
      if let kind = BaseHook.Kind(rawValue: kind),
        let point = BaseHook.Point.allCases.first(where: { $0.number == point })
      {
        chain.hook = BaseHook(kind, at: point, priority: Int(priority))
      } else {
        chain.oddities.append("type \(kind) at hook \(point ?? 0) with the priority \(priority)")
      }
      let policy = attributes.number(Int(NFTA_CHAIN_POLICY.rawValue)) ?? UInt32(NF_ACCEPT)
      if policy != UInt32(NF_ACCEPT) { chain.oddities.append("policy \(policy == 0 ? "drop" : String(policy))") }
      if hook[Int(NFTA_HOOK_DEV.rawValue)] != nil || hook[Int(NFTA_HOOK_DEVS.rawValue)] != nil {
        chain.oddities.append("bound to a device")
      }
    }
    // NFT_CHAIN_BASE says no more than that there is a hook.
    if flags & ~1 != 0 { chain.oddities.append("flags \(flags)") }
    chains[chainName] = table?.chains.count ?? 0
    table?.chains.append(chain)
  }

  /// Puts the sets together.
  private mutating func finishSets() {
    hasAllElements = true
    for name in setNames {
      if var set = sets.removeValue(forKey: name) {
        SetReader.finish(&set)
        sets[name] = set
      }
    }
  }

  /// Returns the table, or nothing if it was not there.
  mutating func finish(generation: UInt32) -> LiveTable? {
    if !hasAllElements { finishSets() }
    guard var table else { return nil }
    let known = setNames.compactMap { sets[$0] }.filter { !$0.isAnonymous }
    table.generation = generation
    table.sets = known.map(\.live)
    table.takeIn(bound: bound)
    table.noteForeignBuckets(Dictionary(known.map { ($0.live.definition.name, $0.buckets) }) { first, _ in first })
    return table
  }
}
