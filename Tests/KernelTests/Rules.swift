import Support

/// Rulesets written by hand, to test the laboratory with.
enum Rules {
  static func iptables(_ kind: RulesetKind, _ ipv4: String, _ ipv6: String) -> Ruleset {
    .iptables(ipv4: ipv4, ipv6: ipv6, legacy: kind == .iptablesLegacy)
  }

  /// Returns a ruleset that accepts everything.
  static func open(_ kind: RulesetKind) -> Ruleset {
    let text = "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"
    return kind == .nftables
      ? .nftables(["table inet open { chain input { type filter hook input priority 0; policy accept; }; }\n"])
      : iptables(kind, text, text)
  }

  /// Returns a ruleset that drops everything that comes in.
  static func wall(_ kind: RulesetKind) -> Ruleset {
    let text = "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\nCOMMIT\n"
    return kind == .nftables
      ? .nftables(["table inet wall { chain input { type filter hook input priority 0; policy drop; }; }\n"])
      : iptables(kind, text, text)
  }

  /// Returns a ruleset that accepts no new connection from outside.
  static func closed(_ kind: RulesetKind) -> Ruleset {
    let start =
      "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
    return kind == .nftables
      ? .nftables([
        """
        table inet lab
        delete table inet lab
        table inet lab {
          chain input {
            type filter hook input priority 0; policy drop;
            iif lo accept
            ct state established accept
            icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
          }
        }

        """
      ])
      : iptables(kind, start + "COMMIT\n", start + "-A INPUT -p icmpv6 -j ACCEPT\nCOMMIT\n")
  }

  /// Returns a ruleset that severs established connections too.
  static func severed(_ kind: RulesetKind) -> Ruleset {
    kind == .nftables
      ? .nftables([
        """
        table inet lab
        delete table inet lab
        table inet lab { chain input { type filter hook input priority 0; policy drop; }; }

        """
      ])
      : wall(kind)
  }

  /// Returns a ruleset under which `LabTests.selective` is as it says.
  static func selective(_ kind: RulesetKind) -> Ruleset {
    kind == .nftables ? .nftables([selectiveNftables]) : iptables(kind, selectiveIPv4, selectiveIPv6)
  }

  private static let selectiveNftables = """
    table inet lab
    delete table inet lab
    table inet lab {
      set slow {
        type ipv4_addr
        size 1024
        flags dynamic,timeout
        timeout 1m
      }
      chain judge {
        type filter hook prerouting priority mangle; policy accept;
        iif lo accept
        ct state established,related accept
        ct state invalid drop
        fib daddr type { local, broadcast, multicast } goto local
      }
      chain local {
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
        icmpv6 type mld-listener-query accept
        ip saddr 192.0.2.66 drop
        udp dport 5355 accept
        udp sport 547 udp dport 546 ip6 saddr fe80::/10 accept
        icmp type echo-request accept
        icmpv6 type echo-request accept
        tcp dport 443 accept
        udp dport 53 accept
        meta l4proto sctp th dport 3868 accept
        iifname "eth1" tcp dport { 5432, 8081 } accept
        tcp dport 22 ip saddr 192.0.2.64/27 update @slow { ip saddr limit rate 1/minute burst 5 packets } accept
        tcp dport 23 reject with tcp reset
        meta l4proto { tcp, udp } th dport 24 reject with icmpx admin-prohibited
        udp dport 25 reject with icmpx port-unreachable
        drop
      }
      chain translate {
        type nat hook prerouting priority dstnat; policy accept;
        tcp dport 443 fib daddr type local redirect to :8443
      }
    }

    """

  private static let selectiveIPv4 = """
    *mangle
    :PREROUTING ACCEPT [0:0]
    :LOCAL - [0:0]
    -A PREROUTING -i lo -j ACCEPT
    -A PREROUTING -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    -A PREROUTING -m conntrack --ctstate INVALID -j DROP
    -A PREROUTING -m addrtype --dst-type LOCAL -j LOCAL
    -A PREROUTING -m addrtype --dst-type BROADCAST -j LOCAL
    -A PREROUTING -m addrtype --dst-type MULTICAST -j LOCAL
    -A LOCAL -s 192.0.2.66 -j DROP
    -A LOCAL -p udp --dport 5355 -j ACCEPT
    -A LOCAL -p icmp --icmp-type echo-request -j ACCEPT
    -A LOCAL -p tcp --dport 443 -j ACCEPT
    -A LOCAL -p udp --dport 53 -j ACCEPT
    -A LOCAL -p sctp --dport 3868 -j ACCEPT
    -A LOCAL -i eth1 -p tcp -m multiport --dports 5432,8081 -j ACCEPT
    -A LOCAL -p tcp --dport 22 -s 192.0.2.64/27 -m hashlimit --hashlimit-name slow --hashlimit-upto 1/minute --hashlimit-burst 5 --hashlimit-mode srcip -j ACCEPT
    -A LOCAL -p tcp -m multiport --dports 23,24 -j RETURN
    -A LOCAL -p udp -m multiport --dports 24,25 -j RETURN
    -A LOCAL -j DROP
    COMMIT
    *filter
    :INPUT ACCEPT [0:0]
    -A INPUT -i lo -j ACCEPT
    -A INPUT -p tcp --dport 23 -j REJECT --reject-with tcp-reset
    -A INPUT -p tcp --dport 24 -j REJECT --reject-with icmp-admin-prohibited
    -A INPUT -p udp --dport 24 -j REJECT --reject-with icmp-admin-prohibited
    -A INPUT -p udp --dport 25 -j REJECT --reject-with icmp-port-unreachable
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    -A PREROUTING -p tcp --dport 443 -m addrtype --dst-type LOCAL -j REDIRECT --to-ports 8443
    COMMIT

    """

  private static let selectiveIPv6 = """
    *mangle
    :PREROUTING ACCEPT [0:0]
    :LOCAL - [0:0]
    -A PREROUTING -i lo -j ACCEPT
    -A PREROUTING -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    -A PREROUTING -m conntrack --ctstate INVALID -j DROP
    -A PREROUTING -j LOCAL
    -A LOCAL -p icmpv6 --icmpv6-type neighbour-solicitation -j ACCEPT
    -A LOCAL -p icmpv6 --icmpv6-type neighbour-advertisement -j ACCEPT
    -A LOCAL -p icmpv6 --icmpv6-type router-advertisement -j ACCEPT
    -A LOCAL -p icmpv6 --icmpv6-type echo-request -j ACCEPT
    -A LOCAL -s fe80::/10 -p udp --sport 547 --dport 546 -j ACCEPT
    -A LOCAL -p udp --dport 5355 -j ACCEPT
    -A LOCAL -p tcp --dport 443 -j ACCEPT
    -A LOCAL -p udp --dport 53 -j ACCEPT
    -A LOCAL -p sctp --dport 3868 -j ACCEPT
    -A LOCAL -p tcp -m multiport --dports 23,24 -j RETURN
    -A LOCAL -p udp -m multiport --dports 24,25 -j RETURN
    -A LOCAL -j DROP
    COMMIT
    *filter
    :INPUT ACCEPT [0:0]
    -A INPUT -i lo -j ACCEPT
    -A INPUT -p tcp --dport 23 -j REJECT --reject-with tcp-reset
    -A INPUT -p tcp --dport 24 -j REJECT --reject-with icmp6-adm-prohibited
    -A INPUT -p udp --dport 24 -j REJECT --reject-with icmp6-adm-prohibited
    -A INPUT -p udp --dport 25 -j REJECT --reject-with icmp6-port-unreachable
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    -A PREROUTING -p tcp --dport 443 -m addrtype --dst-type LOCAL -j REDIRECT --to-ports 8443
    COMMIT

    """

  /// A router that masquerades, forwards one port, and refuses the rest of what would go in.
  static let router = Ruleset.nftables([
    """
    table inet gw {
      chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        iifname "eth1" oifname "eth0" accept
        ct status dnat accept
        meta nfproto ipv6 reject with icmpx admin-prohibited
      }
      chain before {
        type nat hook prerouting priority dstnat;
        iifname "eth0" ip daddr 198.51.100.1 tcp dport 443 dnat ip to 10.0.0.10:8443
      }
      chain after {
        type nat hook postrouting priority srcnat;
        oifname "eth0" ip saddr 10.0.0.0/8 masquerade
      }
    }

    """
  ])
}
