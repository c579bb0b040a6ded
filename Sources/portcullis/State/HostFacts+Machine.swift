import Deploy

extension HostFacts {
  /// What this machine says of itself; what cannot be read is left out.
  static var ofThisMachine: HostFacts {
    var facts = HostFacts()
    if let text = textIfReadable(at: "/proc/self/net/fib_trie") { facts.read(fibTrie: text) }
    if let text = textIfReadable(at: "/proc/self/net/if_inet6") { facts.read(ifInet6: text) }
    if let text = textIfReadable(at: "/proc/self/net/route") { facts.read(route: text) }
    if let text = textIfReadable(at: "/proc/self/net/ipv6_route") { facts.read(ipv6Route: text) }
    if let text = textIfReadable(at: "/proc/sys/net/ipv4/ip_local_port_range") { facts.read(portRange: text) }
    if let text = textIfReadable(at: "/proc/sys/net/ipv4/ip_local_reserved_ports") { facts.read(reservedPorts: text) }
    if let text = textIfReadable(at: "/etc/passwd") { facts.read(passwd: text) }
    return facts
  }
}
