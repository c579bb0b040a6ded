import Driver
import Firewalls
import Packets
import Policies
import Support
import Syntax
import Testing

/// Clusters that mean the same have one fingerprint, whatever their policies say, and others have others.
@Suite struct FingerprintTests {
  /// Returns the fingerprint of `firewall` among pods that `selectors` tell apart besides, on the day `day`.
  private static func fingerprint(
    of firewall: ClusterFirewall, among selectors: [PodSelector] = [], on day: CalendarDate = today
  ) throws -> Fingerprint {
    let side = ClusterSide(firewall, from: day)
    let universe = try ClusterUniverse(pods: firewall.pods, selectors: side.selectors.union(selectors))
    return try side.meaning(in: universe).fingerprint()
  }

  @Test func podsThatAreToldApartForNothingAreOneKind() throws {
    let exposure = admission(.addresses(addresses("203.0.113.0/24")), on: [tcp(8080)])
    let plain = cluster(workload { $0.admissions = [exposure] })
    let parted = cluster(
      workload { $0.admissions = [exposure] },
      workload("front", labels: ["app": "shop", "tier": "front"]) { $0.admissions = [exposure] })
    let changed = cluster(
      workload { $0.admissions = [exposure] },
      workload("front", labels: ["app": "shop", "tier": "front"]) {
        $0.admissions = [exposure, admission(.addresses(addresses("192.0.2.1")), on: [tcp(8080)])]
      })
    #expect(try Self.fingerprint(of: plain) == Self.fingerprint(of: parted))
    #expect(try Self.fingerprint(of: plain) != Self.fingerprint(of: changed))
    // A controller that passes nothing on is a pod like others.
    let uncontrolled = cluster(workload { $0.admissions = [exposure] }, ingress: nil)
    #expect(try Self.fingerprint(of: plain) == Self.fingerprint(of: uncontrolled))
  }

  @Test func podsAreKnownByTheirNamespacesAndLabels() throws {
    func one(_ namespace: String, _ labels: [String: String]) throws -> Fingerprint {
      try Self.fingerprint(
        of: cluster(workload(in: namespace, labels: labels) { $0.admissions = [admission(.everyone)] }))
    }
    let all = try [
      one("web", ["app": "shop"]), one("wed", ["app": "shop"]), one("web", ["app": "shops"]),
      one("web", ["apps": "shop"]), one("web", ["app": "shop", "tier": "front"]), one("web", ["tier": "shop"]),
    ]
    #expect(Set(all).count == all.count)
  }

  /// Equal meanings, and they alone, have equal fingerprints.
  @Test(arguments: Worlds.batches(of: 300)) func fingerprintsAreEqualIffMeaningsAre(batch: Int) throws {
    var (equal, different) = (0, 0)
    for seed in Worlds.seeds(of: batch) {
      var random = SeededGenerator(seed: seed + 5_000_000)
      var firewall = RandomCluster.firewall(seed: seed)
      RandomCluster.publish(&firewall, seed: seed)
      let fingerprint = try Self.fingerprint(of: firewall)
      let others = (0..<4).map { _ in
        PodSelector(namespace: random.pick(RandomCluster.namespaces), labels: random.pick(RandomCluster.labels))
      }
      #expect(try Self.fingerprint(of: firewall, among: others) == fingerprint, "seed \(seed)")

      var other = firewall
      let i = random.pick(Array(other.workloads.indices))
      switch random.pick([0, 1, 2, 3, 4]) {
      case 0:
        if !other.workloads[i].admissions.isEmpty { other.workloads[i].admissions.removeLast() }
      case 1:
        if !other.workloads[i].departures.isEmpty { other.workloads[i].departures.removeFirst() }
      case 2:
        if !other.workloads[i].publications.isEmpty { other.workloads[i].publications.removeLast() }
      case 3:
        // Some of the pods once more.
        var more = other.workloads[i]
        more.publications = []
        more.labels = podLabels(
          Dictionary(more.labels.map { ($0.key, $0.value) }) { $1 }.merging(["release": "one"]) { $1 })
        other.workloads.append(more)
      default:
        other.workloads[i].admissions.reverse()
        other.workloads.reverse()
      }
      let universe = try ClusterUniverse(
        pods: firewall.pods, selectors: firewall.selectors.union(other.selectors).union(others))
      let isEqual = try ClusterSide(firewall, from: today).meaning(in: universe)
        .isEqual(to: ClusterSide(other, from: today).meaning(in: universe))
      let isOne = try Self.fingerprint(of: other) == fingerprint
      #expect(isOne == isEqual, "seed \(seed)")
      if isEqual { equal += 1 } else { different += 1 }
    }
    #expect(equal > 3 && different > 3, "\(equal) equal, \(different) different")
  }

  @Test func whatALaterDayBringsIsPartOfIt() throws {
    func one(_ until: String?, on day: String) throws -> Fingerprint {
      let exposure = admission(.everyone, until: until.map { known(CalendarDate($0)) })
      let steady = admission(.addresses(addresses("203.0.113.0/24")), on: [tcp(9000)], line: 5)
      return try Self.fingerprint(
        of: cluster(workload { $0.admissions = [exposure, steady] }), on: known(CalendarDate(day)))
    }
    let lasting = try one(nil, on: "2026-11-22")
    let ending = try one("2027-01-31", on: "2026-11-22")
    #expect(lasting != ending)
    #expect(try one("2027-02-01", on: "2026-11-22") != ending)
    // It is the same from day to day, until something lapses.
    #expect(try one("2027-01-31", on: "2027-01-31") == ending)
    let lapsed = try Self.fingerprint(
      of: cluster(
        workload { $0.admissions = [admission(.addresses(addresses("203.0.113.0/24")), on: [tcp(9000)], line: 5)] }))
    #expect(try one("2027-01-31", on: "2027-02-01") == lapsed)
  }

  @Test func nothingComesByAFamilyWithoutPods() throws {
    let firewall = cluster(workload { $0.admissions = [admission(.everyone)] }, pods: addresses("10.42.0.0/16"))
    let universe = try ClusterUniverse(pods: firewall.pods, selectors: firewall.selectors)
    let possible = try universe.possible
    #expect(possible.values(of: .family).intervals == [0...0])
    let meaning = try firewall.meaning(in: universe, on: today)
    #expect(meaning.admitted.values(of: .family).intervals == [0...0])
    // So whether somebody with an IPv6 address may come does not matter.
    let narrow = cluster(
      workload { $0.admissions = [admission(.addresses(AddressSet.all(.ipv4)), .pods(namespace: "web", labels: [:]))] },
      pods: addresses("10.42.0.0/16"))
    let wide = cluster(
      workload { $0.admissions = [admission(.addresses(.all), .pods(namespace: "web", labels: [:]))] },
      pods: addresses("10.42.0.0/16"))
    #expect(try Self.fingerprint(of: narrow) == Self.fingerprint(of: wide))
  }

  @Test func examplesAreOfAFamilyThatTheyAreWrittenFor() throws {
    // These addresses have the numbers of 198.51.100.1 and 1.0.0.1.
    let odd = addresses("::c633:6401", "::100:1", "2001:db8::5")
    let firewall = cluster(workload { $0.admissions = [admission(.addresses(odd))] })
    let universe = try ClusterUniverse(pods: firewall.pods, selectors: firewall.selectors)
    let admitted = try firewall.meaning(in: universe, on: today).admitted
    let governed = try admitted.intersection(
      universe.space.set(
        .departure,
        in: universe.space.values(
          universe.kinds.numbers(of: PodSelector(namespace: "web", labels: ["app": "shop"])), of: .departure)))
    let outside = try universe.part(of: governed, .arrival, 0)
    let packet = try #require(try universe.example(of: outside))
    #expect(universe.source(of: packet) == "2001:db8::5")
  }
}
