"""What `run` measures on live hosts, which are network namespaces: loading, changing and reading tables, and packets."""

import json
import os
import pathlib
import shutil
import subprocess

import policies

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / ".tools/peers/bin"
TIMEOUT = 600

# Behind every ruleset: what is measured goes no further, and connection tracking is at work.
LATE = "table inet late { chain input { type filter hook input priority 1000; ct state invalid drop; ip ttl 63 drop; }; }"
EMPTY = "table inet empty { chain prerouting { type filter hook prerouting priority -150; }; }"


class Host:
    """A network namespace with a TUN device whose peers are all of 10.0.0.0/8."""

    counter = 0

    def __init__(self, name):
        Host.counter += 1
        self.name, self.space = name, f"pcb-{os.getpid()}-{Host.counter}"

    def __enter__(self):
        self.call("ip", "netns", "add", self.space)
        for line in ("link set lo up", "tuntap add dev wire mode tun", "address add 192.0.2.1/32 dev wire", "link set wire up",
                     "route add 10.0.0.0/8 dev wire"):
            self.call("ip", "-n", self.space, *line.split())
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.space], check=False)

    def call(self, *command, **options):
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=TIMEOUT, **options)

    def within(self, *command, **options):
        """Runs `command` on the host."""
        return self.call("ip", "netns", "exec", self.space, *command, **options)


def measured(*command, within=None):
    """Returns what `command` says in JSON, run on a host of its own, or in `within`, or `None` if it fails."""
    try:
        if within:
            return json.loads(within.within(*command).stdout)
        with Host("one") as host:
            return json.loads(host.within(*command).stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        print(f"  {pathlib.Path(command[0]).name} failed: {(getattr(error, 'stderr', None) or str(error))[-300:]}", flush=True)
        return None


def show(title, row):
    """Prints `row`, times of processors, and what a clock shows in brackets."""
    print(f"\n{title}")
    for name, value in (row or {}).items():
        if not name.endswith(", wall"):
            print(f"  {name:34} {value:12.3f} ms   ({row[f'{name}, wall']:.3f} ms by the clock)", flush=True)


def tables(run, programs, work, quick):
    """Measures tables that are written, read and changed, and connections that are judged; `run` runs a program."""
    live = programs / "live-hosts"
    result = {"elements": {}, "change": {}, "connections": {}, "verify": {}}
    if not live.exists():
        return result
    for count in (10_000,) if quick else (10_000, 100_000):
        row = measured(live, "elements", "7" if count == 10_000 else "5", str(count))
        result["elements"][count] = row
        show(f"a map of {count:,} elements", row)
    for count in (1_000,) if quick else (1_000, 10_000):
        folder, copy = work / f"live-{count}", work / f"live-{count}-changed"
        policies.portcullis(policies.generate(count), 1, folder)
        policies.changed(folder, copy)
        row = measured(live, "change", "9", str(folder), str(copy))
        result["change"][count] = row
        show(f"one exposure added to a host with {count:,} services", row)
        for connections in (10_000,) if quick else (10_000, 100_000):
            row = measured(live, "connections", "5", str(folder), str(connections))
            result["connections"][count, connections] = row
            show(f"{connections:,} connections judged by {count:,} services", row)
    for count in (5_000,) if quick else (5_000, 50_000):
        folder = work / f"verify-{count}"
        policies.portcullis(policies.generate(count), 1, folder)
        result["verify"][count] = verified(run, programs / "portcullis", folder, 3 if quick else 7)
        show(f"verify of {sum(len(s.networks) for s in policies.generate(count)):,} elements", result["verify"][count])
    result["connections"] = {f"{services} {connections}": row for (services, connections), row in result["connections"].items()}
    return result


def load(host, program, folder):
    """Loads what `program` makes of the policy in `folder` for its first host."""
    rules = host.call(program, "compile", str(folder), "--host", "h0", "--to", "nftables").stdout
    host.within("nft", "-f", "-", input=rules)


def verified(run, program, folder, times):
    """Measures `portcullis verify` by `run` on a host that does what the policy in `folder` says."""
    with Host("verified") as host:
        load(host, program, folder)
        rows = [run(["ip", "netns", "exec", host.space, program, "verify", str(folder), "--host", "h0", "--own"]) for _ in range(times)]
    if any(row["failure"] for row in rows):
        print(f"  verify failed: {rows[0]['failure']}", flush=True)
        return None
    middle = lambda name: sorted(row[name] for row in rows)[len(rows) // 2] * 1000
    return {"verify": middle("processor"), "verify, wall": middle("wall")}


class Packets:
    """What packets cost that a policy accepts, by whatever made the ruleset."""

    def __init__(self, programs, work):
        self.programs, self.work = programs, work

    def measure(self, count, length, rounds):
        """Returns nanoseconds a packet by what judges it, at `count` entries of networks of `length` bits, or of ten lengths if that is `None`."""
        shape = "of ten lengths" if length is None else f"of {length} bits"
        print(f"\npackets by {count:,} entries, networks {shape}", flush=True)
        folder = self.work / f"packets-{count}-{length}"
        folder.mkdir()
        services = policies.entries(count, length)
        (folder / "senders").write_text(policies.senders(services, 4096))
        # Few enough to be known connections, all of one service.
        known = next(s for s in services if s.transport == "udp")
        (folder / "known").write_text("".join(f"{known.networks[0][1 + i % 4]} {known.port}\n" for i in range(4096)))
        loaders = {
            "conntrack alone": lambda host: None,
            "an empty base chain": lambda host: host.within("nft", EMPTY),
            "portcullis": lambda host: self.portcullis(host, services, folder),
            "aerleon": lambda host: self.aerleon(host, services, folder),
            "ferm": lambda host: self.ferm(host, services, folder),
            "ufw": lambda host: self.ufw(host, services, folder),
        }
        # Loading would take hours, or each packet longer than a tenth of a second.
        if count > 10_000:
            loaders = {name: load for name, load in loaders.items() if name not in ("aerleon", "ufw", "ferm")}
        hosts, words = [], []
        try:
            for name, load in loaders.items():
                host = Host(name).__enter__()
                hosts.append(host)
                try:
                    load(host)
                    host.within("nft", LATE)
                except (OSError, subprocess.SubprocessError) as error:
                    print(f"  {name} failed: {(getattr(error, 'stderr', None) or str(error))[-300:]}", flush=True)
                    continue
                # Of long lists a tenth of the packets is enough.
                slow = "-" if name in ("aerleon", "ferm", "ufw") and count > 500 else ""
                words.append((name, f"{host.space}:wire:{folder / 'senders'}{slow}", f"{host.space}:wire:{folder / 'known'}+"))
            cost = lambda i, rounds: json.loads(
                hosts[0].call(self.programs / "packet-cost", str(rounds), *[word[i] for word in words]).stdout)
            # Those of known connections are quick, and differ by little.
            rows = zip(words, cost(1, rounds), cost(2, 5 * rounds))
            result = {name: {"new": new, "known": known} for (name, *_), new, known in rows}
        finally:
            for host in hosts:
                host.__exit__()
        for name, value in result.items():
            new, known = value["new"], value["known"]
            print(f"  {name:22} new {new['median']:8.0f} ns a packet, {new['over']:8.0f} over conntrack alone;"
                  f" of a known connection {known['median']:6.0f} ns, {known['over']:6.0f} over", flush=True)
        return {"entries": count, "networks": shape, "nanoseconds": result}

    def portcullis(self, host, services, folder):
        policies.portcullis(services, 1, folder / "portcullis")
        load(host, self.programs / "portcullis", folder / "portcullis")

    def aerleon(self, host, services, folder):
        policies.aerleon(services, folder / "aerleon")
        host.call(str(PEERS / "aclgen"), "--policy_file", "aerleon/pol/h0.pol", "--base_directory", "aerleon/pol", "--definitions_directory",
                  "aerleon/def", "--output_directory", str(folder), cwd=folder)
        host.within("nft", "-f", str(folder / "h0.nft"))

    def ferm(self, host, services, folder):
        policies.ferm(services, folder / "ferm")
        (folder / "ferm.ip").write_text(host.call("ferm", "--noexec", "--lines", "--domain", "ip", str(folder / "ferm/h0.ferm")).stdout)
        with open(folder / "ferm.ip") as rules:
            host.within("iptables-restore", stdin=rules)

    def ufw(self, host, services, folder):
        """Lets ufw's own script load its own rules and those of the policy; only this process sees the folder as /etc/ufw."""
        shutil.copytree("/etc/ufw", folder / "ufw")
        policies.ufw(services, folder / "ufw")
        (folder / "ufw/ufw.conf").write_text("ENABLED=yes\nLOGLEVEL=low\n")
        host.within("unshare", "--mount", "sh", "-c", f"mount --bind {folder}/ufw /etc/ufw && exec /lib/ufw/ufw-init start")


def packets(programs, work, quick):
    """Measures packets, if there are TUN devices."""
    if not (programs / "packet-cost").exists() or not os.access("/dev/net/tun", os.W_OK):
        return []
    lab = Packets(programs, work)
    rows = []
    for length in (24,) if quick else (24, None):
        for count in (16, 1_024) if quick else (16, 1_024, 131_072):
            try:
                rows.append(lab.measure(count, length, 9 if quick else 21))
            except (OSError, subprocess.SubprocessError, ValueError) as error:
                print(f"  packet-cost failed: {(getattr(error, 'stderr', None) or str(error))[-300:]}", flush=True)
    return rows


def over_conntrack(rows, entries, name, kind="new", networks="of 24 bits"):
    """Returns the nanoseconds that a packet takes by the ruleset of `name` over those of connection tracking alone, or `None`."""
    for row in rows:
        times = row["nanoseconds"]
        if (row["entries"], row["networks"]) == (entries, networks) and name in times:
            return times[name][kind]["over"]
    return None


def aims(measured, rows):
    """Returns the aims for live hosts with what was measured."""
    def of(kind, key, name):
        return (measured[kind].get(key) or {}).get(name)

    def ratio(a, b):
        return b / a if a and b else None

    result = []
    for count in (10_000, 100_000):
        ours = of("elements", count, "load, ours")
        both = lambda who: (of("elements", count, f"load, {who}") or 0) + (of("elements", count, f"read, {who}") or 0)
        result += [
            (f"{count:,} elements: loading and reading back, times a raw encoder's", ratio(both("raw"), both("ours")), "x",
             "at most 1.3", lambda v: v <= 1.3),
            ("  loading alone", ratio(of("elements", count, "load, raw"), ours), "x", "no aim", None),
            ("  times faster than nft -f", ratio(ours, of("elements", count, "load, nft")), "x", "no aim", None),
            ("  reading back alone, times the kernel's own time",
             ratio(of("elements", count, "read, raw"), of("elements", count, "read, ours")), "x", "no aim", None),
            ("  times faster than nft list", ratio(of("elements", count, "read, ours"), of("elements", count, "read, nft")), "x", "no aim", None),
        ]
    change = lambda name: of("change", 10_000, name)
    result += [
        ("10,000 services: one exposure, plan and apply", change("plan, prove and apply"), "ms", "under 20", lambda v: v < 20),
        ("  times faster than nft -f", ratio(change("plan, prove and apply"), change("nft -f")), "x", "at least 20", lambda v: v >= 20),
        ("  with the kernel's table read first", change("read, plan, prove and apply"), "ms", "no aim", None),
        ("  times faster than nft -f", ratio(change("read, plan, prove and apply"), change("nft -f")), "x", "no aim", None),
        ("100,000 connections judged", of("connections", "10000 100000", "review"), "ms", "no aim", None),
        ("  growth from 10,000 (10 is linear)",
         ratio(of("connections", "10000 10000", "review"), of("connections", "10000 100000", "review")), "x", "at most 11",
         lambda v: v <= 11),
        ("  growth with ten times the services (1 is flat)",
         ratio(of("connections", "1000 100000", "review"), of("connections", "10000 100000", "review")), "x", "at most 2",
         lambda v: v <= 2),
        ("verify of 100,000 elements, by the clock", of("verify", 50_000, "verify, wall"), "ms", "under 1500", lambda v: v < 1500),
        ("  growth from 10,000 (10 is linear)", ratio(of("verify", 5_000, "verify"), of("verify", 50_000, "verify")), "x", "no aim", None),
    ]
    for count in (16, 1_024, 131_072):
        over = lambda name, kind, networks="of 24 bits": over_conntrack(rows, count, name, kind, networks)
        result += [
            (f"{count:,} entries: a packet of a known connection", over("portcullis", "known"), "ns", "at most 100", lambda v: v <= 100),
            ("  the first packet of one", over("portcullis", "new"), "ns", "no aim", None),
            ("  the first packet, networks of ten lengths", over("portcullis", "new", "of ten lengths"), "ns", "no aim", None),
            ("  by an empty base chain", over("an empty base chain", "new"), "ns", "no aim", None),
        ] + [(f"  the first packet, by {peer}", over(peer, "new"), "ns", "no aim", None) for peer in ("aerleon", "ferm", "ufw") if over(peer, "new")]
    result.append(("  growth of the first packet from 16 entries (1 is flat)",
                   ratio(over_conntrack(rows, 16, "portcullis"), over_conntrack(rows, 131_072, "portcullis")), "x", "no aim", None))
    return result
