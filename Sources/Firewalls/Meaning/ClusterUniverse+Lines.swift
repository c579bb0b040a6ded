public import Packets
public import Syntax

/// The connections that single lines of a policy are about, as boxes.
extension ClusterUniverse {
  /// Returns what `line` lets in, unless a block refuses it.
  public func boxes(of line: PodLine) -> [PacketBox] {
    guard var own = packets.box(until: line.until), let part = packets.box(own, of: line.listening) else { return [] }
    own = part
    own[.departure] = space.values(kinds.numbers(of: line.pods), of: .departure)
    return ends(
      own, line.peers, .source, .arrival, besides: line.exceptions, kinds(of: line.refusedPods), knowingPods: knowsPods)
  }

  /// Returns what `refusal`, which ends on `until` if that is a day, refuses on the ports of `line`.
  public func boxes(of refusal: PodRefusal, until: CalendarDate?, on line: PodLine) -> [PacketBox] {
    guard let moments = packets.box(until: until), var own = packets.box(moments, of: line.listening) else { return [] }
    own[.departure] = space.values(kinds.numbers(of: line.pods), of: .departure)
    var named = own
    named[.arrival] = space.values(kinds(of: refusal.peers), of: .arrival)
    return packets.boxes(own, .source, in: refusal.addresses) + (refusal.peers.isEmpty ? [] : [named])
  }

  /// Returns the connections in `box` that come from one of `peers`, which are no pods of `exceptions` and have no address
  /// of `besides`.
  public func boxes(
    _ box: PacketBox, from peers: [Peer], besides: AddressSet = AddressSet(), exceptions: [Peer] = []
  ) -> [PacketBox] {
    ends(box, peers, .source, .arrival, besides: besides, kinds(of: exceptions), knowingPods: knowsPods)
  }
}

extension PodLine {
  /// Every selection of pods that the line speaks of.
  public var selectors: [PodSelector] { [pods] + (peers + refusedPods).compactMap(\.selector) }
}

extension PodRefusal {
  /// Every selection of pods that the block speaks of.
  public var selectors: [PodSelector] { peers.compactMap(\.selector) }
}
