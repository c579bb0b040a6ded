public import Packets

/// A day of the Gregorian calendar, in UTC.
public struct CalendarDate: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The days since 1 January 1970.
  public let daysSinceEpoch: Int

  /// Creates the day that is `daysSinceEpoch` days after 1 January 1970.
  public init(daysSinceEpoch: Int) { self.daysSinceEpoch = daysSinceEpoch }

  /// Creates the given day, or nothing if the calendar has no such day; years run from 1970 to 9999.
  public init?(year: Int, month: Int, day: Int) {
    guard (1970...9999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
    // Days from the civil date, counting years from March so that the leap day is the last of its year.
    let y = month > 2 ? year : year - 1
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    daysSinceEpoch = era * 146_097 + dayOfEra - 719_468
    guard (self.year, self.month, self.day) == (year, month, day) else { return nil }
  }

  /// Creates the day written `2026-12-31`, or nothing if `text` is none.
  public init?(_ text: some StringProtocol) {
    let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2 else { return nil }
    let numbers = parts.compactMap { part in
      part.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        ? Int(String(decoding: part, as: UTF8.self)) : nil
    }
    guard numbers.count == 3 else { return nil }
    self.init(year: numbers[0], month: numbers[1], day: numbers[2])
  }

  /// The year, month and day of the date.
  private var civil: (year: Int, month: Int, day: Int) {
    let z = daysSinceEpoch + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let mp = (5 * dayOfYear + 2) / 153
    let month = mp < 10 ? mp + 3 : mp - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * mp + 2) / 5 + 1)
  }

  /// The year.
  public var year: Int { civil.year }

  /// The month, from 1.
  public var month: Int { civil.month }

  /// The day of the month, from 1.
  public var day: Int { civil.day }

  /// Returns `true` iff `a` is before `b`.
  public static func < (a: Self, b: Self) -> Bool { a.daysSinceEpoch < b.daysSinceEpoch }

  /// The date as `2026-12-31`.
  public var description: String {
    let (year, month, day) = civil
    return "\(year)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
  }
}

/// A number of packets in a unit of time.
public struct Rate: Hashable, Sendable, CustomStringConvertible {
  /// A unit of time.
  public enum Unit: String, Hashable, Sendable, CaseIterable {
    /// The units that nftables and iptables know.
    case second, minute, hour, day
  }

  /// How many.
  public var count: UInt32

  /// In what time.
  public var unit: Unit

  /// Creates the rate of `count` per `unit`.
  public init(_ count: UInt32, per unit: Unit) {
    self.count = count
    self.unit = unit
  }

  /// The rate as `200/second`.
  public var description: String { "\(count)/\(unit.rawValue)" }
}

/// How many new connections are let in.
public struct Limit: Hashable, Sendable, CustomStringConvertible {
  /// The rate that is sustained.
  public var rate: Rate

  /// How many may come at once, or nothing for the default of the target.
  public var burst: UInt32?

  /// `true` iff each source address has a limit of its own.
  public var perSource: Bool

  /// Creates the limit.
  public init(_ rate: Rate, burst: UInt32? = nil, perSource: Bool = false) {
    self.rate = rate
    self.burst = burst
    self.perSource = perSource
  }

  /// The limit as the language writes it.
  public var description: String {
    rate.description + (burst.map { " burst \($0)" } ?? "") + (perSource ? " per source" : "")
  }
}

/// The kinds of things that a name can mean.
public enum EntityKind: String, Hashable, Sendable, CaseIterable {
  /// The kinds, as references spell them.
  case zone, service, host, group, owner, cluster
}

/// What is written where someone who connects, or something that is connected to, is expected.
public enum Term: Hashable, Sendable {
  /// Addresses written out.
  case addresses(AddressRange)

  /// Something by its name, with its kind if that is written before it.
  case named(EntityKind?, String)

  /// All services of a class.
  case serviceClass(String)

  /// The built-in zone of every address.
  case internet

  /// The host itself.
  case localhost
}

/// A port literal such as `53/tcp+udp`, one element a protocol.
public typealias TrafficList = Spelled<[Traffic]>
