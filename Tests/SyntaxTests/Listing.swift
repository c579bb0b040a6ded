/// A policy with every declaration and statement of the language.
let listing = #"""
  policy "acme production" {            # settings; at most one in a policy, all optional
    deny with      drop                 # or: reject
    log denied     5/second             # rate-limited log of what was refused
    ephemeral      32768-60999          # the hosts' client-port range (net.ipv4.ip_local_port_range)
    nodeports      30000-32767          # default for clusters
    ping           open                 # or: closed
  }

  owner payments {
    contact    "payments@acme.example"
    approvers  "@acme/payments", "@acme/netsec"     # who must agree to a change of this owner's exposures
  }

  zone office  { 203.0.113.0/24, 2001:db8:10::/48 }
  zone vpn     { 10.8.0.0/16 }
  zone lan     { 10.0.0.0/8 }           # `internet` (every address) and `localhost` are built in

  service payments-api {
    owner    payments
    purpose  "Card payments for the shop front"
    port     api     8443/tcp                       # the name is optional; the port the process listens on
    port     metrics 9102/tcp
    class    internal                               # database, admin, metrics, control-plane, ... or your own word
    expose   api to internet as 443/tcp             # public port 443, redirected to 8443
             limit 200/second burst 400 per source
    expose   api to vpn                             # 8443 itself
    expose   metrics to prometheus                  # an audience is a zone, a service, a host, a group, an owner or an address
    expose   api to 198.51.100.0/24 until 2027-03-31 because "partner cut-over" ticket "NET-1423"
    uses     payments-db                            # what this service connects to
    uses     internet on 443/tcp
  }

  service payments-db {
    owner payments;  purpose "Ledger";  class database
    port   5432/tcp  speaks postgresql              # the IANA service name of the protocol spoken
    expose to payments-api                          # all its ports
  }

  host web1 {
    address    192.0.2.10, 2001:db8::10
    interface  eth0 in internet
    interface  eth1 in lan
    runs       payments-api
    runs       node-exporter on 10.0.0.10           # bound to one address
  }
  group web { web1, web2; runs node-exporter }

  host gw1 { address 198.51.100.1; interface eth0 in internet; interface eth1 in lan }
  transit lan to internet via gw1 masquerade        # forwarding through a router
  # on a service:  expose api to internet via gw1 as 443/tcp     (DNAT on gw1 to the hosts that run it)

  cluster prod {
    pods       10.42.0.0/16
    nodes      k8s-nodes                            # a group of hosts, or addresses
    nodeports  30000-32767
    allot      30100-30199 to payments              # blocks of NodePorts given to owners
    ingress    namespace ingress-nginx pods app.kubernetes.io/name=ingress-nginx
    workload payments-api {
      namespace payments
      pods      app=payments-api
      publish   nodeport 30110                      # or: cluster, loadbalancer, ingress "pay.acme.example" "/"
    }
  }

  block 192.0.2.66, badguys                         # closed for these sources, whatever is exposed; `block X to Y` narrows it

  never  internet to class database                 # an invariant, proved over all packets; a breach shows a packet
  never  internet to 22/tcp except office
  always prometheus to node-exporter on 9100/tcp

  waive sensitive-exposure on legacy-db until 2026-12-31 because "vendor appliance" ticket "SEC-88"
  """#

/// A shorter one with every declaration, statement and clause, for mutations.
let everything = #"""
  policy "a \"b\"" { deny with reject; log denied 5/second burst 9
    ephemeral 32768-60999  # c
    nodeports 30000-32767; ping closed; check system-port off }
  owner o { contact "c"; approvers "@a", "@b" }
  zone z { 10.0.0.0/8, 2001:db8::/32,
    internet except 10.1.0.0-10.1.0.9 }
  service s {
    owner o; purpose "p"; class database, k
    port a 80/tcp, 53/tcp+udp speaks http  # trailing

    # own line
    port echo-request/icmp
    expose a, b to internet, zone z, class k
      except 192.0.2.1 as 443/tcp via h
      limit 2/second burst 4 per source until 2027-03-31
      because "b" ticket "t" logged
    uses t, localhost on 1-9/udp until 2027-01-01
  }
  host h { address 192.0.2.1, ::1; interface eth0 in internet, z
    runs s, t on 192.0.2.1; ephemeral 1-9; egress closed }
  group g { h, i; runs s }
  transit z to internet on 80/tcp via h masquerade
  cluster c { pods 10.42.0.0/16; nodes g; nodeports 30000-30001
    allot 30000-30001 to o; ingress namespace n pods a/b=c, d=e
    workload s { namespace n; pods app=s; publish a nodeport 30000; publish cluster
      publish ingress "h" "/"; publish loadbalancer }
  }
  block z to service s on 22/tcp until 2027-01-01 because "b" logged
  never z to 22/tcp, 23/tcp except o
  always z to s on 9/tcp ticket "t"
  waive x on s until 2026-12-31 because "v"
  """#
