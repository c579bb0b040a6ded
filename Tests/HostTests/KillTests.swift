import Deploy
import Foundation
import Nftables
import Support
import Testing

/// The program is killed at every step that changes the kernel or the disk, and before and after it.
@Suite struct KillTests {
  /// What is killed.
  enum Act: String, CaseIterable, Sendable {
    case firstApply, apply, applyConfirming, confirm, withdraw, rollback, restore

    /// The command, and the policy that it takes.
    var words: [String] {
      switch self {
      case .firstApply, .apply: ["apply"]
      case .applyConfirming: ["apply", "--confirm", "100s"]
      case .confirm: ["confirm"]
      case .withdraw, .rollback: ["rollback"]
      case .restore: ["restore"]
      }
    }
  }

  private static let calls = "sendto,sendmsg,write,fsync,rename,renameat,renameat2,unlinkat,mkdirat,ftruncate"

  private static let narrow = samplePolicy()

  /// A host as it is before the act.
  private final class Stage {
    let act: Act
    let machine: Machine
    let narrow: String
    let wide: String

    init(_ act: Act) throws {
      self.act = act
      machine = try Machine(act.rawValue)
      narrow = try machine.policy(KillTests.narrow, "narrow.port")
      wide = try machine.policy(widerPolicy, "wide.port")
    }

    /// Makes the host what it is before the act, whatever was there.
    func prepare() throws {
      try? FileManager.default.removeItem(atPath: machine.stateFolder)
      try machine.nft("flush ruleset")
      if act == .firstApply { return }
      try machine.expect(0, "apply", on: narrow)
      switch act {
      case .confirm, .withdraw: try machine.expect(0, "apply", "--confirm", "100s", on: wide)
      case .rollback: try machine.expect(0, "apply", on: wide)
      case .restore: try machine.nft("flush ruleset")
      default: break
      }
    }

    /// What is run.
    var command: [String] {
      machine.command(act.words, on: act.words[0] == "apply" ? wide : nil)
    }

    /// The former and the later policy; nothing is a host without our table.
    var ends: (old: String?, new: String?) {
      switch act {
      case .firstApply: (nil, widerPolicy)
      case .apply, .applyConfirming, .confirm: (KillTests.narrow, widerPolicy)
      case .withdraw, .rollback: (widerPolicy, KillTests.narrow)
      case .restore: (nil, KillTests.narrow)
      }
    }

    /// Goes on, as somebody would who finds the host like that.
    func goOn(_ comment: String) throws {
      let live = try machine.deployment().live()
      if live?.pending != nil {
        try machine.expect(2, "apply", on: wide, note: comment)
        try machine.expect(0, "confirm", note: comment)
      }
      switch act {
      case .firstApply, .apply, .applyConfirming:
        try machine.expect(0, "apply", on: wide, note: comment)
        try machine.expect(0, "verify", "--own", on: wide, note: comment)
      case .confirm:
        let result = try machine.portcullis("confirm")
        #expect([0, 2].contains(result.status), "\(comment): \(result)")
        try machine.expect(0, "verify", "--own", on: wide, note: comment)
      case .withdraw, .rollback, .restore:
        try machine.expect(0, "apply", on: narrow, note: comment)
        try machine.expect(0, "verify", "--own", on: narrow, note: comment)
      }
      // What a boot restores is what judges.
      let judging = try #require(try machine.deployment().live()).ruleset
      try machine.nft("flush ruleset")
      try machine.expect(0, "restore", note: comment)
      let restored = try #require(try machine.deployment().live())
      #expect(restored.ruleset.isLike(judging), "\(comment): the boot restores something else")
      #expect(restored.unknowns.isEmpty, "\(comment)")
    }
  }

  /// A call of the kernel: the one of this name with this number, from 1.
  struct Point: CustomStringConvertible {
    var call: String
    var number: Int

    var description: String { "\(call) \(number)" }
  }

  /// Returns the calls before which the program is killed: those that change something, and those right behind one.
  private static func points(of command: [String], in machine: Machine) throws -> [Point] {
    let log = machine.folder.appending(path: "trace").path
    let run = try machine.namespace.run(
      ["strace", "-f", "-qq", "-s", "32", "-e", "trace=\(calls)", "-o", log] + command)
    guard run.status == 0 else { throw Machine.Failure(description: "\(run)") }
    var threads: [Substring: [(Point, changes: Bool)]] = [:]
    for line in try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n") {
      // Short numbers of threads are padded.
      let words = line.split(separator: " ", maxSplits: 1).map { $0.drop { $0 == " " } }
      guard words.count == 2, let end = words[1].firstIndex(of: "("), !words[1].hasPrefix("<") else { continue }
      let call = String(words[1][..<end])
      let number = threads[words[0], default: []].count { $0.0.call == call } + 1
      // Questions to the kernel change nothing; a batch begins with a message of type 16, which newer versions name.
      let changes =
        call != "sendto" || ["nlmsg_type=0x10 ", "nlmsg_type=NFNL_MSG_BATCH_BEGIN"].contains { words[1].contains($0) }
      threads[words[0], default: []].append((Point(call: call, number: number), changes))
    }
    let main = threads.values.max { $0.count < $1.count } ?? []
    return main.indices.filter { main[$0].changes || $0 > 0 && main[$0 - 1].changes }.map { main[$0].0 }
  }

  @Test(arguments: Act.allCases) func theHostIsTheOldOrTheNewOne(act: Act) throws {
    let stage = try Stage(act)
    try stage.prepare()
    let points = try Self.points(of: stage.command, in: stage.machine)
    #expect(points.count >= 4 && points.contains { $0.call == "sendto" }, "\(points)")
    let (old, new) = (try stage.ends.old.map { try Wanted($0) }, try stage.ends.new.map { try Wanted($0) })
    var seen: Set<Bool> = []
    var missed: [Point] = []
    for point in points {
      try stage.prepare()
      let run = try stage.machine.namespace.run(
        [
          "strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=\(point.call)", "-e",
          "inject=\(point.call):signal=SIGKILL:when=\(point.number)",
        ] + stage.command)
      // How many pieces the output has, and how many questions come before a batch, differs from run to run.
      #expect(run.status == 0 || run.status == -SIGKILL, "\(run)")
      if run.status == 0, point.call != "write" { missed.append(point) }
      let live = try stage.machine.deployment().live()
      // A host without our rules, or with chains that are empty yet.
      let isBare = live?.ruleset.chains.allSatisfy(\.rules.isEmpty) ?? true
      let isOld = old?.isDone(by: live) ?? isBare
      let isNew = new?.isDone(by: live) ?? isBare
      #expect(isOld || isNew, "killed before \(point): neither the old rules nor the new ones judge")
      #expect(isNew || run.status != 0, "\(point) was not reached, and the old rules judge: \(run)")
      seen.insert(isNew)
      try stage.goOn("killed before \(point)")
    }
    #expect(missed.count * 4 <= points.count, "too many were not reached: \(missed)")
    // What waits to be confirmed judges already.
    #expect(seen == (act == .confirm ? [true] : [false, true]), "the rules change between two of the calls")
  }
}
