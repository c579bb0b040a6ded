import Packets
import Syntax
import Testing

/// A text, where its finding begins (1️⃣), and what the finding says.
struct Flaw: Sendable, CustomTestStringConvertible {
  let text: String
  let code: String
  let message: String
  let fix: String?

  init(_ text: String, _ code: String, _ message: String, fix: String? = nil) {
    self.text = text
    self.code = code
    self.message = message
    self.fix = fix
  }

  var testDescription: String { text }
}

/// The flaws of characters and of the structure.
let structuralFlaws = [
  Flaw("zone a { 10.0.0.0/8 }1️⃣\u{0}", "syntax-control-character", "a policy cannot hold a NUL byte", fix: ""),
  Flaw("zone a {}1️⃣\u{202E}", "syntax-hidden-character", "a policy cannot hold the invisible character U+202E", fix: ""),
  Flaw("# 1️⃣\u{200B}", "syntax-hidden-character", "a policy cannot hold the invisible character U+200B", fix: ""),
  Flaw(
    "zone a {}1️⃣\r\rzone b {}", "syntax-control-character", "a policy cannot hold a carriage return without a line feed"),
  Flaw("block bad1️⃣#guys", "syntax-joined-comment", "a comment needs a space before its `#`", fix: " #"),
  Flaw("owner o {\n  contact 1️⃣\"a\n}", "syntax-unclosed-string", "this text has no closing quote", fix: "\""),
  Flaw(#"owner o { contact "a1️⃣\n" }"#, "syntax-escape", "there is no such escape"),
  Flaw("1️⃣sevrice a {}", "syntax-unknown-declaration", "there is no declaration `sevrice`", fix: "service"),
  Flaw("1️⃣expose a to b", "syntax-unknown-declaration", "`expose` belongs inside a `service`"),
  Flaw("service s { 1️⃣prot 443/tcp }", "syntax-unknown-statement", "a `service` has no statement `prot`", fix: "port"),
  Flaw("service s 1️⃣{\n  port 443/tcp\nservice t {}", "syntax-unclosed-block", "the block of `service s` is not closed"),
  Flaw("host h 1️⃣{\n  runs s\n", "syntax-unclosed-block", "the block of `host h` is not closed", fix: "\n}"),
  Flaw("zone a {}\n1️⃣}", "syntax-unopened-block", "this `}` closes nothing", fix: ""),
  Flaw("zone a1️⃣\n", "syntax-expected", "expected `{` and the statements of `zone a`, but found the end of the line"),
  Flaw("service s { purpose \"a\"; 1️⃣purpose \"b\" }", "syntax-given-twice", "`purpose` is given twice"),
  Flaw("policy { check a off; check 1️⃣a note }", "syntax-given-twice", "`check a` is given twice"),
  Flaw("block a until 2027-01-01 1️⃣until 2027-01-02", "syntax-given-twice", "`until` is given twice"),
  Flaw("service s { uses t 1️⃣limit 2/second }", "syntax-clause-not-here", "`limit` cannot stand behind `uses`"),
  Flaw("service s { expose to t 1️⃣on 443/tcp }", "syntax-clause-not-here", "`on` cannot stand behind `expose`"),
  Flaw("1️⃣transit a to b", "syntax-missing-clause", "`transit` needs `via`", fix: " via router"),
  Flaw("1️⃣waive a on b because \"c\"", "syntax-missing-clause", "`waive` needs `until`", fix: " until 2026-12-31"),
  Flaw("zone a { 10.0.0.0/8 1️⃣10.1.0.0 }", "syntax-missing-comma", "a comma is missing before this", fix: ","),
  Flaw("zone a { 10.0.0.0/81️⃣, }", "syntax-dangling-comma", "the list ends with a comma", fix: ""),
  Flaw(
    "service s {\n  expose to a1️⃣,\n  expose to b\n}", "syntax-dangling-comma", "the list ends with a comma", fix: ""),
  Flaw(
    "block a to b 1️⃣untill 2027-01-01", "syntax-unexpected", "the statement should end before `untill`", fix: "until"),
  Flaw("service s { owner a 1️⃣\"b\" }", "syntax-unexpected", "the statement should end before a text in quotes"),
  Flaw(
    "service s { expose a 1️⃣ot b }", "syntax-expected", "expected `to` and who may connect, but found `ot`", fix: "to"),
  Flaw(
    "policy { deny with 1️⃣rejct }", "syntax-expected", "expected `reject` or `drop`, but found `rejct`", fix: "reject"),
]

/// The flaws of words.
let wordFlaws = [
  Flaw("service 1️⃣Web_Front {}", "syntax-name", "`Web_Front` cannot be a name", fix: "web-front"),
  Flaw("block 1️⃣Office", "syntax-name", "`Office` cannot be a name", fix: "office"),
  Flaw("zone 1️⃣10.0.0.5x {}", "syntax-name", "`10.0.0.5x` looks like an address, but a name is expected"),
  Flaw("block 1️⃣10.0.0.5x", "syntax-address", "`10.0.0.5x` is no address"),
  Flaw("zone 1️⃣internet {}", "syntax-reserved-name", "`internet` is a word of the language and cannot be a name here"),
  Flaw(
    "service s { port 1️⃣nodeport 443/tcp }", "syntax-reserved-name",
    "`nodeport` is a word of the language and cannot be a name here"),
  Flaw(
    "service s { purpose 1️⃣the shop }", "syntax-unquoted-text", "the purpose stands in double quotes",
    fix: "\"the shop\""),
  Flaw(
    "service s { purpose 1️⃣'the shop' }", "syntax-unquoted-text", "the purpose stands in double quotes",
    fix: "\"the shop\""),
  Flaw("zone a { 1️⃣host b }", "syntax-term", "`host b` cannot stand here"),
  Flaw("host h { interface eth0 in 1️⃣10.0.0.0/8 }", "syntax-term", "`10.0.0.0/8` cannot stand here"),
  Flaw("block 1️⃣443/tcp", "syntax-term", "`443/tcp` is neither a name nor an address"),
  Flaw("service s { expose 1️⃣443/tcp to a }", "syntax-term", "an exposure names its ports and does not number them"),
  Flaw("host h { interface 1️⃣eth* in a }", "syntax-interface", "`eth*` cannot be the name of an interface"),
  Flaw("cluster c { workload s { namespace 1️⃣a.b } }", "syntax-namespace", "`a.b` cannot be the name of a namespace"),
  Flaw("cluster c { workload s { pods 1️⃣app } }", "syntax-label", "`app` is no label of pods"),
  Flaw(
    "cluster c { workload s { publish 1️⃣nodprt 30000 } }", "syntax-expected",
    "expected how the service is published: `cluster`, `nodeport`, `loadbalancer` or `ingress`, but found `nodprt`",
    fix: "nodeport"),
  Flaw("cluster c { workload s { publish nodeport 1️⃣70000 } }", "syntax-number", "`70000` is no number from 1 to 65535"),
  Flaw("service s { port 1️⃣443 }", "syntax-protocol", "the protocol of the port is missing", fix: "443/tcp"),
  Flaw("service s { port 443/1️⃣tpc }", "syntax-protocol", "there is no protocol `tpc`", fix: "tcp"),
  Flaw("service s { port 443/1️⃣TCP }", "syntax-protocol", "there is no protocol `TCP`", fix: "tcp"),
  Flaw("service s { port 53/tcp+1️⃣tcp }", "syntax-given-twice", "`tcp` is named twice"),
  Flaw("service s { port 1️⃣0/tcp }", "syntax-port", "there is no port 0"),
  Flaw("service s { port 1️⃣65536/tcp }", "syntax-port", "`65536` is above the highest port"),
  Flaw("service s { port 1️⃣90-80/tcp }", "syntax-port", "the range `90-80` is reversed", fix: "80-90/tcp"),
  Flaw("service s { port 1️⃣80:90/tcp }", "syntax-port", "a range of ports is written with `-`", fix: "80-90/tcp"),
  Flaw("service s { port 1️⃣tcp/443 }", "syntax-port", "`tcp/443` is written the wrong way round", fix: "443/tcp"),
  Flaw("service s { port 1️⃣https/tcp }", "syntax-port", "`https` is no port number"),
  Flaw("service s { port 1️⃣/tcp }", "syntax-port", "a port number is missing"),
  Flaw("policy { ephemeral 1️⃣32768 60999 }", "syntax-port", "a range of ports is written with `-`", fix: "32768-60999"),
  Flaw(
    "service s { port 1️⃣echo-requst/icmp }", "syntax-icmp", "there is no ICMP message `echo-requst`", fix: "echo-request"
  ),
  Flaw("service s { port 1️⃣packet-too-big/icmp }", "syntax-icmp", "there is no ICMP message `packet-too-big`"),
  Flaw("service s { port 1️⃣3:256/icmp }", "syntax-icmp", "`256` is no code of an ICMP message"),
  Flaw("block 1️⃣10.0.0.1/8", "syntax-host-bits", "`10.0.0.1/8` has bits set behind its prefix", fix: "10.0.0.0/8"),
  Flaw(
    "block 1️⃣2001:db8::1/32", "syntax-host-bits", "`2001:db8::1/32` has bits set behind its prefix", fix: "2001:db8::/32"
  ),
  Flaw("block 1️⃣10.0.0.0/33", "syntax-address", "`10.0.0.0/33` has no valid prefix length"),
  Flaw(
    "block 1️⃣10.0.0.0/255.0.0.0", "syntax-address", "the prefix of `10.0.0.0/255.0.0.0` is written as a netmask",
    fix: "10.0.0.0/8"),
  Flaw("block 1️⃣10.0.0.256", "syntax-address", "`10.0.0.256` is no address: `256` is above 255"),
  Flaw("block 1️⃣010.0.0.1", "syntax-address", "`010.0.0.1` has a number that begins with 0"),
  Flaw("block 1️⃣fe80::1%eth0", "syntax-address", "`fe80::1%eth0` names an interface"),
  Flaw("block 1️⃣2001:db8::g", "syntax-address", "`2001:db8::g` is no address"),
  Flaw(
    "block 1️⃣10.0.0.9-10.0.0.1", "syntax-reversed-range", "the range `10.0.0.9-10.0.0.1` is reversed",
    fix: "10.0.0.1-10.0.0.9"),
  Flaw(
    "block 1️⃣10.0.0.1-20", "syntax-address", "the end of the range `10.0.0.1-20` is not a whole address",
    fix: "10.0.0.1-10.0.0.20"),
  Flaw(
    "block 1️⃣10.0.0.1-::1", "syntax-address",
    "the range `10.0.0.1-::1` begins in one address family and ends in the other"),
  Flaw("host h { address 1️⃣10.0.0.0/8 }", "syntax-address", "`10.0.0.0/8` is more than one address"),
  Flaw("block a until 1️⃣2026-02-30", "syntax-date", "`2026-02-30` is no date", fix: "2026-02-28"),
  Flaw("block a until 1️⃣31.12.2026", "syntax-date", "`31.12.2026` is no date"),
  Flaw("policy { log denied 1️⃣5/sec }", "syntax-rate", "`5/sec` is no rate", fix: "5/second"),
  Flaw("policy { log denied 1️⃣0/second }", "syntax-rate", "`0/second` is no rate"),
  Flaw("policy { log denied 5/second burst 1️⃣0 }", "syntax-number", "`0` is no number from 1 to 4294967295"),
]

@Suite struct FindingTests {
  @Test(arguments: structuralFlaws + wordFlaws)
  func oneFlawIsOneFinding(_ flaw: Flaw) throws {
    let marked = Marked(flaw.text)
    let diagnostics = parsed(marked.text).diagnostics
    let first = try #require(diagnostics.first)
    #expect(diagnostics.count == 1, "\(diagnostics.map(\.message))")
    #expect(first.code == flaw.code)
    #expect(first.message == flaw.message)
    #expect(Int(first.primary.span.lower) == marked.offsets[0])
    if let fix = flaw.fix { #expect(first.fixes.map(\.replacement) == [fix]) }
    checkInvariants(of: Array(marked.text.utf8))
  }

  @Test(arguments: (structuralFlaws + wordFlaws).filter { $0.fix != nil })
  func theFixMendsIt(_ flaw: Flaw) throws {
    let text = Marked(flaw.text).text
    let fix = try #require(parsed(text).diagnostics.first?.fixes.first)
    let bytes = Array(text.utf8)
    let mended = bytes[..<Int(fix.span.lower)] + fix.replacement.utf8 + bytes[Int(fix.span.upper)...]
    let left = parse(SourceFile(path: "a.port", bytes: Array(mended)), at: 0).diagnostics
    #expect(left.map(\.message) == [], "\(String(decoding: mended, as: UTF8.self))")
  }

  @Test func allErrorsOfAFileAreFoundAtOnce() {
    let (tree, diagnostics) = parsed(
      """
      zone a { 10.0.0.1/8, 10.0.0.0/99 }
      service s {
        port 443
        prot 80/tcp
        purpose "kept"
        expose to Office until 2026-02-30
      }
      hots h { address 10.0.0.1 }
      block 192.0.2.1
      """)
    #expect(
      diagnostics.map(\.code) == [
        "syntax-host-bits", "syntax-protocol", "syntax-unknown-statement", "syntax-name", "syntax-date",
        "syntax-unknown-declaration",
      ])
    #expect(tree.services.map(\.purpose?.value) == ["kept"])
    #expect(tree.blocks.count == 1)
  }

  @Test func anUnclosedBlockDoesNotSwallowWhatFollows() {
    let (tree, diagnostics) = parsed(
      """
      service a {
        port 443/tcp
      service b { port 80/tcp }
      cluster c {
        workload w {
          namespace n
      host h { runs a }
      """)
    #expect(diagnostics.map(\.code) == ["syntax-unclosed-block", "syntax-unclosed-block", "syntax-unclosed-block"])
    #expect(tree.services.map(\.name.value) == ["a", "b"] && tree.hosts.count == 1 && tree.clusters.count == 1)
  }

  @Test func namesThatAreKeywordsElsewhereAreNames() {
    let text = """
      zone pods { 10.0.0.0/8 }
      service ping { port log 80/tcp; expose log to pods, check; uses address, port }
      service check {}
      group nodes { interface, ping; runs ping }
      """
    #expect(parsed(text).diagnostics.map(\.message) == [])
  }

  @Test func anICMPMessageIsOfBothFamiliesWhereItsNumberDoesNotSayOtherwise() {
    let text = "service s { port echo-request/icmp; port echo-request/icmpv6; port 8/icmp; port 3:4/icmp }"
    #expect(
      parsed(text).tree.services[0].ports.map { $0.traffic.value.map(\.description) } == [
        ["echo-request/icmp", "echo-request/icmpv6"], ["echo-request/icmpv6"], ["echo-request/icmp"],
        ["destination-unreachable:4/icmp"],
      ])
  }

  @Test func aByteOrderMarkAndWindowsLineEndsAreAccepted() {
    let (tree, diagnostics) = parsed("\u{FEFF}service s {\r\n  port 80/tcp\r\n}\r\n")
    #expect(diagnostics.isEmpty && tree.services.count == 1)
    #expect(
      formatted(SourceFile(path: "a", text: "\u{FEFF}zone a {\r\n  ::1\r\n}\r\n")) == "zone a {\n  ::1\n}\n")
  }
}
