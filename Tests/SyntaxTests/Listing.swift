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
