public import Packets
public import Policies
public import Syntax

/// What a policy makes of a cluster from a day on, or on a day.
public struct ClusterSide: Sendable {
  /// Days between which nothing changes but that single exposures and uses end.
  public struct Period: Sendable {
    /// The first day.
    public let day: CalendarDate

    /// The firewall at that time.
    public internal(set) var firewall: ClusterFirewall

    /// What exposures let in, blocks apart.
    var lines: [PodLine]

    /// The blocks.
    let refusals: [PodRefusal]
  }

  /// The periods, in order; the last one has no end, and the first one stands for the time before it too.
  public private(set) var periods: [Period]

  /// A way to pods, at some moments.
  public struct Way: Sendable {
    /// The way.
    public let entrance: Entrance

    /// The statement that publishes it.
    public let cause: Cause

    /// The service that is reached.
    public let service: ID<Service>

    /// When it is there, in seconds since 1970.
    public let moments: ClosedRange<UInt64>
  }

  /// The ways to pods; those of a workload stand together, the earlier ones first.
  public private(set) var ways: [Way] = []

  /// The statements of the blocks, by their positions in the policy.
  let blocks: [Cause]

  /// The addresses of the pods.
  public let pods: AddressSet

  /// Creates what `lowering` makes of the cluster `id` from `day` on; what its blocks refuse is only worked out if they are
  /// to be told as causes.
  public init(_ lowering: Lowering, _ id: ID<Cluster>, from day: CalendarDate, tellingBlocks: Bool = true) {
    // Where a block ends, or whoever an ingress controller passes on, the firewall of the cluster is another one.
    let days = [day] + ClusterSide.turns(lowering.policy, id, after: day)
    self.init(lowering, id, days: days, tellingBlocks: tellingBlocks)
    ways = ways(in: id, lowering) { service in
      service.exposures.compactMap { $0.provenance.until?.value }.filter { day <= $0 }.map(\.next)
    }
  }

  /// Creates what `firewall`, which is that of `day`, makes of its cluster if nothing changes but that exposures and uses
  /// end.
  public init(_ firewall: ClusterFirewall, from day: CalendarDate) {
    periods = [Period(day: day, firewall: firewall, lines: [], refusals: [])]
    blocks = []
    pods = firewall.pods
    ways = firewall.workloads.flatMap { workload in
      firewall.publishedWays(to: workload, on: day).map {
        Way(entrance: $0.way, cause: $0.cause, service: workload.service, moments: 0...UInt64.max)
      }
    }
  }

  /// The same cluster if its pods take and send nothing, and no way leads to them.
  public var closed: ClusterSide {
    var result = self
    result.ways = []
    for i in periods.indices {
      result.periods[i].lines = []
      for j in periods[i].firewall.workloads.indices {
        result.periods[i].firewall.workloads[j].admissions = []
        result.periods[i].firewall.workloads[j].departures = []
        result.periods[i].firewall.workloads[j].publications = []
      }
    }
    return result
  }

  /// The firewall of the first day.
  public var firewall: ClusterFirewall { periods[0].firewall }

  /// The first day.
  public var day: CalendarDate { periods[0].day }

  /// Creates what `lowering` makes of the cluster `id` on `day`, as if that held for good.
  public init(_ lowering: Lowering, _ id: ID<Cluster>, on day: CalendarDate) {
    self.init(lowering, id, days: [day])
    ways = ways(in: id, lowering) { _ in [] }
    for i in periods.indices {
      for j in periods[i].lines.indices { periods[i].lines[j].until = nil }
      for j in periods[i].firewall.workloads.indices {
        for k in periods[i].firewall.workloads[j].admissions.indices {
          periods[i].firewall.workloads[j].admissions[k].until = nil
        }
        for k in periods[i].firewall.workloads[j].departures.indices {
          periods[i].firewall.workloads[j].departures[k].until = nil
        }
      }
    }
  }

  private init(_ lowering: Lowering, _ id: ID<Cluster>, days: [CalendarDate], tellingBlocks: Bool = true) {
    let policy = lowering.policy
    periods = days.map { day in
      let refusals = tellingBlocks ? lowering.refusals(in: id, on: day) : []
      let lines =
        refusals.isEmpty
        ? [] : policy[id].workloads.flatMap { lowering.lines(to: $0, in: id, on: day, among: refusals) }
      return Period(day: day, firewall: lowering.firewall(of: id, on: day), lines: lines, refusals: refusals)
    }
    blocks = policy.blocks.map { Cause("block", at: $0.provenance.span) }
    pods = policy[id].pods
  }

  /// Returns the days after `day` on which a block ends, or an exposure of what is published by an ingress controller, in
  /// order.
  private static func turns(_ policy: Policy, _ id: ID<Cluster>, after day: CalendarDate) -> [CalendarDate] {
    var ends = policy.blocks.compactMap { $0.provenance.until?.value }
    for workload in policy[id].workloads
    where workload.publications.contains(where: { if case .ingress = $0.kind { true } else { false } }) {
      ends += policy[workload.service].exposures.compactMap { $0.provenance.until?.value }
    }
    return Set(ends.filter { day <= $0 }).sorted().map(\.next)
  }

  /// Returns the ways to the pods of the cluster `id`, which may change where a period begins, and those of a service on the
  /// days `turns` of it.
  private func ways(
    in id: ID<Cluster>, _ lowering: Lowering, turns: (Service) -> [CalendarDate]
  ) -> [Way] {
    let workloads = Dictionary(lowering.policy[id].workloads.map { ($0.service, $0) }) { first, _ in first }
    // In one period the same blocks hold.
    let known = periods.map { period in
      (
        period: period, blocks: lowering.blocks(in: id, on: period.day),
        pods: Dictionary(period.firewall.workloads.map { ($0.service, $0) }) { first, _ in first }
      )
    }
    var result: [Way] = []
    for pods in firewall.workloads where !pods.publications.isEmpty {
      guard let workload = workloads[pods.service] else { continue }
      let days = Set(periods.map(\.day) + turns(lowering.policy[pods.service])).sorted()
      for (i, day) in days.enumerated() {
        guard let (period, blocks, byService) = known.last(where: { $0.period.day <= day }) else { continue }
        let end = i + 1 < days.count ? max(days[i + 1].start, day.start + 1) - 1 : UInt64.max
        let there =
          period.day == day
          ? byService[pods.service] : lowering.firewall(of: workload, in: id, refusing: blocks, on: day)
        result += (there.map { period.firewall.publishedWays(to: $0, on: day) } ?? []).map {
          Way(entrance: $0.way, cause: $0.cause, service: pods.service, moments: (i == 0 ? 0 : day.start)...end)
        }
      }
    }
    return result
  }

  /// `true` iff some of the pods, but not all, are named by their addresses at some time, of which network plugins differ.
  public var namesPodsByAddress: Bool { periods.contains { $0.firewall.namesPodsByAddress } }

  /// Every selection of pods that it speaks of.
  public var selectors: Set<PodSelector> {
    Set(
      periods.flatMap { period in
        Array(period.firewall.selectors) + period.lines.flatMap(\.selectors) + period.refusals.flatMap(\.selectors)
      })
  }

  /// Returns what it means at every moment; before its first day it is as on that.
  public func meaning(in universe: ClusterUniverse) throws(BudgetExceeded) -> ClusterMeaning {
    var (admitted, departing) = (universe.space.nothing, universe.space.nothing)
    for (i, period) in periods.enumerated() {
      let ends = try period.firewall.ends(in: universe, from: period.day)
      let moments = try moments(ofPeriod: i, in: universe.space)
      admitted = try ends.admitted.intersection(moments).union(admitted)
      departing = try ends.departing.intersection(moments).union(departing)
    }
    return try ClusterMeaning(
      universe, admitted: admitted, departing: departing,
      entrances: universe.map(of: ways.map { ($0.entrance, $0.moments) }))
  }

  /// Returns the packets of the moments of the period at `index`.
  public func moments(ofPeriod index: Int, in space: PacketSpace) throws(BudgetExceeded) -> PacketSet {
    try space.set(.time, in: space.values(moments(ofPeriod: index), of: .time))
  }

  /// Returns the moments of the period at `index`, in seconds since 1970.
  func moments(ofPeriod index: Int) -> ClosedRange<UInt64> {
    let first = index == 0 ? 0 : periods[index].day.start
    return first...(index + 1 < periods.count ? max(periods[index + 1].day.start, first + 1) - 1 : UInt64.max)
  }

  /// Returns the period in which `moment` lies, in seconds since 1970.
  func period(at moment: UInt128) -> Period? {
    periods.indices.last { UInt128(moments(ofPeriod: $0).lowerBound) <= moment }.map { periods[$0] }
  }
}

extension CalendarDate {
  /// The day after it.
  fileprivate var next: CalendarDate { CalendarDate(daysSinceEpoch: daysSinceEpoch + 1) }

  /// Its first moment, in seconds since 1970, UTC.
  fileprivate var start: UInt64 { UInt64(max(daysSinceEpoch, 0)) * 86_400 }
}
