import CNetfilter
import Glibc
public import Packets

/// A connection that the kernel tracks.
public struct TrackedConnection: Hashable, Sendable {
  /// The first packet as it arrived, before it was translated.
  public var original: ConnectionTuple

  /// The answer, as it is expected.
  public var reply: ConnectionTuple

  /// What became of it (`enum ip_conntrack_status`).
  public var status: UInt32

  /// The mark.
  public var mark: UInt32

  /// The number that tells it from a later one with the same tuples.
  public var id: UInt32

  /// In how many seconds it is forgotten, if no packet comes.
  public var timeout: UInt32

  /// The zone of connection tracking; 0 but for those who ask for others.
  public var zone: UInt16

  /// `true` iff there was an answer.
  public var isAnswered: Bool { status & 2 != 0 }

  /// `true` iff its destination was translated.
  public var isDestinationTranslated: Bool { status & 0x20 != 0 }

  /// Creates a connection.
  public init(
    original: ConnectionTuple, reply: ConnectionTuple, status: UInt32 = 0, mark: UInt32 = 0, id: UInt32 = 0,
    timeout: UInt32 = 0, zone: UInt16 = 0
  ) {
    self.original = original
    self.reply = reply
    self.status = status
    self.mark = mark
    self.id = id
    self.timeout = timeout
    self.zone = zone
  }
}

extension Kernel {
  /// Calls `body` with each connection that the kernel tracks, in no order, and keeps none of them.
  ///
  /// - Returns: `true` iff the list is complete; if connections came and went too fast, some may be missing or twice.
  @discardableResult
  public func forEachConnection(_ body: (TrackedConnection) -> Void) throws(NetlinkError) -> Bool {
    let request = request(UInt32(IPCTNL_MSG_CT_GET.rawValue), subsystem: NFNL_SUBSYS_CTNETLINK, flags: NLM_F_DUMP)
    return try ask(request) { message throws(NetlinkError) in
      if let connection = try TrackedConnection(message) { body(connection) }
    }
  }

  /// Forgets `connection`, if it is still the one with the number that it had.
  ///
  /// Its next packet makes it anew if rules let it (facts about `nf_conntrack_tcp_loose` are in docs/netlink.md).
  ///
  /// - Returns: `true` iff it was still there.
  public func forget(_ connection: TrackedConnection) throws(NetlinkError) -> Bool {
    let original = connection.original
    var request = request(
      UInt32(IPCTNL_MSG_CT_DELETE.rawValue), subsystem: NFNL_SUBSYS_CTNETLINK, flags: NLM_F_ACK,
      family: UInt16(original.source.family == .ipv4 ? AF_INET : AF_INET6))
    request.nest(UInt32(CTA_TUPLE_ORIG.rawValue)) { original.write(to: &$0) }
    var id: [UInt8] = []
    id.append(network: UInt128(connection.id), count: 4)
    request.put(UInt32(CTA_ID.rawValue), id)
    if connection.zone != 0 {
      request.put(UInt32(CTA_ZONE.rawValue), [UInt8(connection.zone >> 8), UInt8(truncatingIfNeeded: connection.zone)])
    }
    do throws(NetlinkError) {
      _ = try ask(request) { _ throws(NetlinkError) in }
      return true
    } catch {
      if case .system(ENOENT, _) = error { return false }
      throw error
    }
  }
}

extension TrackedConnection {
  /// Creates the connection that `message` (`IPCTNL_MSG_CT_NEW`) is about, if it is one of IP.
  init?(_ message: Message) throws(NetlinkError) {
    let table = try message.attributes(after: 4).table()
    guard let original = try table.nested(Int(CTA_TUPLE_ORIG.rawValue)),
      let reply = try table.nested(Int(CTA_TUPLE_REPLY.rawValue)), let a = try ConnectionTuple(original),
      let b = try ConnectionTuple(reply)
    else { return nil }
    self.init(
      original: a, reply: b, status: table.number(Int(CTA_STATUS.rawValue)) ?? 0,
      mark: table.number(Int(CTA_MARK.rawValue)) ?? 0, id: table.number(Int(CTA_ID.rawValue)) ?? 0,
      timeout: table.number(Int(CTA_TIMEOUT.rawValue)) ?? 0,
      zone: UInt16(truncatingIfNeeded: table.long(Int(CTA_ZONE.rawValue)) ?? 0))
  }
}

extension ConnectionTuple {
  /// Creates the tuple that `table` (`enum ctattr_tuple`) stands for.
  fileprivate init?(_ table: AttributeTable) throws(NetlinkError) {
    guard let addresses = try table.nested(Int(CTA_TUPLE_IP.rawValue)),
      let ports = try table.nested(Int(CTA_TUPLE_PROTO.rawValue)), let number = ports.long(Int(CTA_PROTO_NUM.rawValue))
    else { return nil }
    func address(_ four: Int, _ six: Int) -> Address? {
      if let extent = addresses[four], extent.count == 4 {
        return Address(.ipv4, UInt128(addresses.bytes.network(extent)))
      }
      guard let extent = addresses[six], extent.count == 16 else { return nil }
      return Address(.ipv6, addresses.bytes.wide(extent))
    }
    guard let source = address(Int(CTA_IP_V4_SRC.rawValue), Int(CTA_IP_V6_SRC.rawValue)),
      let destination = address(Int(CTA_IP_V4_DST.rawValue), Int(CTA_IP_V6_DST.rawValue))
    else { return nil }
    func value(_ types: UInt32...) -> UInt16 {
      UInt16(truncatingIfNeeded: types.lazy.compactMap { ports.long(Int($0)) }.first ?? 0)
    }
    let transport = TransportProtocol(rawValue: UInt8(truncatingIfNeeded: number))
    let type = value(CTA_PROTO_ICMP_TYPE.rawValue, CTA_PROTO_ICMPV6_TYPE.rawValue)
    let code = value(CTA_PROTO_ICMP_CODE.rawValue, CTA_PROTO_ICMPV6_CODE.rawValue)
    self.init(
      transport, source,
      value(CTA_PROTO_SRC_PORT.rawValue, CTA_PROTO_ICMP_ID.rawValue, CTA_PROTO_ICMPV6_ID.rawValue), to: destination,
      transport.isICMP ? type << 8 | code & 255 : value(CTA_PROTO_DST_PORT.rawValue))
  }

  /// Writes the tuple as attributes.
  fileprivate func write(to request: inout Request) {
    let isFour = source.family == .ipv4
    func bytes(_ number: UInt128, _ count: Int) -> [UInt8] {
      var bytes: [UInt8] = []
      bytes.append(network: number, count: count)
      return bytes
    }
    request.nest(UInt32(CTA_TUPLE_IP.rawValue)) {
      let types = isFour ? (CTA_IP_V4_SRC, CTA_IP_V4_DST) : (CTA_IP_V6_SRC, CTA_IP_V6_DST)
      $0.put(UInt32(types.0.rawValue), bytes(source.value, isFour ? 4 : 16))
      $0.put(UInt32(types.1.rawValue), bytes(destination.value, isFour ? 4 : 16))
    }
    request.nest(UInt32(CTA_TUPLE_PROTO.rawValue)) {
      $0.put(UInt32(CTA_PROTO_NUM.rawValue), [transport.rawValue])
      if transport.isICMP {
        let (id, type, code) =
          transport == .icmp
          ? (CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMP_CODE)
          : (CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE, CTA_PROTO_ICMPV6_CODE)
        $0.put(UInt32(id.rawValue), bytes(UInt128(sourcePort), 2))
        $0.put(UInt32(type.rawValue), [UInt8(destinationPort >> 8)])
        $0.put(UInt32(code.rawValue), [UInt8(truncatingIfNeeded: destinationPort)])
      } else if transport.hasPorts {
        $0.put(UInt32(CTA_PROTO_SRC_PORT.rawValue), bytes(UInt128(sourcePort), 2))
        $0.put(UInt32(CTA_PROTO_DST_PORT.rawValue), bytes(UInt128(destinationPort), 2))
      }
    }
  }
}
