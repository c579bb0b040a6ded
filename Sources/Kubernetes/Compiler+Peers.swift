import Firewalls
import Packets
import Syntax

/// The other ends of connections, as a rule has them.
///
/// A rule without a list of peers admits everyone, so that "nobody" must never become an empty list.
enum PeerList: Equatable {
  /// Anyone.
  case everyone

  /// Nobody: there is no rule.
  case nobody

  /// These.
  case some([NetworkPolicy.Peer])

  /// The peers of a rule; nothing means anyone.
  ///
  /// - Requires: it is not `nobody`.
  var peers: [NetworkPolicy.Peer]? {
    switch self {
    case .everyone: return nil
    case .some(let peers): return peers
    case .nobody: preconditionFailure("there is no rule for nobody")
    }
  }
}

/// Peers that no NetworkPolicy can name.
struct InexpressiblePeers: Error {
  /// What is wrong with them.
  var diagnostic: Diagnostic
}

extension Compiler {
  /// The label that the API server itself gives every namespace: its name.
  static let namespaceLabel = "kubernetes.io/metadata.name"

  /// Returns `peers` without the addresses `exceptions` and the pods `refused`.
  ///
  /// Network plugins disagree on whether a block of addresses has the cluster's own pods in it, so that pods are named
  /// by selectors, and blocks are for what is outside.
  mutating func peers(
    _ peers: [Peer], without exceptions: AddressSet = AddressSet(), refusing refused: [Peer] = [], for cause: Cause
  ) throws(InexpressiblePeers) -> PeerList {
    var addresses = AddressSet()
    var selected: [NetworkPolicy.Peer] = []
    var known: Set<NetworkPolicy.Peer> = []
    var isEveryone = false
    for peer in peers {
      switch peer {
      case .everyone: isEveryone = true
      case .addresses(let set): addresses = addresses.union(set)
      case .pods(let namespace, let labels):
        let pods = NetworkPolicy.Peer.pods(labels, namespaces: [Compiler.namespaceLabel: namespace])
        if known.insert(pods).inserted { selected.append(pods) }
      }
    }
    if !isEveryone, addresses.isAll {
      diagnostics.append(.everyAddress(at: cause))
      isEveryone = true
    }
    if isEveryone { addresses = .all }
    let hasEveryPod = isEveryone || !firewall.pods.isEmpty && firewall.pods.isSubset(of: addresses)
    // Where blocks of addresses have pods in them, they admit those pods whatever their labels.
    let hasPods = addresses.subtracting(exceptions).intersects(firewall.pods)
    for refusal in refused where hasPods || mayAdmit(refusal, hasEveryPod ? [.everyone] : peers) {
      throw InexpressiblePeers(diagnostic: .inexpressibleRefusal(refusal, at: cause))
    }
    if isEveryone, exceptions.isEmpty { return .everyone }
    if hasEveryPod { selected = [.pods([:], namespaces: [:])] }
    if !selected.isEmpty, !exceptions.isEmpty {
      if firewall.pods.isEmpty { throw InexpressiblePeers(diagnostic: .unknownPods(at: cause)) }
      if firewall.pods.isSubset(of: exceptions) {
        selected = []
      } else if firewall.pods.intersects(exceptions) {
        throw InexpressiblePeers(diagnostic: .refusedPodAddresses(exceptions, at: cause))
      }
    }
    if !hasEveryPod, hasPods {
      diagnostics.append(.somePodAddresses(addresses.intersection(firewall.pods), at: cause))
    }
    let list = try blocks(of: addresses, without: exceptions, for: cause) + selected
    return list.isEmpty ? .nobody : .some(list)
  }

  /// Returns `true` iff some pod that is refused by `refusal` may be among `peers`.
  private func mayAdmit(_ refusal: Peer, _ peers: [Peer]) -> Bool {
    guard case .pods(let namespace, let labels) = refusal else { return false }
    return peers.contains { peer in
      switch peer {
      case .everyone: true
      case .addresses: false
      case .pods(let other, let others):
        // Pods are told apart for certain only by their namespace or by a label with another value.
        other == namespace && others.allSatisfy { key, value in labels[key].map { $0 == value } ?? true }
      }
    }
  }

  /// Returns the blocks of `addresses`, without those of `exceptions`, both families alike.
  private func blocks(
    of addresses: AddressSet, without exceptions: AddressSet, for cause: Cause
  ) throws(InexpressiblePeers) -> [NetworkPolicy.Peer] {
    var result: [NetworkPolicy.Peer] = []
    for prefix in addresses.prefixes(.ipv4) + addresses.prefixes(.ipv6) {
      var except: [Prefix] = []
      if !exceptions.isEmpty(prefix.family) {
        let block = AddressSet(CollectionOfOne(prefix))
        let inside = exceptions.intersection(block)
        if inside == block { continue }
        except = inside.prefixes(prefix.family)
      }
      for block in [prefix] + except where block.isMapped {
        throw InexpressiblePeers(diagnostic: .mappedAddress(block, at: cause))
      }
      result.append(.addresses(prefix, except: except))
    }
    return result
  }
}

extension Prefix {
  /// `true` iff every address of the block is an IPv4 address in the clothes of IPv6 (RFC 4291 section 2.5.5.2),
  /// which the API server does not take.
  fileprivate var isMapped: Bool { family == .ipv6 && length >= 96 && address.value >> 32 == 0xffff }
}
