/// What happened to first packets of connections while rulesets took each other's place.
public struct FloodReport: Sendable {
  /// How many packets were sent to each port.
  public var sent: Int
  /// How many rulesets were loaded meanwhile.
  public var loads: Int
  /// How many packets for the open port were not delivered.
  public var lost: Int
  /// How many packets for the closed port were delivered.
  public var admitted: Int
}

/// Loads rulesets over one another, again and again, while packets come in.
///
/// - Parameters:
///   - lab: the host and its peers; its steps are not carried out.
///   - rulesets: what is loaded, by turns; all of them leave one UDP port open and the other closed.
///   - open: the port that is open to the first peer.
///   - closed: the port that is closed.
///   - count: how many packets are sent to each port, at most 60,000.
/// - Returns: how many were judged wrongly, over IPv4.
/// - Throws: `LabError` if there are not the means for it, or if a ruleset does not load.
public func flood(
  _ lab: Lab, replacing rulesets: [Ruleset], open: UInt16, closed: UInt16, count: Int = 20_000
) throws -> FloodReport {
  let bench = try LabBench(lab)
  defer { bench.tearDown() }
  guard let peer = lab.peers.first, let source = peer.addresses.first(where: { !$0.isIPv6 }),
    let target = lab.links.first(where: { $0.name == peer.link })?.addresses.first(where: { !$0.address.isIPv6 })
  else { throw LabError(description: "\(lab.file): a flood needs a peer and IPv4") }
  try bench.load(rulesets[0])
  let receiver = bench.probes[0]
  let sender = bench.probes[bench.index(of: peer.name)]
  // The first packet finds the neighbour.
  try sender.tell(["flood \(source) \(target.address) \(closed) \(closed) 1 0"])
  try receiver.tell(["forget", "count"])
  try sender.begin(["flood \(source) \(target.address) \(open) \(closed) \(count) 20"])
  var report = FloodReport(sent: count, loads: 0, lost: 0, admitted: 0)
  while !(try sender.hasAnswer(within: 0)) {
    report.loads += 1
    try bench.load(rulesets[report.loads % rulesets.count])
  }
  _ = try sender.answer()
  var counts: [String: Int] = [:]
  for line in try receiver.tell(["counted"]) {
    let words = line.split(separator: " ")
    if words.count == 3 { counts[String(words[1])] = Int(words[2]) }
  }
  report.lost = count - (counts["\(open)"] ?? 0)
  report.admitted = counts["\(closed)"] ?? 0
  return report
}
