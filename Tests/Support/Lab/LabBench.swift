/// The namespaces, links, servers and probes of a laboratory, standing.
final class LabBench {
  let lab: Lab
  /// The host under test first, then the other end of each link that has peers.
  let namespaces: [NetworkNamespace]
  /// The links that have somebody at the other end, in the order of `namespaces`.
  let peeredLinks: [String]
  let probes: [ProbeProcess]

  /// The namespace of the host under test.
  var host: NetworkNamespace { namespaces[0] }

  /// Builds what `lab` describes.
  init(_ lab: Lab) throws {
    self.lab = lab
    let peered = lab.links.map(\.name).filter { link in lab.peers.contains { $0.link == link } }
    peeredLinks = peered
    let namespaces = try NetworkNamespace.make([lab.host] + peered)
    self.namespaces = namespaces
    do {
      probes = try zip(namespaces, [lab.host] + peered).map { try ProbeProcess(in: $0, name: $1) }
    } catch {
      NetworkNamespace.remove(namespaces)
      throw error
    }
    do {
      for probe in probes { try probe.ready() }
      try buildLinks()
      try startServers()
      try addTranslations()
    } catch {
      tearDown()
      throw error
    }
  }

  /// Ends the probes and removes the namespaces.
  func tearDown() {
    for probe in probes { probe.finish() }
    NetworkNamespace.remove(namespaces)
  }

  /// Returns the number of the namespace that `place`, the host or a peer, is in.
  func index(of place: String) -> Int {
    guard let link = lab.peers.first(where: { $0.name == place })?.link,
      let i = peeredLinks.firstIndex(of: link)
    else { return 0 }
    return i + 1
  }

  /// Settings of every namespace: no waiting for duplicate addresses, no noise, no filter but the one under test.
  private static let settings = [
    "net/ipv6/conf/all/accept_dad 0", "net/ipv6/conf/default/accept_dad 0",
    "net/ipv6/conf/default/dad_transmits 0", "net/ipv6/conf/default/accept_ra 0",
    "net/ipv6/conf/default/router_solicitations 0",
    "net/ipv4/conf/all/rp_filter 0", "net/ipv4/conf/default/rp_filter 0",
    "net/ipv4/conf/all/accept_redirects 0", "net/ipv4/conf/default/accept_redirects 0",
    "net/ipv4/conf/all/send_redirects 0", "net/ipv4/conf/default/send_redirects 0",
    "net/ipv4/icmp_ratelimit 0", "net/ipv6/icmp/ratelimit 0", "net/ipv4/icmp_msgs_per_sec 100000",
    "net/ipv4/icmp_msgs_burst 100000", "net/ipv4/icmp_echo_ignore_broadcasts 0",
  ]

  private func buildLinks() throws {
    let forwarding = lab.forwards ? ["net/ipv4/ip_forward 1", "net/ipv6/conf/all/forwarding 1"] : []
    for (i, probe) in probes.enumerated() {
      try probe.tell((LabBench.settings + (i == 0 ? forwarding : [])).map { "sysctl " + $0 })
    }
    try NetworkNamespace.batch(
      lab.links.map { link in
        guard let i = peeredLinks.firstIndex(of: link.name) else {
          return "link add \(link.name) netns \(host.name) type veth peer name \(link.name)-end netns \(host.name)"
        }
        return
          "link add \(link.name) netns \(host.name) type veth peer name \(link.name) netns \(namespaces[i + 1].name)"
      })
    try NetworkNamespace.batch(hostLines, in: host)
    for (i, link) in peeredLinks.enumerated() {
      try NetworkNamespace.batch(peerLines(of: link), in: namespaces[i + 1])
    }
    for (i, probe) in probes.enumerated() {
      let names = i == 0 ? lab.links.map(\.name) : [peeredLinks[i - 1]]
      try probe.tell([(["links"] + names).joined(separator: " ")])
    }
  }

  /// What `ip -batch` is told in the host under test: its addresses, and where each peer is.
  private var hostLines: [String] {
    var lines = ["link set lo up"]
    for link in lab.links {
      for (address, length) in link.addresses {
        let extra = address.isIPv6 ? "nodad" : "broadcast +"
        lines.append("addr add \(address)/\(length) \(extra) dev \(link.name)")
      }
      lines.append("link set \(link.name) up")
      if !peeredLinks.contains(link.name) { lines.append("link set \(link.name)-end up") }
    }
    for peer in lab.peers {
      for address in peer.addresses where !address.isLinkLocal {
        lines.append("route replace \(address) dev \(peer.link)")
      }
    }
    return lines
  }

  /// What `ip -batch` is told at the other end of `link`: the peers' addresses, and the host as the way to everywhere.
  private func peerLines(of name: String) -> [String] {
    guard let link = lab.links.first(where: { $0.name == name }) else { return [] }
    var lines = ["link set lo up", "link set \(name) up"]
    for address in lab.peers.filter({ $0.link == name }).flatMap(\.addresses) {
      let suffix = address.isLinkLocal ? "/64 nodad" : address.isIPv6 ? "/128 nodad" : "/32"
      lines.append("addr add \(address)\(suffix) dev \(name)")
    }
    let families = [false, true].compactMap { isIPv6 in
      link.addresses.first { $0.address.isIPv6 == isIPv6 && !$0.address.isLinkLocal }?.address
    }
    lines += families.map { "route add default via \($0) dev \(name) onlink" }
    let broadcasts = link.addresses.filter { !$0.address.isIPv6 && $0.length < 31 }.map {
      $0.address.lastAddress(prefixLength: $0.length).description
    }
    lines += Set(broadcasts).sorted().map { "route add broadcast \($0) dev \(name)" }
    return lines
  }

  private func startServers() throws {
    var commands = [[String]](repeating: [], count: probes.count)
    for listener in lab.listeners {
      let i = index(of: listener.place)
      let isTCP = listener.port.transport == "tcp"
      let all = isTCP ? ["0.0.0.0", "::"].compactMap { LabAddress($0) } : addresses(of: listener.place)
      for address in listener.addresses.isEmpty ? all : listener.addresses {
        commands[i].append("listen \(listener.port.transport) \(listener.port.number) \(address)")
      }
    }
    // The kernel delivers a multicast packet only where somebody has joined its group.
    for group in Set(questions.map(\.destination)) where group.isMulticast {
      commands[0] += lab.links.map { "join \(group) \($0.name)" }
    }
    for (probe, lines) in zip(probes, commands) { try probe.tell(Array(Set(lines)).sorted()) }
  }

  private var questions: [Question] {
    lab.steps.compactMap { if case .question(let question) = $0 { question } else { nil } }
  }

  /// Returns the addresses that a UDP server on `place` is bound to one by one, so that it answers from each.
  private func addresses(of place: String) -> [LabAddress] {
    guard place == lab.host else { return lab.peers.filter { $0.name == place }.flatMap(\.addresses) }
    let own = lab.links.flatMap(\.addresses).map(\.address) + ["127.0.0.1", "::1"].compactMap { LabAddress($0) }
    return own.filter { !$0.isLinkLocal }
  }

  /// The table that another program has in the host, as Docker has one.
  private func addTranslations() throws {
    guard !lab.translations.isEmpty else { return }
    let rules = lab.translations.map {
      let family = $0.target.isIPv6 ? "ip6" : "ip"
      let target = $0.target.isIPv6 ? "[\($0.target)]" : "\($0.target)"
      return "    meta nfproto \($0.target.isIPv6 ? "ipv6" : "ipv4") fib daddr type local "
        + "\($0.port.transport) dport \($0.port.number) dnat \(family) to \(target):\($0.targetPort)\n"
    }
    let text = """
      table inet somebody {
        chain prerouting {
          type nat hook prerouting priority dstnat; policy accept;
      \(rules.joined())  }
      }

      """
    let result = try host.run(["nft", "-f", "-"], input: text)
    guard result.status == 0 else { throw LabError(description: "somebody else's table: \(result.errors)") }
  }
}
