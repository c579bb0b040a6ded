import Packets
import Policies
import Testing

@Suite struct KnownServicesTests {
  @Test(
    arguments: [
      ("kubernetes-api", 6443), ("http", 8080), ("elasticsearch", 9200), ("prometheus", 9090), ("node-exporter", 9100),
      ("eureka", 8761), ("minecraft", 25565), ("kubelet", 10250), ("docker", 2375), ("rabbitmq-management", 15672),
      ("grafana", 3000), ("kibana", 5601), ("mongodb", 27017), ("kafka", 9092), ("memcached", 11211), ("redis", 6379),
      ("postgresql", 5432), ("postgres", 5432), ("mysql", 3306), ("zookeeper", 2181), ("cassandra", 9042), ("ssh", 22),
      ("https", 443), ("https", 8443), ("http-alt", 8080), ("ELASTICSEARCH", 9200), ("oracle", 1521), ("etcd", 2379),
    ] as [(String, UInt16)])
  func usual(name: String, port: UInt16) {
    #expect(KnownServices.isKnown(name))
    #expect(KnownServices.isUsual(name, on: port, .tcp))
    #expect(!KnownServices.isUsual(name, on: port, .sctp) || PortRegistry.iana.assigns(name, to: port, .sctp))
    #expect(!KnownServices.isUsual(name, on: 1, .tcp))
    #expect(KnownServices.ports(of: name).contains { $0.contains(.ports(.tcp, PortRange(port))) })
  }

  @Test func deFactoNamesComeFirst() {
    #expect(KnownServices.names(of: 6443, .tcp) == ["kubernetes-api", "sun-sr-https"])
    #expect(KnownServices.names(of: 5432, .tcp) == ["postgresql"])
    #expect(KnownServices.names(of: 443, .udp) == ["http3", "https"])
    #expect(KnownServices.names(of: 60000, .tcp) == [])
    #expect(KnownServices.ports(of: "nobody-knows") == [])
    #expect(!KnownServices.isKnown("nobody-knows"))
  }

  @Test func nearNamesAreThoseThatPeopleUse() {
    #expect(KnownServices.names(near: "elasticserch").first == "elasticsearch")
    #expect(KnownServices.names(near: "postgers").contains("postgres"))
    #expect(KnownServices.names(near: "htpps").contains("https"))
    #expect(KnownServices.names(near: "zzzzqqqq") == [])
    #expect(KnownServices.names(near: "") == [])
  }

  @Test func deFactoTableIsSound() {
    var names = Set<String>()
    for service in DeFactoService.all {
      for name in [service.name] + service.aliases {
        #expect(names.insert(name).inserted, "\(name) stands twice")
        #expect(name == name.lowercased())
        #expect(name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }, "\(name)")
        #expect(DeFactoService.named(name) == service)
      }
      #expect(!service.traffic.isEmpty, "\(service.name)")
      #expect(Set(service.traffic).count == service.traffic.count, "\(service.name)")
      for traffic in service.traffic {
        let port = traffic.ports?.lower ?? 0
        #expect(DeFactoService.all(on: port, traffic.transport).contains(service))
      }
    }
    #expect(DeFactoService.all.count >= 100)
  }
}

@Suite struct SensitivePortTests {
  /// The list that the tools together give, by the number.
  static let listed: [ClosedRange<UInt16>] = [
    20...23, 25...25, 110...111, 115...115, 135...135, 137...139, 143...143, 389...389, 445...445, 512...514, 636...636,
    873...873, 1433...1434, 1521...1521, 2049...2049, 2181...2181, 2375...2376, 2379...2380, 2483...2484, 3306...3306,
    3389...3389, 4243...4243, 4505...4506, 5432...5432, 5500...5500, 5601...5601, 5900...5900, 5984...5984,
    6379...6379, 6443...6443, 7000...7001, 7199...7199, 8020...8020, 8140...8140, 9042...9042, 9092...9092,
    9160...9160, 9200...9200, 9300...9300, 10250...10250, 10255...10259, 11211...11211, 27017...27018, 50070...50070,
  ]

  @Test func everyListedPortIsThere() {
    for port in Self.listed.joined() { #expect(SensitivePort.at(port, .tcp) != nil, "\(port)") }
    #expect(SensitivePort.at(161, .udp)?.name == "snmp")
  }

  @Test func webPortsAreNot() {
    for port: UInt16 in [0, 53, 80, 443, 8000, 8080, 8443, 8888, 3000, 65535] {
      #expect(SensitivePort.at(port, .tcp) == nil, "\(port)")
    }
    #expect(SensitivePort.at(22, .udp) == nil)
    #expect(SensitivePort.at(22, .sctp) == nil)
  }

  @Test func tableIsSortedAndSound() {
    for transport in [TransportProtocol.tcp, .udp] {
      let rows = SensitivePort.all.filter { $0.transport == transport }
      for (a, b) in zip(rows, rows.dropFirst()) { #expect(a.ports.upper < b.ports.lower, "\(a.name), \(b.name)") }
      for row in rows {
        #expect(!row.sources.isEmpty && Set(row.sources).count == row.sources.count, "\(row.name)")
        for port in row.ports.lower...row.ports.upper { #expect(SensitivePort.at(port, transport) == row) }
      }
    }
    #expect(SensitivePort.tcpAndUDPCount == SensitivePort.all.count)
  }

  @Test func rangesAreSearched() {
    let all = SensitivePort.all(in: .all, .tcp)
    #expect(Array(all) == SensitivePort.all.filter { $0.transport == .tcp })
    #expect(SensitivePort.first(in: PortRange(from: 24, through: 109), .tcp)?.name == "smtp")
    #expect(SensitivePort.first(in: PortRange(from: 8000, through: 8010), .tcp) == nil)
    #expect(SensitivePort.all(in: PortRange(from: 21, through: 23), .tcp).map(\.name) == ["ftp", "ssh", "telnet"])
    #expect(SensitivePort.all(in: PortRange(from: 62000, through: 65535), .tcp).isEmpty)
  }
}

extension SensitivePort {
  /// The number of rows of the two protocols that the table knows.
  fileprivate static var tcpAndUDPCount: Int { all.count { $0.transport == .tcp || $0.transport == .udp } }
}

@Suite struct PlainTextProtocolTests {
  @Test func tableIsSound() {
    var names = Set<String>()
    var traffic = Set<Traffic>()
    for row in PlainTextProtocol.all {
      for name in [row.name] + row.aliases {
        #expect(names.insert(name).inserted, "\(name) stands twice")
        #expect(PlainTextProtocol.named(name) == row)
      }
      for one in row.traffic {
        #expect(traffic.insert(one).inserted, "\(one) stands twice")
        #expect(PlainTextProtocol.at(one.ports?.lower ?? 0, one.transport) == row)
      }
    }
  }

  @Test func knowsTheWorst() {
    for port: UInt16 in [21, 23, 110, 143, 389, 512, 513, 514, 5900] {
      #expect(PlainTextProtocol.at(port, .tcp)?.exposes == .credentials, "\(port)")
    }
    #expect(PlainTextProtocol.at(69, .udp)?.name == "tftp")
    #expect(PlainTextProtocol.at(161, .udp)?.name == "snmp")
    #expect(PlainTextProtocol.at(80, .tcp)?.exposes == .contents)
    for port: UInt16 in [22, 443, 636, 993, 995, 8443] { #expect(PlainTextProtocol.at(port, .tcp) == nil, "\(port)") }
    #expect(PlainTextProtocol.named("TELNET")?.name == "telnet")
    #expect(PlainTextProtocol.named("https") == nil)
  }
}
