import Firewalls
import Foundation
import Nftables
import Packets
import Policies
import Syntax
import Testing

/// What happens to packets while rulesets are replaced.
@Suite(.serialized) struct ReplacementTests {
  /// A sender of UDP packets to an open and to a closed port, as fast as it can for some seconds; a new source port for
  /// each makes each the first of its connection.
  static let traffic = """
    import socket, time
    end = time.time() + 3
    while time.time() < end:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.sendto(b"x", ("192.0.2.1", 1000)); s.sendto(b"x", ("192.0.2.1", 2000))
        s.close()
    """

  /// What stands in front of our table and behind it, and counts.
  static let witness = """
    table inet witness {
    \tchain before {
    \t\ttype filter hook prerouting priority -160; policy accept;
    \t\tudp dport 1000 counter
    \t}
    \tchain behind {
    \t\ttype filter hook prerouting priority -140; policy accept;
    \t\tudp dport 1000 counter
    \t\tudp dport 2000 counter
    \t}
    }
    """

  /// Returns how many packets came to the open port, how many of them our rules let through, and how many to the closed
  /// port they let through, while the shell ran `reload`.
  private func count(during reload: String, _ files: [String: String]) throws -> [Int] {
    var files = files
    files["traffic.py"] = ReplacementTests.traffic
    files["witness"] = ReplacementTests.witness
    let result = try Kernel.run(
      """
      mount -t tmpfs none /run && mkdir /run/netns
      ip netns add client; ip link add eth0 address 02:00:00:00:00:01 type veth peer name eth0 netns client
      ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up; ip link set lo up
      ip -n client addr add 192.0.2.2/24 dev eth0; ip -n client link set eth0 up
      ip -n client neigh replace 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0
      nft -f first; nft -f witness
      ip netns exec client python3 traffic.py & sender=$!
      sleep 0.2
      \(reload)
      wait $sender; sleep 0.2
      nft list table inet witness | grep -o 'packets [0-9]*'
      """, input: files)
    #expect(result.code == 0, Comment(rawValue: result.output))
    return result.output.split { !$0.isNumber }.compactMap { Int($0) }
  }

  private func firewall(_ extra: Int) -> Firewall {
    var firewall = Firewall.closed()
    firewall.openings = [opening(.udp(1000), to: [Reach(addresses("192.0.2.0/24"))])]
    for i in 0..<40 as Range<UInt16> {
      let length = 8 + (Int(i) + extra) % 20
      let network = AddressSet([Prefix(containing: Address(.ipv4, UInt128(0xc000_0202)), length: length)])
      firewall.openings.append(opening(.udp(i % 4 == 0 ? 1000 : 1001 + i), to: [Reach(network)], line: Int(i) + 2))
    }
    return firewall
  }

  @Test func fourStepsJudgeNoPacketWrongly() throws {
    var files = ["first": ruleset(firewall(0))]
    for slot in NftablesBackend.Slot.allCases {
      let (steps, _) = NftablesBackend.replacement(
        for: firewall(slot == .a ? 1 : 2), in: slot, sources: sampleSources)
      files["stage-\(slot.rawValue)"] = steps.stage.text
      files["swap-\(slot.rawValue)"] = steps.swap.text
      files["retire-\(slot.rawValue)"] = steps.retire.text
      files["clean-\(slot.rawValue)"] = steps.clean.text
    }
    let numbers = try count(
      during:
        "for i in 1 2 3 4 5 6 7 8; do for s in a b; do nft -f stage-$s; nft -f swap-$s; nft -f retire-$s; nft -f clean-$s; done; done",
      files)
    try #require(numbers.count == 3)
    #expect(numbers[0] > 1000)
    #expect(numbers[1] == numbers[0], "lost \(numbers[0] - numbers[1]) of \(numbers[0])")
    #expect(numbers[2] == 0, "leaked")
  }

  @Test func oneFileLetsNothingIn() throws {
    let numbers = try count(
      during: "for i in 1 2 3 4 5 6 7 8; do nft -f second; nft -f first; done",
      ["first": ruleset(firewall(0)), "second": ruleset(firewall(1))])
    try #require(numbers.count == 3)
    #expect(numbers[2] == 0, "leaked \(numbers)")
  }

  @Test func aTakenSlotIsLeftAlone() throws {
    let (steps, _) = NftablesBackend.replacement(for: firewall(0), in: .a, sources: sampleSources)
    let result = try Kernel.run(
      "nft -f stage; nft -f swap; nft list ruleset >before; ! nft -f stage; nft list ruleset >after; cmp before after",
      input: ["stage": steps.stage.text, "swap": steps.swap.text])
    #expect(result.code == 0, Comment(rawValue: result.output))
  }

  @Test func aSlotAndTheOneFileReplaceEachOther() throws {
    let (steps, _) = NftablesBackend.replacement(for: firewall(0), in: .b, sources: sampleSources)
    let result = try Kernel.run(
      """
      nft add table ip others; nft -f ruleset; nft -f stage; nft -f swap; nft -f retire; nft -f clean
      nft list tables; nft -f ruleset; nft list tables
      """,
      input: [
        "ruleset": ruleset(firewall(0)), "stage": steps.stage.text, "swap": steps.swap.text,
        "retire": steps.retire.text, "clean": steps.clean.text,
      ])
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines == ["table ip others", "table inet portcullis_b", "table ip others", "table inet portcullis"])
  }

  @Test func theScriptFindsTheFreeSlot() throws {
    var firewall = firewall(0)
    firewall.openings.append(opening(.tcp(443), .redirect(to: 8443), name: "$(touch /oops)`x` portcullis_a"))
    let script = NftablesReplaceBackend.compile(firewall, sources: sampleSources).artefacts[0].text
    let result = try Kernel.run(
      """
      nft add table ip others; nft -f ruleset
      for i in 1 2 3; do sh script; nft list tables; nft list ruleset | grep -c 'goto judge'; done
      nft list ruleset | grep -o 'touch.*portcullis_a '
      """, input: ["ruleset": ruleset(firewall), "script": script])
    let lines = result.output.split(separator: "\n").map(String.init)
    let expected = ["a", "b", "a"].flatMap { ["table ip others", "table inet portcullis_\($0)", "1"] }
    #expect(lines == expected + ["touch /oops)?x? portcullis_a "])
  }

  /// Wherever a run is cut short, the next one puts things right, and a ruleset judges all the time.
  @Test(arguments: 1...3) func theScriptGoesOnAfterOneThatWasCutShort(steps count: Int) throws {
    let script = NftablesReplaceBackend.compile(firewall(0), sources: sampleSources).artefacts[0].text
    for old in NftablesBackend.Slot.allCases {
      let (steps, _) = NftablesBackend.replacement(for: firewall(1), in: old.other, sources: sampleSources)
      let (first, _) = NftablesBackend.replacement(for: firewall(2), in: old, sources: sampleSources)
      let transactions = [first.stage, first.swap] + [steps.stage, steps.swap, steps.retire].prefix(count)
      let result = try Kernel.run(
        transactions.indices.map { "nft -f t\($0)\n" }.joined() + """
          sh script; nft list tables; nft list ruleset | grep -c 'goto judge'
          """,
        input: Dictionary(
          uniqueKeysWithValues: transactions.enumerated().map { ("t\($0)", $1.text) } + [("script", script)]))
      let lines = result.output.split(separator: "\n")
      #expect(lines.count == 2 && lines[0].hasPrefix("table inet portcullis_") && lines[1] == "1", "\(result)")
    }
  }
}
