import Packets
public import Policies
public import Syntax

/// One side of a comparison of clusters: what a policy makes of one from a day on, or on a day.
public struct ClusterSide: Sendable {
  /// Days between which nothing changes but that single exposures and uses end.
  struct Period: Sendable {
    /// The first day.
    let day: CalendarDate

    /// The firewall at that time.
    var firewall: ClusterFirewall

    /// What exposures let in, blocks apart.
    var lines: [PodLine]

    /// The blocks.
    let refusals: [PodRefusal]
  }

  /// The periods, in order; the last one has no end, and the first one stands for the time before it too.
  private(set) var periods: [Period]

  /// The statements of the blocks, by their positions in the policy.
  let blocks: [Cause]

  /// The addresses of the pods.
  let pods: AddressSet

  /// Creates what `lowering` makes of the cluster `id` from `day` on.
  public init(_ lowering: Lowering, _ id: ID<Cluster>, from day: CalendarDate) {
    // Where a block ends, or somebody who comes in by a way, the firewall of the cluster is another one.
    self.init(lowering, id, days: [day] + ClusterSide.turns(lowering.policy, id, after: day))
  }

  /// Creates what `lowering` makes of the cluster `id` on `day`, as if that held for good.
  public init(_ lowering: Lowering, _ id: ID<Cluster>, on day: CalendarDate) {
    self.init(lowering, id, days: [day])
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

  private init(_ lowering: Lowering, _ id: ID<Cluster>, days: [CalendarDate]) {
    let policy = lowering.policy
    periods = days.map { day in
      let refusals = lowering.refusals(in: id, on: day)
      let lines =
        refusals.isEmpty
        ? [] : policy[id].workloads.flatMap { lowering.lines(to: $0, in: id, on: day, among: refusals) }
      return Period(day: day, firewall: lowering.firewall(of: id, on: day), lines: lines, refusals: refusals)
    }
    blocks = policy.blocks.map { Cause("block", at: $0.provenance.span) }
    pods = policy[id].pods
  }

  /// Returns the days after `day` on which a block ends, or an exposure that tells who comes in by a way, in order.
  private static func turns(_ policy: Policy, _ id: ID<Cluster>, after day: CalendarDate) -> [CalendarDate] {
    var ends = policy.blocks.compactMap { $0.provenance.until?.value }
    for workload in policy[id].workloads where !workload.publications.isEmpty {
      ends += policy[workload.service].exposures.compactMap { $0.provenance.until?.value }
    }
    return Set(ends.filter { day <= $0 }).sorted().map { CalendarDate(daysSinceEpoch: $0.daysSinceEpoch + 1) }
  }

  /// Every selection of pods that the side speaks of.
  var selectors: Set<PodSelector> {
    Set(
      periods.flatMap { period in
        Array(period.firewall.selectors) + period.lines.flatMap(\.selectors) + period.refusals.flatMap(\.selectors)
      })
  }

  /// Returns the moments of the period at `index`, in seconds since 1970.
  func moments(ofPeriod index: Int) -> ClosedRange<UInt64> {
    func start(_ i: Int) -> UInt64 { UInt64(max(periods[i].day.daysSinceEpoch, 0)) * 86_400 }
    let first = index == 0 ? 0 : start(index)
    return first...(index + 1 < periods.count ? max(start(index + 1), first + 1) - 1 : UInt64.max)
  }

  /// Returns the period in which `moment` lies, in seconds since 1970.
  func period(at moment: UInt128) -> Period? {
    periods.indices.last { UInt128(moments(ofPeriod: $0).lowerBound) <= moment }.map { periods[$0] }
  }
}
