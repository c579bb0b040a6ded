/// Tables for tests.
enum Samples {
  /// Every field, comparison, kind of set and statement of the model.
  static let everything = """
    table inet portcullis {
    	set hash {
    		type ipv4_addr . inet_proto . inet_service
    		size 16
    		counter
    		elements = {
    			10.0.0.0 . tcp . 80 comment "site policy.port:1",
    			10.0.1.0 . 47 . 0,
    		}
    	}

    	set hash6 {
    		type ipv6_addr . ipv6_addr . inet_proto . inet_service
    		elements = {
    			2001:db8:: . ::1 . udp . 53 comment "dns",
    		}
    	}

    	set networks {
    		type ipv4_addr
    		flags interval
    		elements = {
    			10.0.0.0/8 comment "a",
    			11.0.0.0/8 comment "b",
    			12.0.0.1-12.0.0.9,
    			192.0.2.1,
    			255.255.0.0/16 comment "c",
    		}
    	}

    	set everywhere {
    		type ipv6_addr
    		flags interval
    		elements = {
    			::/0,
    		}
    	}

    	set ranges {
    		type ipv4_addr . inet_proto . inet_service
    		flags interval
    		counter
    		elements = {
    			10.0.0.1-10.0.0.9 . tcp . 80 comment "x",
    			10.1.0.0/16 . tcp . 81,
    			10.2.0.1 . udp . 82,
    		}
    	}

    	set messages {
    		type ipv4_addr . icmp_type . icmp_code
    		elements = {
    			10.0.0.1 . 3 . 4,
    		}
    	}

    	set messages6 {
    		type icmpv6_type . icmpv6_code
    		elements = {
    			1 . 4,
    		}
    	}

    	set limited {
    		type ipv4_addr . inet_proto . inet_service
    		size 65535
    		flags dynamic, timeout
    		timeout 300s
    	}

    	set limited6 {
    		type ipv6_addr
    		size 65535
    		flags dynamic, timeout
    		timeout 86400s
    	}

    	map verdicts {
    		type ipv4_addr . inet_proto . inet_service : verdict
    		size 16
    		counter
    		elements = {
    			10.0.0.0 . tcp . 80 comment "a" : jump one,
    			10.0.1.0 . tcp . 80 : goto two,
    			10.0.2.0 . tcp . 80 : accept,
    			10.0.3.0 . tcp . 80 : drop,
    			10.0.4.0 . tcp . 80 : return,
    			10.0.5.0 . tcp . 80 : jump one,
    		}
    	}

    	map redirects {
    		type inet_proto . inet_service : inet_service
    		size 16
    		elements = {
    			tcp . 443 : 8443,
    			udp . 53 : 5353,
    		}
    	}

    	map forwards {
    		type inet_proto . inet_service : ipv4_addr . inet_service
    		elements = {
    			tcp . 80 : 10.0.0.10 . 8080,
    		}
    	}

    	map forwards6 {
    		type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
    		elements = {
    			::1 . tcp . 80 : 2001:db8::10 . 8080,
    		}
    	}

    	map gate {
    		type nf_proto : verdict
    		flags timeout
    	}

    	chain one {
    	}

    	chain two {
    		counter
    		drop
    	}

    	chain judge {
    		ct state vmap { established : accept, related : accept, invalid : goto two }
    		ct state established accept
    		ct state { established, related } accept
    		ct status dnat return
    		iif "lo" accept
    		oif "lo" accept
    		iifname "eth0" counter accept comment "eth policy.port:2"
    		iifname != "eth0" accept
    		iifname { "eth0", "eth1.100" } accept
    		iifname != { "eth0", "eth1" } accept
    		oifname vmap { "eth0" : jump one, "eth1" : goto two }
    		fib daddr type local accept
    		fib daddr type { local, broadcast, multicast, anycast } goto two
    		fib saddr type local return
    		fib daddr oifname "eth0" accept
    		fib daddr oifname { "eth0", "eth1" } accept
    		fib daddr oifname vmap { "eth0" : jump one }
    		meta nfproto vmap { ipv4 : jump one, ipv6 : jump two }
    		meta nfproto vmap @gate
    		meta nfproto ipv4 meta l4proto tcp th dport 22 accept
    		meta l4proto { tcp, udp, 132 } accept
    		meta l4proto != tcp accept
    		meta time < 1830297600 accept
    		ip saddr 10.0.0.0/8 accept
    		ip saddr 10.0.0.0/9 ip daddr 192.0.2.1 accept
    		ip saddr 10.0.0.0/15 ip daddr != 192.0.2.0/23 accept
    		ip saddr 10.0.0.1-10.0.0.9 accept
    		ip saddr != 10.0.0.1-10.0.0.9 accept
    		ip saddr { 10.0.0.0/8, 11.0.0.1, 12.0.0.1-12.0.0.3 } accept
    		ip saddr != { 10.0.0.0/8, 255.0.0.0/8 } accept
    		ip saddr { 10.0.0.1, 10.0.0.2 } accept
    		ip6 saddr fe80::/10 accept
    		ip6 saddr fd00::/8 ip6 daddr 2001:db8::1 accept
    		ip6 saddr ::1-::9 accept
    		ip6 saddr { ::1, ffff::/16 } ip6 hoplimit 255 accept
    		meta nfproto ipv4 ip saddr 10.0.0.1 accept
    		meta l4proto tcp th dport 1024-65535 accept
    		meta l4proto tcp th dport != 1024-2047 accept
    		meta l4proto tcp th sport 80 th dport { 1-3, 7, 65535 } accept
    		icmp type 8 limit rate 50/second burst 100 packets accept
    		icmp type { 3, 11, 12 } accept
    		icmp type 3 icmp code 4 accept
    		icmpv6 type { 133, 134 } ip6 hoplimit 255 accept
    		ip saddr 10.0.0.1 icmp type 8 accept
    		ip saddr . icmp type . icmp code @messages accept
    		icmpv6 type . icmpv6 code @messages6 accept
    		ip saddr & 255.255.255.0 . meta l4proto . th dport @hash accept
    		ip saddr & 255.255.255.0 . meta l4proto . th dport & 65528 @hash accept
    		ip saddr . meta l4proto . th dport @ranges accept
    		ip6 saddr & ffff:ffff:: . ip6 daddr . meta l4proto . th dport @hash6 accept
    		ip saddr @networks accept
    		ip saddr != @networks accept
    		ip6 saddr @everywhere accept
    		ip saddr & 255.255.255.0 . meta l4proto . th dport vmap @verdicts
    		update @limited { ip saddr . meta l4proto . th dport limit rate 5/minute burst 7 packets } counter accept
    		update @limited6 { ip6 saddr limit rate 1/day burst 1 packets } log prefix "portcullis accepted x: " accept
    		limit rate 10/hour burst 5 packets log prefix "portcullis refused: "
    		meta l4proto tcp reject with tcp reset
    		reject with icmpx admin-prohibited
    		goto two
    	}

    	chain translate {
    		meta l4proto { tcp, udp } dnat to :meta l4proto . th dport map @redirects
    		meta l4proto tcp dnat ip to meta l4proto . th dport map @forwards
    		meta l4proto tcp dnat ip6 to ip6 daddr . meta l4proto . th dport map @forwards6
    		meta l4proto tcp dnat ip to jhash ip saddr mod 2 seed 0x1 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 81 }
    		meta l4proto tcp dnat ip6 to jhash ip6 saddr mod 3 seed 0x1 map { 0 : ::1 . 80, 1 : ::2 . 81, 2 : ::3 . 82 }
    	}

    	chain hide {
    		ip saddr 10.0.0.0/8 masquerade
    	}

    	chain prerouting {
    		type filter hook prerouting priority -150; policy accept;
    		goto judge
    	}

    	chain redirecting {
    		type nat hook prerouting priority -101; policy accept;
    		goto translate
    	}

    	chain postrouting {
    		type nat hook postrouting priority 100; policy accept;
    		goto hide
    	}

    	chain output {
    		type filter hook output priority -150; policy accept;
    	}
    }

    """
}
