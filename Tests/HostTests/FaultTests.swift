import Deploy
import Foundation
import Netlink
import Nftables
import Support
import Testing

/// What fails on a host leaves it as it was, or as it is to be.
@Suite struct FaultTests {
  /// A host that does what the narrow policy says.
  private func host(_ label: String) throws -> (machine: Machine, narrow: String, wide: String) {
    let machine = try Machine(label)
    let (narrow, wide) = (
      try machine.policy(samplePolicy(), "narrow.port"), try machine.policy(widerPolicy, "wide.port")
    )
    try machine.expect(0, "apply", on: narrow)
    return (machine, narrow, wide)
  }

  /// Runs `words` with the faults `injections` of strace(1).
  private func run(
    _ machine: Machine, _ words: [String], on policy: String?, injecting injections: [String], options: [String] = []
  ) throws -> CommandResult {
    let faults = injections.flatMap { ["-e", "inject=\($0)"] }
    return try machine.namespace.run(
      ["strace", "-f", "-qq", "-o", "/dev/null"] + options + faults + machine.command(words, on: policy))
  }

  // MARK: - The disk

  @Test(arguments: ["write", "fsync", "renameat,renameat2"]) func aFullDiskChangesNothing(call: String) throws {
    let (machine, narrow, wide) = try host("full")
    for error in ["ENOSPC", "EIO"] {
      let draft = ["-P", "\(machine.stateFolder)/.new-draft", "-P", machine.stateFolder]
      let result = try run(
        machine, ["apply"], on: wide, injecting: ["\(call):error=\(error)"], options: draft)
      #expect(result.status == 2, "\(result)")
      #expect(result.errors.contains(machine.stateFolder), "\(result)")
      try machine.expect(0, "verify", "--own", on: narrow, note: "\(call) \(error)")
    }
    try machine.expect(0, "apply", on: wide)
    try machine.expect(0, "verify", "--own", on: wide)
  }

  @Test func aFolderWithoutRoomChangesNothing() throws {
    let machine = try Machine("tmpfs")
    let narrow = try machine.policy(samplePolicy(), "narrow.port")
    let wide = try machine.policy(widerPolicy, "wide.port")
    let place = machine.folder.appending(path: "small").path
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    // The mount is seen by this shell and its children alone.
    let commands = [
      machine.command(["apply"], on: narrow, state: "\(place)/state"),
      ["sh", "-c", "head -c 1000000 /dev/zero >\(place)/filler; true"],
      machine.command(["apply"], on: wide, state: "\(place)/state"),
      machine.command(["verify", "--own"], on: narrow, state: "\(place)/state"),
      ["rm", "\(place)/filler"],
      machine.command(["apply"], on: wide, state: "\(place)/state"),
      machine.command(["verify", "--own"], on: wide, state: "\(place)/state"),
    ].map { $0.map { "'\($0)'" }.joined(separator: " ") + " >/dev/null; echo $?" }
    let script = "mount -t tmpfs -o size=64k none \(place)\n" + commands.joined(separator: "\n")
    let result = try machine.namespace.run(["unshare", "--mount", "sh", "-c", script])
    #expect(result.output.split(separator: "\n") == ["0", "0", "2", "0", "0", "0", "0"], "\(result)")
    #expect(result.errors.contains("No space left"), "\(result)")
  }

  @Test func foldersOfOthersAreRefused() throws {
    let (machine, narrow, wide) = try host("folder")
    let files = FileManager.default
    for mode in [0o755, 0o750, 0o701] {
      try files.setAttributes([.posixPermissions: mode], ofItemAtPath: machine.stateFolder)
      for words in [["apply"], ["restore"], ["rollback"], ["confirm"]] {
        let result = try machine.namespace.run(machine.command(words, on: words == ["apply"] ? wide : nil))
        #expect(result.status == 2 && result.errors.contains("only the user"), "\(words) \(result)")
      }
    }
    try files.setAttributes([.posixPermissions: 0o700], ofItemAtPath: machine.stateFolder)
    try files.setAttributes([.ownerAccountID: 1], ofItemAtPath: machine.stateFolder)
    #expect(try machine.portcullis("apply", on: wide).status == 2)
    try files.setAttributes([.ownerAccountID: 0], ofItemAtPath: machine.stateFolder)
    try files.moveItem(atPath: machine.stateFolder, toPath: machine.stateFolder + "-real")
    try files.createSymbolicLink(atPath: machine.stateFolder, withDestinationPath: machine.stateFolder + "-real")
    #expect(try machine.portcullis("apply", on: wide).status == 2)
    try machine.expect(0, "verify", "--own", on: narrow)
    try files.removeItem(atPath: machine.stateFolder)
    try "".write(toFile: machine.stateFolder, atomically: true, encoding: .utf8)
    #expect(try machine.portcullis("apply", on: wide).status == 2)
    try machine.expect(0, "verify", "--own", on: narrow)
  }

  // MARK: - Damaged states

  @Test func damagedStatesAreReportedAndNeverApplied() throws {
    let (machine, narrow, wide) = try host("damaged")
    try machine.expect(0, "apply", on: wide)
    let files = FileManager.default
    let newest = "\(machine.stateFolder)/state-2"
    let oldest = "\(machine.stateFolder)/state-1"
    let text = try Data(contentsOf: URL(filePath: newest))
    func damage(_ name: String, _ path: String, _ make: () throws -> Void) throws {
      let before = try machine.listing("-a", "list", "ruleset")
      let good = try Data(contentsOf: URL(filePath: path))
      try files.removeItem(atPath: path)
      try make()
      if path == newest {
        // What judges is not replaced by something older.
        let refused = try machine.portcullis("restore")
        #expect(refused.status == 2 && refused.errors.contains(path), "\(name): \(refused)")
        #expect(try machine.listing("-a", "list", "ruleset") == before, "\(name): something was changed")
        // A boot brings back the newest state that is whole, and says which one is not.
        try machine.expect(0, "restore", "--remove")
        let result = try machine.portcullis("restore")
        #expect(result.status == 1 && result.errors.contains(path), "\(name): \(result)")
        #expect(try Wanted(samplePolicy()).isDone(by: machine.deployment().live()), "\(name): not the state before")
      } else {
        let result = try machine.portcullis("rollback", "--to", "1")
        #expect(result.status == 2 && result.errors.contains(path), "\(name): \(result)")
        #expect(try machine.listing("-a", "list", "ruleset") == before, "\(name): something was changed")
      }
      let list = try machine.portcullis("rollback", "--list")
      #expect(list.status == 0 && list.output.contains(path), "\(name): \(list)")
      try? files.removeItem(atPath: path)
      try good.write(to: URL(filePath: path))
      try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }
    for path in [newest, oldest] {
      let own = try Data(contentsOf: URL(filePath: path))
      let other = try Data(contentsOf: URL(filePath: path == newest ? oldest : newest))
      try damage("truncated", path) { try own.prefix(own.count / 2).write(to: URL(filePath: path)) }
      try damage("empty", path) { try Data().write(to: URL(filePath: path)) }
      for place in [3, 40, 100, own.count / 2, own.count - 2] {
        try damage("a bit flipped at \(place)", path) {
          var bytes = own
          bytes[place] ^= 1
          try bytes.write(to: URL(filePath: path))
        }
      }
      try damage("another state's contents", path) { try other.write(to: URL(filePath: path)) }
      try damage("a folder", path) { try files.createDirectory(atPath: path, withIntermediateDirectories: false) }
      try damage("a link", path) { try files.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd") }
      try damage("a pipe", path) { _ = try Support.run(["mkfifo", path]) }
    }
    #expect(try Data(contentsOf: URL(filePath: newest)) == text)
    // A damaged history is no hindrance to what the policy says.
    try text.prefix(100).write(to: URL(filePath: newest))
    try machine.expect(0, "apply", on: narrow)
    try machine.expect(0, "verify", "--own", on: narrow)
    try machine.expect(0, "restore")
  }

  /// A draft that was damaged while it waited is known from what judges.
  @Test func aDamagedDraftIsConfirmedFromWhatJudges() throws {
    let (machine, narrow, wide) = try host("draft")
    for damage in ["truncated", "missing", "folder lost"] {
      try machine.expect(0, "apply", on: narrow)
      try machine.expect(0, "apply", "--confirm", "100s", on: wide)
      let path = "\(machine.stateFolder)/draft"
      switch damage {
      case "truncated": try Data("# portcullis".utf8).write(to: URL(filePath: path))
      case "missing": try FileManager.default.removeItem(atPath: path)
      default: try FileManager.default.removeItem(atPath: machine.stateFolder)
      }
      try machine.expect(0, "confirm", note: damage)
      try machine.expect(0, "verify", "--own", on: wide, note: damage)
      try machine.nft("flush ruleset")
      try machine.expect(0, "restore", note: damage)
      try machine.expect(0, "verify", "--own", on: wide, note: damage)
    }
  }

  // MARK: - The kernel

  /// Errors of the sockets, wherever they come: the run fails, or does it all the same.
  @Test(arguments: ["recvfrom", "sendto", "poll"]) func socketErrors(call: String) throws {
    let (machine, narrow, wide) = try host("socket")
    let (old, new) = (try Wanted(samplePolicy()), try Wanted(widerPolicy))
    for error in ["ENOBUFS", "EINTR"] {
      for when in [1, 9, 17, 21, 25, 27, 33, 47] {
        let result = try run(machine, ["apply"], on: wide, injecting: ["\(call):error=\(error):when=\(when)"])
        let live = try machine.deployment().live()
        let comment = "\(call) \(error) \(when): \(result)"
        #expect(result.status == 0 ? new.isDone(by: live) : old.isDone(by: live) || new.isDone(by: live), "\(comment)")
        #expect(result.status == 0 || result.status == 2, "\(comment)")
        if result.status == 2 { #expect(!result.errors.isEmpty, "\(comment)") }
        // Nobody has to know what happened.
        if new.isDone(by: live) { try machine.expect(0, "apply", on: narrow, note: comment) }
        if error != "EINTR" || when > 30 { continue }
        try machine.expect(0, "verify", "--own", on: narrow, note: comment)
      }
    }
    try machine.expect(0, "apply", on: wide)
    try machine.expect(0, "verify", "--own", on: wide)
  }

  /// A transaction of which the kernel refuses a later step does nothing at all.
  @Test func aRefusalInTheMiddleChangesNothing() throws {
    let machine = try Machine("refusal")
    let (old, new) = (try Wanted(samplePolicy()), try Wanted(widerPolicy))
    let deployment = try machine.deployment()
    try deployment.change(by: { try $0?.plan(to: old.table) ?? .creating(old.table) }, proving: { _ in })
    let before = try machine.listing("-a", "list", "ruleset")
    for purpose in [Plan.Purpose.stage, .swap] {
      for place in 0..<20 {
        var found = false
        do {
          try deployment.change(
            by: { live in
              var plan = try live?.plan(to: new.table) ?? .creating(new.table)
              for i in plan.steps.indices where plan.steps[i].purpose == purpose {
                let commands = plan.steps[i].transaction.commands
                guard place <= commands.count else { continue }
                found = true
                plan.steps[i].transaction.commands.insert(.deleteChain("not-there"), at: place)
              }
              return plan
            }, proving: { _ in })
          #expect(!found, "step \(place) of \(purpose)")
        } catch NetlinkError.refused(let refusal) {
          #expect(refusal.object.contains("not-there"), "\(refusal)")
        }
        let live = try #require(try deployment.live())
        #expect(old.isDone(by: live) || !found, "step \(place) of \(purpose)")
        if !found { break }
      }
      try deployment.change(by: { try $0?.plan(to: old.table) ?? .nothing }, proving: { _ in })
      #expect(try Machine.objects(machine.listing("-j", "list", "ruleset")).count > 5)
    }
    #expect(!before.isEmpty)
  }

  /// What is not proved does not come to judge.
  @Test func whatIsNotProvedDoesNotJudge() throws {
    struct Unproved: Error {}
    let machine = try Machine("unproved")
    let (old, new) = (try Wanted(samplePolicy()), try Wanted(widerPolicy))
    let deployment = try machine.deployment()
    try deployment.change(by: { try $0?.plan(to: old.table) ?? .creating(old.table) }, proving: { _ in })
    #expect(throws: Unproved.self) {
      try deployment.change(by: { try $0?.plan(to: new.table) ?? .nothing }, proving: { _ in throw Unproved() })
    }
    #expect(old.isDone(by: try deployment.live()))
    try deployment.change(by: { try $0?.plan(to: new.table) ?? .nothing }, proving: { _ in })
    #expect(new.isDone(by: try deployment.live()))
  }

  // MARK: - Others

  /// Somebody who writes all the time is noticed, and nothing of his is lost.
  @Test(arguments: ["inet portcullis", "ip others"]) func aConcurrentWriterIsNotOverwritten(table: String) throws {
    let (machine, narrow, wide) = try host("writer")
    let writes =
      "i=0; while [ -e go ]; do i=$((i+1)); nft add chain \(table) foreign-$((i%2)) 2>/dev/null; "
      + "nft add rule \(table) foreign-$((i%2)) counter 2>/dev/null; nft delete chain \(table) foreign-$(((i+1)%2)) 2>/dev/null; "
      + "sleep 0.05; done"
    try machine.nft("add table ip others")
    let go = machine.folder.appending(path: "go")
    try Data().write(to: go)
    let writer = try ChildProcess(
      ["ip", "netns", "exec", machine.namespace.name, "sh", "-c", "cd '\(machine.folder.path)'; \(writes)"])
    var succeeded = 0
    for i in 0..<6 {
      let policy = i % 2 == 0 ? wide : narrow
      let result = try machine.portcullis("apply", on: policy)
      #expect([0, 2].contains(result.status), "\(result)")
      if result.status == 0 { succeeded += 1 }
      let live = try machine.deployment().live()
      let wanted = try [Wanted(samplePolicy()), Wanted(widerPolicy)]
      let judging = try #require(live).ruleset
      #expect(wanted.contains { $0.means(judging) }, "\(result)")
    }
    try FileManager.default.removeItem(at: go)
    writer.finish()
    if table == "ip others" {
      #expect(succeeded == 6, "changes of other tables are no hindrance")
      #expect(try machine.listing("list", "table", "ip", "others").contains("foreign-"))
    }
    try machine.expect(0, "apply", on: wide)
    try machine.expect(0, "verify", "--own", on: wide)
  }

  @Test func twoAtOnceBothEndWell() throws {
    let (machine, narrow, wide) = try host("two")
    func start(_ policy: String) throws -> ChildProcess {
      try ChildProcess(["ip", "netns", "exec", machine.namespace.name] + machine.command(["apply"], on: policy))
    }
    for _ in 0..<3 {
      let runs = try [start(wide), start(narrow), start(wide)]
      #expect(runs.map { $0.finish() } == [0, 0, 0])
      let live = try machine.deployment().live()
      #expect(try Wanted(samplePolicy()).isDone(by: live) || Wanted(widerPolicy).isDone(by: live))
    }
    // One that waits in vain says so.
    let lock = try ChildProcess(["flock", "\(machine.stateFolder)/lock", "sh", "-c", "echo; read line"])
    usleep(300_000)
    let before = try machine.listing("-a", "list", "ruleset")
    let result = try machine.portcullis("apply", on: wide)
    #expect(result.status == 2 && result.errors.contains("another run of portcullis"), "\(result)")
    #expect(try machine.listing("-a", "list", "ruleset") == before)
    lock.finish()
    try machine.expect(0, "apply", on: wide)
  }

  @Test func whoOnlyLooksOpensNothingForWriting() throws {
    let (machine, narrow, wide) = try host("looks")
    try machine.nft("table ip others { chain in { type filter hook input priority 0; }; }")
    let record = machine.folder.appending(path: "calls").path
    let calls =
      "openat,open,creat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,link,linkat,symlinkat,truncate"
    for words in [["plan"], ["verify"], ["verify", "--own"], ["plan", "--format", "json"]] {
      _ = try machine.namespace.run(
        ["strace", "-f", "-qq", "-e", "trace=\(calls)", "-o", record] + machine.command(words, on: wide))
      let lines = try String(contentsOfFile: record, encoding: .utf8).split(separator: "\n")
      #expect(lines.count > 10)
      let writes = lines.filter { line in
        !line.contains("(AT_FDCWD, \"/dev/null\"")
          && (line.contains("O_WRONLY") || line.contains("O_RDWR") || line.contains("O_CREAT")
            || !line.contains("open"))
      }
      #expect(writes.filter { !$0.contains("+++") && !$0.contains("---") } == [], "\(words)")
    }
    try machine.expect(0, "verify", "--own", on: narrow)
  }

  @Test(arguments: [
    ["capsh", "--drop=cap_net_admin", "--", "-c", "exec \"$@\"", "sh"],
    ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"],
    ["setpriv", "--reuid=65534", "--clear-groups"],
  ]) func withoutPrivilegeThereAreOnlyWords(prefix: [String]) throws {
    let (machine, narrow, wide) = try host("privilege")
    let before = try machine.listing("-a", "list", "ruleset")
    for words in [["apply"], ["plan"], ["verify", "--own"], ["confirm"], ["rollback"], ["restore"]] {
      let takesPolicy = ["apply", "plan", "verify"].contains(words[0])
      // A user who is not root cannot look into the folder either.
      let line = prefix + machine.command(words, on: takesPolicy ? wide : nil)
      let result = try machine.namespace.run(line)
      #expect(result.status == 2, "\(words): \(result)")
      if prefix.contains("--reuid=65534"), !["plan", "verify"].contains(words[0]) {
        let isFolder = result.errors.contains("only the user") || result.errors.contains("ermission denied")
        #expect(isFolder && result.errors.contains(machine.stateFolder), "\(words): \(result)")
      } else {
        let reason =
          "not permitted: this needs the capability CAP_NET_ADMIN; run it as root, or give it that one capability"
        #expect(result.errors.contains(reason), "\(words): \(result)")
      }
      #expect(!result.errors.contains("atal error"), "\(result)")
    }
    #expect(try machine.listing("-a", "list", "ruleset") == before)
    try machine.expect(0, "verify", "--own", on: narrow)
  }
}
