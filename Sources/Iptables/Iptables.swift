// The room Iptables.
