import Foundation
import Packets
import Testing

@testable import Policies

/// The registry's two texts, read the slow way: all of them, line by line.
struct PlainRegistry {
  /// The names of each port, in order.
  var names: [Traffic: [String]] = [:]
  /// The ranges of each name.
  var assignments: [String: Set<Traffic>] = [:]
  /// The ranges of each name, as the text by name has them.
  var assignmentsByName: [String: Set<Traffic>] = [:]
  /// Every range, in the order of the text.
  var ranges: [PortRange] = []

  static let transports: [Character: TransportProtocol] = ["t": .tcp, "u": .udp, "s": .sctp, "d": .dccp]

  init(_ registry: PortRegistry) throws {
    func range(_ text: Substring) throws -> PortRange {
      let bounds = try text.split(separator: "-").map { try #require(UInt16($0)) }
      return PortRange(from: bounds[0], through: bounds[bounds.count - 1])
    }
    for line in registry.byPort.split(separator: "\n") {
      let words = line.split(separator: " ")
      let ports = try range(words[0])
      ranges.append(ports)
      for word in words.dropFirst() {
        let parts = word.split(separator: ":")
        for letter in parts[1] {
          let transport = try #require(Self.transports[letter])
          for port in ports.lower...ports.upper {
            names[.ports(transport, PortRange(port)), default: []].append(String(parts[0]))
          }
          assignments[String(parts[0]), default: []].insert(.ports(transport, ports))
        }
      }
    }
    for line in registry.byName.split(separator: "\n") {
      let words = line.split(separator: " ")
      assignmentsByName[String(words[0])] = []
      for word in words.dropFirst() {
        let parts = word.split(separator: ":")
        for letter in parts[1] {
          assignmentsByName[String(words[0])]?.insert(
            .ports(try #require(Self.transports[letter]), try range(parts[0])))
        }
      }
    }
  }
}

@Suite struct PortRegistryTests {
  let registry = PortRegistry.iana

  @Test func knowsWhatEveryoneKnows() {
    #expect(registry.names(of: 80, .tcp) == ["http", "www", "www-http"])
    #expect(registry.names(of: 80, .sctp) == ["http"])
    #expect(registry.firstName(of: 443, .udp) == "https")
    #expect(registry.firstName(of: 5432, .tcp) == "postgresql")
    #expect(registry.firstName(of: 53, .udp) == "domain")
    #expect(registry.firstName(of: 3868, .sctp) == "diameter")
    #expect(registry.firstName(of: 9200, .tcp) == "wap-wsp")
    #expect(registry.firstName(of: 6443, .tcp) == "sun-sr-https")
    #expect(registry.names(of: 9042, .tcp) == [])
    #expect(registry.firstName(of: 10250, .tcp) == nil)
    #expect(registry.names(of: 80, .icmp) == [])
    #expect(registry.assignments(of: "domain") == [.ports(.tcp, PortRange(53)), .ports(.udp, PortRange(53))])
    #expect(registry.assignments(of: "nobody-knows") == [])
    #expect(registry.assigns(443, .tcp))
    #expect(!registry.assigns(10250, .tcp))
  }

  @Test func rangesAreFoundFromTheirFirstToTheirLastPort() {
    for port: UInt16 in [6000, 6001, 6031, 6063] { #expect(registry.names(of: port, .tcp) == ["x11"]) }
    #expect(!registry.names(of: 5999, .tcp).contains("x11"))
    #expect(!registry.names(of: 6064, .tcp).contains("x11"))
    for port: UInt16 in 6665...6669 { #expect(registry.names(of: port, .tcp).contains("ircu")) }
    #expect(registry.assigns("x11", to: 6063, .udp))
    #expect(!registry.assigns("x11", to: 6064, .udp))
    let x11 = PortRange(from: 6000, through: 6063)
    #expect(registry.assignments(of: "x11") == [.ports(.tcp, x11), .ports(.udp, x11)])
  }

  @Test func namesAreComparedWithoutCase() {
    #expect(registry.isRegistered("XmlIpcRegSvc"))
    #expect(registry.isRegistered("xmlipcregsvc"))
    #expect(registry.spelling(of: "XMLIPCREGSVC") == "XmlIpcRegSvc")
    #expect(registry.assigns("HTTPS", to: 443, .tcp))
    #expect(registry.spelling(of: "no-such-thing") == nil)
    #expect(!registry.isRegistered(""))
    #expect(!registry.isRegistered("http "))
    #expect(!registry.isRegistered("htt"))
    #expect(!registry.isRegistered("https-"))
  }

  @Test func namesWithoutPortsAreRegistered() throws {
    let plain = try PlainRegistry(registry)
    let portless = plain.assignmentsByName.filter { $0.value.isEmpty }.keys
    #expect(portless.count > 500)
    for name in portless {
      #expect(registry.isRegistered(name))
      #expect(registry.assignments(of: name) == [])
    }
  }

  /// The edition of 2026-08-17 in figures.
  @Test func figuresOfTheEdition() throws {
    let plain = try PlainRegistry(registry)
    #expect(registry.edition == "2026-08-17")
    #expect(plain.names.count == 11_621)
    #expect(plain.names.values.count { $0.count > 1 } == 226)
    #expect(!plain.names.keys.contains { ($0.ports?.lower ?? 0) >= 49152 })
    func count(_ ports: ClosedRange<UInt16>, _ transport: TransportProtocol) -> Int {
      plain.names.keys.count { $0.transport == transport && ports.contains($0.ports?.lower ?? 0) }
    }
    #expect(count(32768...60999, .tcp) == 134)
    #expect(count(32768...60999, .udp) == 96)
    #expect(count(30000...32767, .tcp) == 27)
    #expect(plain.assignmentsByName.keys.count { ServiceNameFault.first(in: $0) != nil } == 97)
  }

  @Test func bothTextsAreSortedAndAgree() throws {
    let plain = try PlainRegistry(registry)
    for (a, b) in zip(plain.ranges, plain.ranges.dropFirst()) { #expect(a.upper < b.lower) }
    let names = registry.byName.split(separator: "\n").map { $0.prefix { $0 != " " }.lowercased() }
    for (a, b) in zip(names, names.dropFirst()) { #expect(Array(a.utf8).lexicographicallyPrecedes(Array(b.utf8))) }
    for (name, assignments) in plain.assignmentsByName {
      #expect(plain.assignments[name] ?? [] == assignments, "\(name)")
    }
    #expect(Set(plain.assignments.keys).isSubset(of: plain.assignmentsByName.keys))
  }

  /// Each registered port and its neighbours, each registered name.
  @Test func searchingFindsWhatReadingFinds() throws {
    let plain = try PlainRegistry(registry)
    var ports = Set<UInt16>([0, 1, 49151, 49152, .max])
    for range in plain.ranges { ports.formUnion([range.lower &- 1, range.lower, range.upper, range.upper &+ 1]) }
    for port in ports {
      for transport in PlainRegistry.transports.values {
        let expected = plain.names[.ports(transport, PortRange(port))] ?? []
        let found = registry.names(of: port, transport)
        if found != expected { Issue.record("\(port)/\(transport): \(found), not \(expected)") }
      }
    }
    for (name, assignments) in plain.assignmentsByName {
      if Set(registry.assignments(of: name)) != assignments { Issue.record("\(name)") }
    }
  }

  @Test func emptyRegistryHoldsNothing() {
    let empty = PortRegistry(edition: "", byPort: "", byName: "")
    #expect(empty.names(of: 80, .tcp) == [])
    #expect(empty.firstName(of: 0, .udp) == nil)
    #expect(!empty.isRegistered("http"))
    #expect(empty.names(near: "http") == [])
  }

  @Test(arguments: [
    ("postgersql", "postgresql"), ("htps", "https"), ("pop3", "pop2"), ("sssh", "ssh"), ("Mysqll", "mysql"),
    ("domian", "domain"), ("kerbros", "kerberos"), ("telent", "telnet"),
  ])
  func nearNames(word: String, meant: String) {
    let near = registry.names(near: word, count: 12)
    #expect(near.contains(meant), "\(near)")
    #expect(!near.contains(word))
  }

  @Test func farNamesAreNotNear() {
    #expect(registry.names(near: "zzzzqqqq") == [])
    #expect(registry.names(near: "") == [])
    #expect(registry.names(near: String(repeating: "a", count: 400)) == [])
    #expect(registry.names(near: "http", count: 2).count == 2)
  }
}

@Suite struct ServiceNameFaultTests {
  @Test(
    arguments: [
      ("http", nil), ("a", nil), ("1a", nil), ("abcdefghijklmno", nil), ("", .empty),
      ("abcdefghijklmnop", .tooLong(count: 16)), ("web_site", .character("_")), ("wéb", .character("é")),
      ("443", .withoutLetter), ("4-3", .withoutLetter), ("-web", .leadingHyphen), ("web-", .trailingHyphen),
      ("we--b", .doubleHyphen), ("we b", .character(" ")), ("-", .leadingHyphen),
    ] as [(String, ServiceNameFault?)])
  func faults(name: String, fault: ServiceNameFault?) {
    #expect(ServiceNameFault.first(in: name) == fault)
  }

  @Test func reasonsAreSentences() {
    #expect("the name \(ServiceNameFault.tooLong(count: 17))" == "the name has 17 characters, and 15 are the most")
  }
}

@Suite struct PortClassTests {
  @Test(
    arguments: [
      (0, PortClass.system), (1023, .system), (1024, .user), (49151, .user), (49152, .dynamic), (65535, .dynamic),
    ] as [(UInt16, PortClass)])
  func classes(port: UInt16, expected: PortClass) {
    #expect(PortClass(of: port) == expected)
    #expect(expected.ports.contains(port))
  }

  @Test func classesAreDisjointAndCoverEverything() {
    #expect(PortClass.allCases.map(\.ports.count).reduce(0, +) == 65536)
  }
}
