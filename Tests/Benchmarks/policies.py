"""Equal policies for Portcullis and its peers: services on a host, each open to one to three networks."""

import ipaddress
import pathlib
import random

OWNERS = 20


class Service:
    """A service: a port, and the networks that may connect."""

    def __init__(self, name, host, port, transport, networks):
        self.name, self.host, self.port, self.transport, self.networks = name, host, port, transport, networks


def generate(count, hosts=1):
    """Returns `count` services over `hosts` hosts; the same numbers give the same services."""
    dice = random.Random(count * 31 + hosts)
    services = []
    per_host = -(-count // hosts)
    for i in range(count):
        networks = set()
        while len(networks) < dice.choice((1, 2, 2, 3)):
            if dice.random() < 0.2:
                bits = (0xFD000DB8 << 96) | (dice.getrandbits(32) << 64)
                networks.add(ipaddress.ip_network((bits, 64)))
            else:
                length = dice.randint(20, 29)
                bits = (10 << 24) | dice.getrandbits(24)
                networks.add(ipaddress.ip_network((bits >> (32 - length) << (32 - length), length)))
        merged = [n for family in (4, 6)
                  for n in ipaddress.collapse_addresses(n for n in networks if n.version == family)]
        services.append(Service(f"s{i}", i // per_host, 1024 + i % per_host, dice.choice(("tcp", "udp")), merged))
    return services


def entries(count, length):
    """Returns services with `count` pairs of a port and a network in all, each open to two IPv4 networks of `length` bits, or of 20 to 29 if that is `None`."""
    dice = random.Random(count * 41)
    services = []
    for i in range(count // 2):
        networks = set()
        while len(networks) < 2:
            bits = dice.randint(20, 29) if length is None else length
            networks.add(ipaddress.ip_network((10 << 24 | dice.getrandbits(24) >> (32 - bits) << (32 - bits), bits)))
        # Two of one port, or the ports would not suffice.
        merged = list(ipaddress.collapse_addresses(networks))
        services.append(Service(f"s{i}", 0, 1024 + i // 2, ("udp", "tcp")[i % 2], merged))
    return services


def senders(services, count):
    """Returns `count` lines of an address and a UDP port, which the policy accepts."""
    dice = random.Random(count)
    spoken = [s for s in services if s.transport == "udp"]
    lines = []
    for _ in range(count):
        service = dice.choice(spoken)
        network = dice.choice(service.networks)
        lines.append(f"{network[dice.randrange(1, network.num_addresses - 1)]} {service.port}\n")
    return "".join(lines)


def portcullis(services, hosts, folder):
    """Writes the policy as Portcullis reads it, one file for each owner."""
    files = [[f'owner team{k} {{ contact "team{k}@acme.example"; approvers "@acme/team{k}" }}\n'] for k in range(OWNERS)]
    for i, service in enumerate(services):
        files[i % OWNERS].append(
            f"""
service {service.name} {{
  owner team{i % OWNERS}
  purpose "Service number {i}"
  port {service.port}/{service.transport}
  expose to {", ".join(map(str, service.networks))}
}}
""")
    folder.mkdir(parents=True, exist_ok=True)
    for k, parts in enumerate(files):
        (folder / f"team{k}.port").write_text("".join(parts))
    lines = ["zone corp { 10.0.0.0/8, fd00:db8::/32 }\n"]
    for h in range(hosts):
        names = [s.name for s in services if s.host == h]
        lines.append(f"host h{h} {{\n  address 192.0.2.{h + 1}, fd00:db8:ffff::{h + 1}\n  interface eth0 in corp\n")
        lines += [f"  runs {', '.join(names[i:i + 10])}\n" for i in range(0, len(names), 10)]
        lines.append("}\n")
    (folder / "hosts.port").write_text("".join(lines))


def changed(folder, copy):
    """Writes the policy of `folder` into `copy` with one line changed: the first service is open to one network more."""
    copy.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.port"):
        text = file.read_text()
        if file.name == "team0.port":
            text = text.replace("  expose to ", "  expose to 203.0.113.0/24, ", 1)
        (copy / file.name).write_text(text)


def cluster(count, folder):
    """Writes the policy of a cluster of `count` workloads in a tenth as many namespaces.

    Each is open to the two before it, and a fifth of them to a network outside too, by a port of each node.
    """
    dice = random.Random(count * 37)
    lines = [f'owner team{k} {{ contact "team{k}@acme.example" }}\n' for k in range(OWNERS)]
    workloads = []
    for i in range(count):
        audience = [f"w{j}" for j in (i - 2, i - 1) if j >= 0]
        uses = [f"w{j}" for j in (i + 1, i + 2) if j < count]
        outside = f"10.{dice.randrange(256)}.{dice.randrange(256)}.0/24" if i % 5 == 0 else None
        public = ", ".join(audience + ([outside] if outside else [])) or "198.51.100.0/24"
        lines.append(
            f'service w{i} {{\n  owner team{i % OWNERS}\n  purpose "Workload number {i}"\n  port {8000 + i % 100}/tcp\n'
            f"  expose to {public}\n" + (f"  uses {', '.join(uses)}\n" if uses else "") + "}\n")
        workloads.append(
            f"  workload w{i} {{ namespace n{i // 10}; pods app=w{i}; publish "
            + (f"nodeport {30000 + i // 5}" if outside else "cluster") + " }\n")
    lines.append("cluster prod {\n  pods 172.20.0.0/14\n  nodes 192.0.2.0/24\n" + "".join(workloads) + "}\n")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cluster.port").write_text("".join(lines))


def aerleon(services, folder):
    """Writes the policy as Aerleon reads it."""
    (folder / "def").mkdir(parents=True, exist_ok=True)
    (folder / "pol").mkdir(exist_ok=True)
    (folder / "def/networks.net").write_text(
        "".join(f"NET_{s.name} = " + "\n   ".join(map(str, s.networks)) + "\n" for s in services))
    (folder / "def/services.svc").write_text(
        "".join(f"SVC_{s.name} = {s.port}/{s.transport}\n" for s in services))
    terms = "".join(
        f"""
term {s.name} {{
  source-address:: NET_{s.name}
  destination-port:: SVC_{s.name}
  protocol:: {s.transport}
  action:: accept
}}
""" for s in services)
    (folder / "pol/h0.pol").write_text('header {\n  comment:: "Benchmark"\n  target:: nftables mixed input\n}\n' + terms)


def nftgen(services, folder):
    """Writes the policy as nftgen reads it."""
    (folder / "definitions").mkdir(parents=True, exist_ok=True)
    (folder / "policies/hosts").mkdir(parents=True, exist_ok=True)
    (folder / "definitions/networks.yaml").write_text(
        "networks:\n" + "".join(f'  n-{s.name}: [{", ".join(chr(34) + str(n) + chr(34) for n in s.networks)}]\n' for s in services))
    (folder / "definitions/services.yaml").write_text(
        "services:\n" + "".join(f"  p-{s.name}: [{s.port}/{s.transport}]\n" for s in services))
    (folder / "policies/hosts/h0.yaml").write_text(
        """tables:
  - family: inet
    name: filter
    chains:
      - name: input
        hook: input
        rules:
          - ct: [established, related]
            action: accept
""" + "".join(
            f"          - saddr: n-{s.name}\n            proto: {s.transport}\n            dport: p-{s.name}\n"
            f"            action: accept\n" for s in services))


def ferm(services, folder):
    """Writes the policy as ferm reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = "".join(
        f"  proto {s.transport} dport {s.port} saddr @ipfilter(({' '.join(map(str, s.networks))})) ACCEPT;\n"
        for s in services)
    (folder / "h0.ferm").write_text(
        "domain (ip ip6) table filter chain INPUT {\n  policy DROP;\n"
        "  mod conntrack ctstate (ESTABLISHED RELATED) ACCEPT;\n  interface lo ACCEPT;\n" + rules + "}\n")


def ufw(services, folder):
    """Writes the policy as the rules that ufw keeps, in a folder that takes the place of /etc/ufw."""
    rules = "".join(
        f"### tuple ### allow {s.transport} {s.port} 0.0.0.0/0 any {n} in\n"
        f"-A ufw-user-input -p {s.transport} --dport {s.port} -s {n} -j ACCEPT\n\n" for s in services for n in s.networks)
    (folder / "user.rules").write_text(
        "*filter\n:ufw-user-input - [0:0]\n:ufw-user-output - [0:0]\n:ufw-user-forward - [0:0]\n"
        ":ufw-user-limit - [0:0]\n:ufw-user-limit-accept - [0:0]\n### RULES ###\n\n" + rules + "### END RULES ###\n"
        "-A ufw-user-limit -m limit --limit 3/minute -j LOG --log-prefix \"[UFW LIMIT BLOCK] \"\n"
        "-A ufw-user-limit -j REJECT\n-A ufw-user-limit-accept -j ACCEPT\nCOMMIT\n")


def write_all(services, hosts, folder):
    """Writes the policy for everybody below `folder`; the peers have no notion of several hosts."""
    portcullis(services, hosts, pathlib.Path(folder) / "portcullis")
    if hosts == 1:
        for write in (aerleon, nftgen, ferm):
            write(services, pathlib.Path(folder) / write.__name__)
