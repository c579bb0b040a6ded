public import Firewalls
import Packets
public import Syntax

/// The translator to `sysctl.conf`, which keeps clients from taking the ports that services listen on.
public enum SysctlBackend: HostBackend {
  /// The name of the target.
  public static let name = "sysctl"

  /// Returns `sysctl.conf`, which reserves what the host listens on among the ports that its clients take.
  public static func compile(_ firewall: Firewall, sources: Sources) -> Compilation {
    let reserved = reservedPorts(of: firewall)
    var text = """
      # Settings of \(plain(firewall.name)) for sysctl, compiled by portcullis; do not edit.
      #
      # Clients on this host take ports from \(firewall.ephemeral) (net.ipv4.ip_local_port_range).

      """
    if reserved.isEmpty {
      text += """
        # No service listens there, so nothing has to be reserved.

        """
    } else {
      text += """
        # Services listen on some of them. A client that took one first would keep the service from starting, so the
        # kernel hands these out only to who asks for them by number. One list serves all protocols and IPv6 as well,
        # and each network namespace has a list of its own.
        net.ipv4.ip_local_reserved_ports = \(reserved.map(\.description).joined(separator: ","))

        """
    }
    return Compilation(artefacts: [Artefact(path: "sysctl.conf", text: text)])
  }

  /// Returns the ports among `ephemeral` that `firewall` has listeners on, as the fewest ranges, in order.
  static func reservedPorts(of firewall: Firewall) -> [PortRange] {
    let ephemeral = IntervalSet(firewall.ephemeral.lower...firewall.ephemeral.upper)
    let listening = IntervalSet(firewall.listening.compactMap(\.ports).map { $0.lower...$0.upper })
    return listening.intersection(ephemeral).intervals.map { PortRange(from: $0.lowerBound, through: $0.upperBound) }
  }

  /// Returns `text` without line breaks.
  private static func plain(_ text: String) -> String {
    String(decoding: text.utf8.map { $0 < 0x20 ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
  }
}
