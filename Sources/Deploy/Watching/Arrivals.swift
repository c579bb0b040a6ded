public import Packets
public import Policies
import Syntax

extension Policy {
  /// Returns the interfaces of the host `id` on which packets from `source` may arrive, or leave for it, as far as its
  /// zones tell; `nil` stands for one that the policy does not name.
  ///
  /// Those bound to a zone whose addresses hold `source` come alone; where there is none, it is those of the Internet, and
  /// of zones without addresses.
  public func arrivals(of source: Address, on id: ID<Host>) -> [String?] {
    let interfaces = self[id].interfaces
    let near = interfaces.filter { interface in
      interface.zones.contains { self[$0.value].hasAddresses && self[$0.value].addresses.contains(source) }
    }
    if !near.isEmpty { return near.map(\.name.value) }
    let open = interfaces.filter { interface in
      interface.isInternet || interface.zones.contains { !self[$0.value].hasAddresses }
    }
    return open.isEmpty ? [nil] : open.map(\.name.value)
  }
}
