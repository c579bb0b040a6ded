public import Packets

/// A protocol that sends what it carries, and often a password, for everyone on the way to read.
public struct PlainTextProtocol: Hashable, Sendable {
  /// The name, as a policy says it after `speaks`.
  public let name: String
  /// Other names of it.
  public let aliases: [String]
  /// The ports on which it is spoken unless another protocol is named.
  public let traffic: [Traffic]
  /// What goes in the clear.
  public let exposes: Exposes
  /// What to use instead.
  public let instead: String

  /// What a plain-text protocol gives away.
  public enum Exposes: Hashable, Sendable {
    /// Passwords, or a session that needs none.
    case credentials
    /// What is carried, which may be public anyway, as on the web.
    case contents
  }

  /// Creates a row of the table.
  init(
    _ name: String, _ aliases: String..., tcp: [UInt16] = [], udp: [UInt16] = [], exposes: Exposes, instead: String
  ) {
    self.name = name
    self.aliases = aliases
    self.exposes = exposes
    self.instead = instead
    traffic = tcp.map { .ports(.tcp, PortRange($0)) } + udp.map { .ports(.udp, PortRange($0)) }
  }
}

extension PlainTextProtocol {
  /// Returns the protocol `name`, if it is one of these.
  public static func named(_ name: String) -> PlainTextProtocol? {
    (positions.byName[name] ?? positions.byName[name.lowercased()]).map { all[$0] }
  }

  /// Returns the protocol that is spoken on `port` unless another one is named, if it is one of these.
  public static func at(_ port: UInt16, _ transport: TransportProtocol) -> PlainTextProtocol? {
    positions.byPort[.ports(transport, PortRange(port))].map { all[$0] }
  }

  /// Where in `all` the protocol of a port and that of a name are.
  private static let positions: (byPort: [Traffic: Int], byName: [String: Int]) = {
    var byPort: [Traffic: Int] = [:]
    var byName: [String: Int] = [:]
    for (position, row) in all.enumerated() {
      for traffic in row.traffic { byPort[traffic] = position }
      for name in [row.name] + row.aliases { byName[name] = position }
    }
    return (byPort, byName)
  }()

  /// Every protocol of the table.
  ///
  /// Those are left out that begin in the clear and change to TLS where both ends are set up so and where the port alone
  /// does not tell (SMTP between servers, PostgreSQL, MySQL, AMQP, XMPP), and those whose contents are public by nature (DNS,
  /// NTP). Databases are sensitive ports in any case.
  public static let all: [PlainTextProtocol] = [
    Self("ftp", "ftp-data", tcp: [20, 21], exposes: .credentials, instead: "SFTP (22/tcp) or FTP over TLS (990/tcp)"),
    Self("telnet", tcp: [23], exposes: .credentials, instead: "SSH (22/tcp)"),
    Self("tftp", udp: [69], exposes: .credentials, instead: "HTTPS (443/tcp) or SFTP (22/tcp)"),
    Self("finger", tcp: [79], exposes: .contents, instead: "nothing: close it"),
    Self("http", "http-alt", "www", "www-http", tcp: [80, 8080], exposes: .contents, instead: "HTTPS (443/tcp)"),
    Self("pop2", tcp: [109], exposes: .credentials, instead: "POP3 over TLS (995/tcp)"),
    Self("pop3", tcp: [110], exposes: .credentials, instead: "POP3 over TLS (995/tcp)"),
    Self("imap", "imap2", tcp: [143], exposes: .credentials, instead: "IMAP over TLS (993/tcp)"),
    Self("snmp", tcp: [161], udp: [161], exposes: .credentials, instead: "SNMP version 3 over TLS or DTLS (10161)"),
    Self("snmptrap", "snmp-trap", tcp: [162], udp: [162], exposes: .credentials, instead: "SNMP version 3 (10162)"),
    Self("ldap", tcp: [389], udp: [389], exposes: .credentials, instead: "LDAP over TLS (636/tcp)"),
    Self("exec", "rexec", tcp: [512], exposes: .credentials, instead: "SSH (22/tcp)"),
    Self("login", "rlogin", tcp: [513], exposes: .credentials, instead: "SSH (22/tcp)"),
    Self("shell", "rsh", "rcp", tcp: [514], exposes: .credentials, instead: "SSH (22/tcp)"),
    Self("syslog", udp: [514], exposes: .contents, instead: "syslog over TLS (6514/tcp)"),
    Self("rsync", tcp: [873], exposes: .credentials, instead: "rsync through SSH (22/tcp)"),
    Self("mqtt", tcp: [1883], exposes: .credentials, instead: "MQTT over TLS (8883/tcp)"),
    Self("docker", tcp: [2375], exposes: .credentials, instead: "Docker over TLS (2376/tcp)"),
    Self("vnc", "rfb", tcp: [5900, 5901, 5902, 5903], exposes: .credentials, instead: "VNC through SSH or a VPN"),
    Self("winrm", "wsman", tcp: [5985], exposes: .credentials, instead: "WinRM over TLS (5986/tcp)"),
    Self("x11", tcp: [6000, 6001, 6002, 6003], exposes: .credentials, instead: "X11 through SSH (22/tcp)"),
    Self("irc", "ircu", tcp: [6667], exposes: .credentials, instead: "IRC over TLS (6697/tcp)"),
    Self("redis", tcp: [6379], exposes: .credentials, instead: "Redis with TLS on a port of its own"),
    Self(
      "memcached", "memcache", tcp: [11211], udp: [11211], exposes: .credentials,
      instead: "memcached with TLS, on an internal address"),
  ]
}
