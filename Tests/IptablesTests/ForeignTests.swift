import Foundation
import Packets
import Support
import Testing

@testable import Iptables

/// Rules that others wrote are read without losing a word.
@Suite struct ForeignTests {
  /// What iptables-save printed of rules that the programs themselves, or somebody's hands, had made.
  private static let dumps = [
    "ufw.v4", "ufw.v6", "firewalld.v4", "firewalld.v6", "mixed.v4", "docker.v4", "kube-proxy.v4",
  ]

  private static func read(_ name: String) throws -> (text: String, family: AddressFamily) {
    let text = try String(contentsOf: golden("foreign/\(name).save"), encoding: .utf8)
    return (text, name.hasSuffix("v6") ? .ipv6 : .ipv4)
  }

  /// Returns the words of `line`.
  private func words(of line: some StringProtocol) -> [String] {
    var list = WordList()
    return list.read(Array(line.utf8)[...]) ? list.words.map(\.text) : []
  }

  /// Returns the lines of `text`, each as its words in alphabetical order, without counters.
  private func lines(_ text: String) -> [[String]] {
    // iptables-save leaves out the burst that is the default.
    text.replacing(" --limit-burst 5 ", with: " ").split(separator: "\n").map { line in
      var parts = words(of: line).filter {
        !$0.hasPrefix("[") || !$0.hasSuffix("]") || $0.contains(" ")
      }
      // `-m state` and `-m conntrack` are one match; protocols may have names.
      for (i, word) in parts.enumerated() {
        parts[i] =
          ["state": "conntrack", "--state": "--ctstate", "esp": "50", "gre": "47", "vrrp": "112", "igmp": "2"][word]
          ?? word
      }
      return parts.sorted()
    }
  }

  /// Returns the words of unknown matches and targets in `ruleset`.
  private func unknown(_ ruleset: Iptables.Ruleset) -> [[String]] {
    ruleset.tables.flatMap(\.chains).flatMap(\.rules).flatMap { rule in
      let matches = rule.matches.compactMap { if case .unknown(let words) = $0 { words } else { nil } }
      return if case .unknown(let words)? = rule.target { matches + [words] } else { matches }
    }
  }

  @Test(arguments: dumps) func noWordIsLost(name: String) throws {
    let (text, family) = try Self.read(name)
    let (ruleset, problems) = Iptables.Ruleset.parse(text, family)
    #expect(problems.isEmpty)
    let printed = ruleset.text()
    // Rules stand by chain in both, in the same order.
    for (a, b) in zip(lines(text), lines(printed)) { #expect(a == b) }
    #expect(lines(text).count == lines(printed).count)
    #expect(Iptables.Ruleset.parse(printed, family).ruleset == ruleset)
    #expect(Iptables.Ruleset.parse(text.replacing("\n", with: "\r\n"), family).ruleset == ruleset)
  }

  @Test func whatIsUnknownIsNamed() throws {
    let (text, family) = try Self.read("ufw.v4")
    let names = Set(unknown(Iptables.Ruleset.parse(text, family).ruleset).map { $0.prefix(2).joined(separator: " ") })
    #expect(names == ["-m recent"])
  }

  private func rule(_ line: String, _ family: AddressFamily = .ipv4) -> Rule? {
    let (ruleset, problems) = Iptables.Ruleset.parse("*filter\n:X - [0:0]\n:Y - [0:0]\n-A X \(line)\nCOMMIT\n", family)
    return problems.isEmpty ? ruleset.tables.first?.chain("X")?.rules.first : nil
  }

  /// What a rule says in a way that is not known makes it no wider: the words are kept as an unknown match or target.
  @Test(arguments: [
    "-m limit --limit 5/sec --limit-burst x -j ACCEPT", "-m limit --limit 5/sec --limit 6/sec -j ACCEPT",
    "-m limit --limit 0/sec -j ACCEPT", "-p icmp -m icmp --icmp-type any -j ACCEPT",
    "-p icmp -m icmp --icmp-type 255 -j ACCEPT", "-p icmp -m icmp --icmp-type 3/ -j ACCEPT",
    "-s 10.0.0.0/8 -s 11.0.0.0/8 -j ACCEPT", "-s 10.0.0.0/255.0.255.0 -j ACCEPT", "-s 2001:db8::1 -j ACCEPT",
    "-s example.com -j ACCEPT", "-i eth0 -i eth1 -j ACCEPT", "-i", "-j ACCEPT -j DROP", "-j ACCEPT !", "! -j ACCEPT",
    "! -m tcp --dport 5 -j ACCEPT", "-m conntrack --ctstate , -j ACCEPT", "-m addrtype --dst-type , -j ACCEPT",
    "-m multiport --dports 1,,2 -j ACCEPT", "-m tcp --dport +5 -j ACCEPT", "-m mark --mark 0x+1 -j ACCEPT",
    "-j NOBODY", "-g NOBODY", "-j LOG --log-prefix \"!\"", "-j REJECT", "-p all -j ACCEPT", "-p 0 -j ACCEPT",
    "-m hashlimit --hashlimit-upto 5/sec --hashlimit-name x --hashlimit-htable-expire y -j ACCEPT",
    "-m time --datestop 2027-03-31T23:59:59 --kerneltz -j ACCEPT", "-m comment --comment a -m comment --comment b -j X",
    // iptables takes these for octal numbers.
    "-p tcp -m tcp --dport 022 -j ACCEPT", "-s 10.0.0.0/010 -j ACCEPT", "-p 017 -j ACCEPT",
    "-p icmp -m icmp --icmp-type 010 -j ACCEPT", "-m mark --mark 010 -j ACCEPT", "-m ttl --ttl-eq 010 -j ACCEPT",
    "-m limit --limit 5/sec --limit-burst 010 -j ACCEPT", "-p tcp -m multiport --dports 22,022 -j ACCEPT",
    // To Swift, the sign of Kelvin is the letter K.
    "-j \u{212A}", "-g \u{212A}",
  ])
  func whatIsNotUnderstoodIsKept(line: String) throws {
    let (ruleset, problems) = Iptables.Ruleset.parse("*filter\n:X - [0:0]\n-A X \(line)\nCOMMIT\n", .ipv4)
    #expect(problems.isEmpty)
    let expected = words(of: "-A X \(line)").sorted()
    let printed = ruleset.text().split(separator: "\n").first { $0.hasPrefix("-A") } ?? ""
    #expect(words(of: printed).sorted() == expected)
    #expect(!unknown(ruleset).isEmpty || line.contains("LOG"))
  }

  @Test func quotedWordsAreValues() throws {
    #expect(rule(#"-m comment --comment "-j DROP" -j ACCEPT"#)?.comment == "-j DROP")
    #expect(rule(#"-m comment --comment "it's \"so\" \\" -j ACCEPT"#)?.comment == #"it's "so" \"#)
    #expect(rule(#"-j LOG --log-prefix "!""#)?.target == .log(prefix: "!"))
    #expect(rule(#"-j LOG --log-prefix "--x ""#)?.target == .log(prefix: "--x "))
    #expect(rule("-j Y")?.target == .jump("Y"))
    #expect(
      rule("-i \"a b\" -j Y").map {
        Iptables.Ruleset(family: .ipv4, tables: [Table("t", chains: [Chain("X", rules: [$0])])]).text()
      }?
      .contains("-i \"a b\" -j Y") == true)
    for (text, share) in [("0.09090909082", 195_225_786), ("0.05000000000", 107_374_182), ("0.0", 0)] {
      let read = rule("-m statistic --mode random --probability \(text) -j Y")?.matches
      #expect(read == [.probability(UInt32(share))], "\(text)")
    }
    // A share of nearly one stays below one.
    #expect(
      rule("-m statistic --mode random --probability 0.999999999999 -j Y")?.matches == [.probability(1 << 31 - 1)])
  }

  @Test(arguments: [
    ("*filter\n:X QUEUE [0:0]\nCOMMIT\n", 2), ("*filter\n:X - [0:0]\n", 3), ("*filter\n*nat\nCOMMIT\n", 2),
    ("*filter\nCOMMIT\n*filter\nCOMMIT\n", 4), ("*filter\n:X - [0:0]\n:X - [0:0]\nCOMMIT\n", 3), ("-A X -j Y\n", 1),
    ("*filter\n-D X -j DROP\nCOMMIT\n", 2), ("*filter\n-P INPUT DROP\nCOMMIT\n", 2), ("*filter\n:\nCOMMIT\n", 2),
    ("*filter\n:X\nCOMMIT\n", 2), ("*filter x\nCOMMIT\n", 1), ("*filter\n-A X -s \"\nCOMMIT\n", 2),
    ("*filter\n-I X 2 -j DROP\nCOMMIT\n", 2), ("*filter\n-I X 01 -j DROP\nCOMMIT\n", 2),
    ("*filter\n:caf\u{e9} - [0:0]\nCOMMIT\n", 2), ("*filter\n-N caf\u{e9}\nCOMMIT\n", 2), ("*filter\n-A\nCOMMIT\n", 2),
    ("*filter\n-A \"a b\"\nCOMMIT\n", 2),
  ])
  func linesThatAreNotUnderstoodAreNamed(text: String, line: Int) {
    #expect(Iptables.Ruleset.parse(text, .ipv4).problems.map(\.line) == [line])
  }

  /// Any bytes are read to an end, and every rule that was read is printed as one.
  @Test(arguments: 0..<40) func anyBytesAreRead(seed: Int) throws {
    var random = SeededGenerator(seed: seed)
    let (text, family) = try Self.read(Self.dumps[seed % Self.dumps.count])
    let original = text.split(separator: "\n")
    let snippets = original.map(Array.init(_:)).flatMap { String($0).split(separator: " ") }
    for _ in 0..<60 {
      var bytes = Array(original.shuffled(using: &random).prefix(12).joined(separator: "\n").utf8)
      bytes = Array("*filter\n".utf8) + bytes + Array("\nCOMMIT\n".utf8)
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(contentsOf: " \(random.pick(snippets)) ".utf8, at: place)
        default:
          bytes.insert(
            contentsOf: random.pick(["! ", "\"", "\\", " -", "\0", "99999999999999999999", "\r"]).utf8, at: place)
        }
      }
      let (ruleset, _) = Iptables.Ruleset.parse(String(decoding: bytes, as: UTF8.self), family)
      let again = Iptables.Ruleset.parse(ruleset.text(), family).ruleset
      func count(_ ruleset: Iptables.Ruleset) -> [[Int]] { ruleset.tables.map { $0.chains.map(\.rules.count) } }
      #expect(count(again) == count(ruleset))
    }
  }
}
