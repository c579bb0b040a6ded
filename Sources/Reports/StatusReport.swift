public import Deploy
import Firewalls
import Nftables
import Packets
import Syntax

/// What a host's rules counted, as it is written.
public struct StatusReport: Sendable {
  /// What was counted.
  public var status: Status

  /// Within how many days what ends is told.
  public var days: Int

  /// Creates the report of `status`, which tells what ends within `days` days.
  public init(_ status: Status, endingWithin days: Int) {
    self.status = status
    self.days = days
  }

  /// Returns the text for a person, in colours iff `color`.
  public func text(color: Bool) -> String {
    let palette = Palette(isOn: color)
    var result = "Host \(printable(status.host)): "
    if !status.isLoaded {
      result += palette("the kernel has no rules of portcullis.", .error) + "\n"
    } else if status.isCurrent {
      result += "the kernel has the rules of this policy.\n"
    } else {
      result += palette("the kernel has other rules than this policy makes", .warning) + "; see `portcullis plan`.\n"
    }
    if let fingerprint = status.fingerprint { result += "Meaning: \(fingerprint)\n" }
    if let pending = status.pending {
      result +=
        palette("A change waits to be confirmed", .warning)
        + ": it takes itself back in \(seconds(pending)) seconds.\n"
    } else if status.hasLapsed {
      result += palette("A change was not confirmed in time", .warning) + "; the former rules judge.\n"
    }
    for (kind, title) in [
      (Status.Kind.exposure, "Exposures"), (.use, "Uses"), (.transit, "Transits"), (.block, "Blocks"),
    ] {
      let lines = status.lines.filter { $0.kind == kind }
      guard !lines.isEmpty, status.isLoaded else { continue }
      result += "\n\(title), in first packets of connections since the rules were loaded:\n"
      for line in lines { result += row(line) }
    }
    result += unused(palette) + lapsing(palette) + refusals
    if !status.strangers.isEmpty {
      result += "\nCounted for lines that this policy does not have:\n"
      for stranger in status.strangers {
        result += "\(column(String(stranger.count.packets)))  \(printable(stranger.comment))\n"
      }
    }
    return result
  }

  /// Returns `milliseconds` in whole seconds, at least one.
  private func seconds(_ milliseconds: UInt64) -> UInt64 { max(1, (milliseconds + 999) / 1000) }

  /// Returns `text`, aligned to the right.
  private func column(_ text: String) -> String {
    String(repeating: " ", count: max(0, 12 - text.utf8.count)) + text
  }

  private func place(_ line: Status.Line) -> String { printable("\(line.location.path):\(line.location.line)") }

  private func row(_ line: Status.Line) -> String {
    var number = line.decided.map { String($0.packets) } ?? "-"
    if line.precision == .shared, line.decided?.packets ?? 0 > 0 { number = "<=\(number)" }
    var text = "\(column(number))  \(printable(line.subject))"
    if !line.traffic.isEmpty {
      text += " \(line.traffic.prefix(6).joined(separator: ", "))\(line.traffic.count > 6 ? ", ..." : "")"
    }
    text += "  \(place(line))"
    var remarks: [String] = []
    switch line.precision {
    case .exact: break
    case .shared: remarks.append("counted together with others")
    case .preceded: remarks.append("lines that were used accept some of the same")
    case .hidden: remarks.append("not counted: others accept the same")
    case .absent: remarks.append("not in the kernel's rules")
    }
    if let asked = line.asked, asked != line.decided { remarks.append("\(asked.packets) asked for") }
    if let days = line.daysLeft, days <= 0 { remarks.append("ended") }
    return text + (remarks.isEmpty ? "" : " (\(remarks.joined(separator: "; ")))") + "\n"
  }

  private func unused(_ palette: Palette) -> String {
    let lines = status.unused
    guard status.isLoaded, !lines.isEmpty else { return "" }
    var result = "\n" + palette("Never used since the rules were loaded", .note) + " (\(lines.count)):\n"
    for line in lines {
      let owner = line.owner.map { ", owner \(printable($0))" } ?? ""
      result += "  \(printable(line.subject))  \(place(line))\(owner)\n    | \(printable(line.text))\n"
    }
    return result
  }

  private func lapsing(_ palette: Palette) -> String {
    let lines = status.lapsing(within: days)
    guard !lines.isEmpty else { return "" }
    var result = "\n" + palette("Ending within \(days) days", .warning) + " (\(lines.count)):\n"
    for line in lines {
      guard let until = line.until, let left = line.daysLeft else { continue }
      let time =
        left == 1 ? "at the end of today" : "in \(left - 1) \(left == 2 ? "day" : "days"), at the end of \(until)"
      result += "  \(printable(line.subject))  \(place(line)): ends \(time), UTC\n"
    }
    return result
  }

  private var refusals: String {
    guard status.isLoaded else { return "" }
    let count = status.refused.map { $0.packets == 1 ? "1 packet" : "\($0.packets) packets" }
    var result = "\nRefused: \(count ?? "not counted")"
    result += ", and \(status.invalid.map { "\($0.packets)" } ?? "an unknown number") that are part of no connection.\n"
    guard let log = status.refusals else {
      return result
        + "By zone and port it is not counted, but logged where the policy says `log denied`: give --log FILE.\n"
    }
    let lines = log.lines == 1 ? "1 line" : "\(log.lines) lines"
    result += "By source zone and port, in \(lines) of the log, which keeps a part of all:\n"
    for row in log.rows.prefix(20) {
      result +=
        "\(column(String(row.packets)))  \(printable(row.zones.joined(separator: ", "))) to \(printable(row.traffic))"
        + ", mostly from \(row.source)\n"
    }
    if log.rows.count > 20 { result += "              and \(log.rows.count - 20) others\n" }
    if log.unreadable > 0 { result += "\(log.unreadable) of the lines could not be read.\n" }
    return result
  }
}
