// swift-tools-version: 6.2

import PackageDescription

let settings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
]

/// Rooms whose sets of packets tests ask by the ten thousand are optimized when debugging too; they keep their assertions.
let optimized: [SwiftSetting] = [
  .unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))
]

/// Returns the target `name`, which may import only `rooms` (docs/architecture.md) and `products`.
func room(_ name: String, imports rooms: [Target.Dependency] = [], isOptimized: Bool = false) -> Target {
  .target(name: name, dependencies: rooms, swiftSettings: settings + (isOptimized ? optimized : []))
}

/// Returns the tests of the target `room`, which may also import `others`.
func tests(
  of room: Target.Dependency, named name: String, with others: [Target.Dependency] = [], apartFrom: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: [room, "Support"] + others, exclude: apartFrom, swiftSettings: settings)
}

let package = Package(
  name: "portcullis",
  products: [
    .executable(name: "portcullis", targets: ["portcullis"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    room("Packets", isOptimized: true),
    room("Syntax", imports: ["Packets"]),
    room("Policies", imports: ["Syntax", "Packets"]),
    room("Firewalls", imports: ["Policies", "Syntax", "Packets"]),
    room("Checks", imports: ["Firewalls", "Policies", "Syntax", "Packets"]),
    room("Nftables", imports: ["Firewalls", "Policies", "Syntax", "Packets"]),
    room("Iptables", imports: ["Firewalls", "Policies", "Syntax", "Packets"]),
    room("Kubernetes", imports: ["Firewalls", "Policies", "Syntax", "Packets"]),
    room("Sysctl", imports: ["Firewalls", "Policies", "Syntax", "Packets"]),
    room("Reports", imports: ["Deploy", "Nftables", "Firewalls", "Policies", "Syntax", "Packets"]),
    .systemLibrary(name: "CNetfilter", providers: [.apt(["libmnl-dev", "libnftnl-dev"])]),
    room("Netlink", imports: ["Nftables", "CNetfilter", "Syntax", "Packets"]),
    room(
      "Driver",
      imports: [
        "Packets", "Syntax", "Policies", "Firewalls", "Checks", "Nftables", "Iptables", "Kubernetes", "Sysctl",
      ]),
    room("Deploy", imports: ["Netlink", "Nftables", "Firewalls", "Policies", "Syntax", "Packets"]),
    .executableTarget(
      name: "portcullis",
      dependencies: [
        "Deploy", "Netlink", "Nftables", "Driver", "Reports", "Checks", "Firewalls", "Policies", "Syntax", "Packets",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),

    .target(
      name: "Support", dependencies: ["Firewalls", "Policies", "Syntax", "Packets"], path: "Tests/Support",
      swiftSettings: settings),
    .executableTarget(name: "probe", path: "Tests/Probe", swiftSettings: settings),
    .executableTarget(
      name: "packet-sets", dependencies: ["Packets"], path: "Tests/Benchmarks/PacketSets", swiftSettings: settings),
    .executableTarget(
      name: "phases",
      dependencies: ["Driver", "Nftables", "Iptables", "Kubernetes", "Firewalls", "Policies", "Syntax"],
      path: "Tests/Benchmarks/Phases", swiftSettings: settings),
    .executableTarget(
      name: "live-hosts",
      dependencies: ["Deploy", "Driver", "Netlink", "Nftables", "Firewalls", "Policies", "Syntax", "Packets"],
      path: "Tests/Benchmarks/LiveHosts", swiftSettings: settings),
    .executableTarget(
      name: "packet-cost", dependencies: ["CNetfilter"], path: "Tests/Benchmarks/PacketCost", swiftSettings: settings),
    tests(
      of: "Driver", named: "KernelTests",
      with: ["probe", "Nftables", "Iptables", "Firewalls", "Policies", "Syntax", "Packets"],
      apartFrom: ["README.md"]),
    tests(of: "Checks", named: "ChecksTests", with: ["Firewalls", "Policies", "Syntax", "Packets"]),
    tests(of: "Firewalls", named: "FirewallsTests", with: ["Policies", "Syntax", "Packets"]),
    tests(of: "Packets", named: "PacketsTests"),
    tests(of: "Nftables", named: "NftablesTests", with: ["probe", "Firewalls", "Policies", "Syntax", "Packets"]),
    tests(
      of: "Netlink", named: "NetlinkTests",
      with: ["Driver", "Nftables", "Firewalls", "Policies", "Syntax", "Packets"]),
    tests(
      of: "Deploy", named: "DeployTests",
      with: ["Driver", "Reports", "Netlink", "Nftables", "Firewalls", "Policies", "Syntax", "Packets"],
      apartFrom: ["Watching/Golden"]),
    tests(of: "Policies", named: "PoliciesTests", with: ["Syntax", "Packets"], apartFrom: ["Findings"]),
    tests(
      of: "Iptables", named: "IptablesTests", with: ["Firewalls", "Policies", "Syntax", "Packets"],
      apartFrom: ["Golden"]),
    tests(of: "Sysctl", named: "SysctlTests", with: ["Firewalls", "Policies", "Syntax", "Packets"]),
    .testTarget(name: "ArchitectureTests", swiftSettings: settings),
    tests(of: "Syntax", named: "SyntaxTests", with: ["Packets"]),
    tests(of: "portcullis", named: "CommandTests"),
    tests(
      of: "portcullis", named: "HostTests",
      with: ["probe", "Deploy", "Netlink", "Nftables", "Driver", "Firewalls", "Policies", "Syntax", "Packets"]),
    tests(
      of: "Driver", named: "GoldenTests",
      with: ["Nftables", "Iptables", "Firewalls", "Policies", "Syntax", "Packets"], apartFrom: ["Listings"]),
    tests(
      of: "Reports", named: "ReportsTests",
      with: ["Deploy", "Netlink", "Nftables", "Firewalls", "Policies", "Syntax", "Packets"], apartFrom: ["Golden"]),
    tests(
      of: "Kubernetes", named: "KubernetesTests",
      with: ["Driver", "Firewalls", "Policies", "Syntax", "Packets", .product(name: "Yams", package: "Yams")],
      apartFrom: ["Golden"]),
  ],
  swiftLanguageModes: [.v6]
)

if Context.environment["FUZZING"] != nil {
  // Without the settings: libFuzzer speaks in pointers.
  package.targets.append(
    .executableTarget(
      name: "PolicyFuzzer", dependencies: ["Driver", "Firewalls", "Policies", "Syntax"], path: "Tests/Fuzz/PolicyFuzzer"
    ))
}
