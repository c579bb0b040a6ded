public import Firewalls
import Packets
public import Syntax

/// What becomes of a connection and why, as far as one policy decides it.
public struct Explanation: Sendable {
  /// A line of the policy with a sentence about it.
  public struct Step: Sendable {
    /// A full sentence.
    public var sentence: String

    /// The line, if the sentence is about one.
    public var span: Span?

    /// The rule of another program, if the sentence is about one.
    public var rule: Quotation?

    /// Creates a step.
    public init(_ sentence: String, at span: Span? = nil, quoting rule: Quotation? = nil) {
      self.sentence = sentence
      self.span = span
      self.rule = rule
    }
  }

  /// A rule of another program as its file has it.
  public struct Quotation: Sendable {
    /// The file.
    public var path: String

    /// The number of the line, counted from 1, if the file has lines.
    public var line: Int?

    /// The rule, or where it stands.
    public var text: String

    /// Creates a quotation.
    init(path: String, line: Int? = nil, text: String) {
      self.path = path
      self.line = line
      self.text = text
    }
  }

  /// What may become of a connection, and why.
  public struct Outcome: Sendable {
    /// What becomes of it.
    public var verdict: Verdict

    /// The reasons, the deciding one first.
    public var steps: [Step]

    /// What it meets on its way, in order.
    public var way: [Step]

    /// Creates an outcome.
    public init(_ verdict: Verdict, _ steps: [Step], way: [Step] = []) {
      self.verdict = verdict
      self.steps = steps
      self.way = way
    }
  }

  /// Which kind of thing decided.
  public enum Reason: String, Sendable {
    /// An exposure, or a transit, lets it through.
    case exposed
    /// A `block` refuses it.
    case blocked
    /// Nothing lets it through.
    case closed
    /// IP needs it, or it is an echo request and those are open, or it never leaves the host.
    case essential
    /// The host or workload that it comes from may not open it.
    case egress
    /// A rule of another program decides.
    case rule
    /// No rule of another program decides, but what holds without one.
    case `default`
  }

  /// What becomes of it.
  public var verdict: Verdict

  /// What decides.
  public var reason: Reason

  /// Where it is decided: `host web1`, or `workload payments/api`.
  public var place: String

  /// The interface that it arrives on, if that is known.
  public var interface: String?

  /// The reasons, the deciding one first.
  public var steps: [Step]

  /// The service that is reached.
  public var service: String?

  /// The owner of the service.
  public var owner: String?

  /// How to reach the owner.
  public var contact: String?

  /// `true` iff it is accepted within a rate limit only.
  public var isLimited = false

  /// The last day on which it is so.
  public var until: CalendarDate?

  /// What it meets on its way, in order; rules of other programs alone.
  public var way: [Step] = []

  /// What else may become of it, depending on what is not known.
  public var others: [Outcome] = []

  /// What it depends on which of them is so, in words.
  public var dependencies: [String] = []

  /// What was taken for granted, in full sentences.
  public var assumptions: [String] = []

  /// What the rules have that has no meaning here.
  public var unknowns: [String] = []

  /// What is near: lines that let something like it through, for a refused one.
  public var nearest: [Step] = []

  /// Creates an explanation.
  init(_ verdict: Verdict, _ reason: Reason, at place: String, _ steps: [Step]) {
    self.verdict = verdict
    self.reason = reason
    self.place = place
    self.steps = steps
  }
}

/// A question that the policy cannot answer, with the reason.
public struct UnanswerableQuestion: Error, CustomStringConvertible {
  /// Why it cannot.
  public let description: String

  /// Creates the reason.
  init(_ description: String) { self.description = description }
}

/// A connection that is asked about.
public struct Question: Sendable {
  /// Where it comes from: an address, or `namespace/workload`.
  public var source: String

  /// Where it goes: an address, the name of a host, or `namespace/workload`.
  public var destination: String

  /// The port with its protocol, or the ICMP message: `443/tcp`, `echo-request/icmp`.
  public var port: String

  /// The interface that it arrives on, or nothing if the addresses tell.
  public var interface: String?

  /// The source port.
  public var sourcePort: UInt16

  /// The cluster that the workloads are in.
  public var cluster: String?

  /// A way through a host.
  public enum Way: String, Sendable, CaseIterable {
    /// To a process of the host.
    case input
    /// From one network to another.
    case forward
    /// From a process of the host.
    case output
  }

  /// How rules of another program meet it.
  public var way = Way.input

  /// The interface that it leaves on, for rules of another program; nothing if that is not known.
  public var departure: String?

  /// Creates a question.
  public init(
    from source: String, to destination: String, port: String, on interface: String? = nil,
    sourcePort: UInt16 = 49152, in cluster: String? = nil
  ) {
    self.source = source
    self.destination = destination
    self.port = port
    self.interface = interface
    self.sourcePort = sourcePort
    self.cluster = cluster
  }

  /// Throws why there is no packet of `traffic` from `source` to `destination`, if there is none.
  func check(_ source: Address, _ destination: Address, _ traffic: Traffic) throws(UnanswerableQuestion) {
    try checkInterfaces()
    guard source.family == destination.family else {
      throw UnanswerableQuestion("`\(source)` and `\(destination)` are of different families")
    }
    guard traffic.family.map({ $0 == source.family }) ?? true else {
      throw UnanswerableQuestion("`\(port)` is no message between IPv4 addresses")
    }
  }

  /// Throws if an interface of the question has a name that no interface can have (`dev_valid_name`, net/core/dev.c).
  func checkInterfaces() throws(UnanswerableQuestion) {
    for name in [interface, departure].compactMap({ $0 }) {
      let isName =
        !name.isEmpty && name.utf8.count <= InterfaceName.longest && name != "." && name != ".."
        && name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ":") }
      guard isName else { throw UnanswerableQuestion("`\(name)` is no name of an interface") }
    }
  }

  /// The number of `port`, if it has one.
  var portNumber: UInt16? { UInt16(port.prefix { $0 != "/" }) }

  /// Returns the traffic that `port` means for packets of `family`.
  func traffic(_ family: AddressFamily) throws(UnanswerableQuestion) -> Traffic {
    let parts = port.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 2, let transport = TransportProtocol.withPorts.first(where: { $0.name == parts[1] })?.transport,
      parts[0].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let n = UInt16(parts[0])
    {
      return .ports(transport, PortRange(n))
    }
    if parts.count == 2, parts[1] == "icmp" || parts[1] == "icmpv6" {
      if parts[1] == "icmpv6" || family == .ipv6 {
        if let type = ICMPType.ipv6.first(where: { $0.name == parts[0] })?.type ?? UInt8(parts[0]) {
          return .icmpv6(type: type, code: 0)
        }
      } else if let type = ICMPType.ipv4.first(where: { $0.name == parts[0] })?.type ?? UInt8(parts[0]) {
        return .icmp(type: type, code: 0)
      }
    }
    throw UnanswerableQuestion("`\(port)` is no port with a protocol, such as `443/tcp` or `echo-request/icmp`")
  }
}
