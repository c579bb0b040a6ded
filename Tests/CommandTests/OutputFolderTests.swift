import Foundation
import Testing

@Suite struct OutputFolderTests {
  /// A policy whose host and cluster give files.
  static let policy = """
    service site {
      port 8443/tcp
      expose to internet
    }
    service api {
      port 8080/tcp
      expose to site
    }
    host web1 {
      address 192.0.2.10
      runs site
    }
    cluster prod {
      pods 10.42.0.0/16
      workload api {
        namespace shop
        pods app=api
      }
    }

    """

  static func sandbox() throws -> Sandbox {
    let box = try Sandbox()
    try box.write(policy, to: "policies/main.port")
    return box
  }

  static func compile(_ box: Sandbox) throws -> Sandbox.Outcome {
    try box.portcullis("compile", "--all", "--output", "out")
  }

  @Test func theSamePolicyGivesTheSameFiles() throws {
    let box = try Self.sandbox()
    let first = try Self.compile(box)
    #expect(first.code == 0, "\(first)")
    let files = try box.files("out")
    #expect(files.contains("clusters/prod/kustomization.yaml") && files.contains(".portcullis"))
    let before = try box.shell("find out -type f -exec stat -c '%n %i %Y' {} + | sort; cat $(find out -type f | sort)")
    let second = try Self.compile(box)
    #expect(second.error.contains(" 0 written, 0 removed"))
    let after = try box.shell("find out -type f -exec stat -c '%n %i %Y' {} + | sort; cat $(find out -type f | sort)")
    #expect(before.output == after.output)
    #expect(try box.portcullis("compile", "--all", "--output", "deep/er/out").code == 0)
    #expect(try box.shell("diff -r out deep/er/out").code == 0)
  }

  @Test func staleFilesGoAndStrangeOnesStay() throws {
    let box = try Self.sandbox()
    #expect(try Self.compile(box).code == 0)
    try box.write("mine\n", to: "out/clusters/prod/shop/mine.yaml")
    try box.write("mine\n", to: "out/README")
    let without = Self.policy.replacingOccurrences(of: "workload api", with: "workload site")
    try box.write(without, to: "policies/main.port")
    let before = Set(try box.files("out"))
    let second = try Self.compile(box)
    #expect(second.code == 0, "\(second)")
    let after = Set(try box.files("out"))
    #expect(!before.subtracting(after).isEmpty)
    #expect(after.contains("clusters/prod/shop/mine.yaml") && after.contains("README"))
    #expect(!after.contains { $0.contains("api") })
    let empty = "zone a {\n  10.0.0.0/8\n}\n"
    try box.write(empty, to: "policies/main.port")
    #expect(try Self.compile(box).code == 0)
    #expect(try box.files("out") == [".portcullis", "README", "clusters/prod/shop/mine.yaml"])
  }

  @Test func nothingIsWrittenWhenSomethingIsWrong() throws {
    let box = try Self.sandbox()
    #expect(try Self.compile(box).code == 0)
    let before = try box.shell("find out | sort; cat $(find out -type f | sort)").output
    for (text, code) in [("host x {", 2), ("host x { runs nobody }", 2)] {
      try box.write(text, to: "policies/bad.port")
      #expect(try Self.compile(box).code == Int32(code))
      #expect(try box.shell("find out | sort; cat $(find out -type f | sort)").output == before)
    }
    #expect(try box.portcullis("compile", "--all", "--output", "new").code == 2)
    #expect(!FileManager.default.fileExists(atPath: box.folder.appending(path: "new").path))
  }

  @Test func linksBelowTheFolderAreNotFollowed() throws {
    let box = try Self.sandbox()
    _ = try box.shell("mkdir out elsewhere; ln -s ../elsewhere out/clusters")
    let result = try Self.compile(box)
    #expect(result.code == 2 && result.error.contains("out/clusters"), "\(result)")
    #expect(try box.shell("find out elsewhere | sort").output == "elsewhere\nout\nout/clusters\n")
    _ = try box.shell("rm out/clusters; echo kept > secret; ln -s ../secret out/.portcullis")
    #expect(try Self.compile(box).code == 2)
    #expect(try box.read("secret") == "kept\n")
    _ = try box.shell(
      "rm out/.portcullis; mkdir -p out/clusters/prod; ln -s ../../../secret out/clusters/prod/kustomization.yaml")
    let linked = try Self.compile(box)
    #expect(linked.code == 2 && linked.error.contains("this link is none that"), "\(linked)")
    #expect(try box.read("secret") == "kept\n")
    _ = try box.shell("rm -r out; ln -s elsewhere out")
    #expect(try Self.compile(box).code == 0)
    #expect(try box.files("elsewhere").contains("clusters/prod/kustomization.yaml"))
    // What was ours and became a link is ours still; what it leads to is not.
    _ = try box.shell("cd elsewhere/clusters/prod; rm kustomization.yaml; ln -s ../../../secret kustomization.yaml")
    #expect(try Self.compile(box).code == 0)
    #expect(try box.read("secret") == "kept\n")
    #expect(try box.read("elsewhere/clusters/prod/kustomization.yaml").contains("kind: Kustomization"))
  }

  @Test func whatOthersPutInThePlaceOfOursStays() throws {
    let box = try Self.sandbox()
    for (script, kind) in [
      ("echo mine > out/hosts/web1/ruleset.nft", "file"), ("mkdir out/hosts/web1/ruleset.nft", "folder"),
      ("mkfifo out/hosts/web1/ruleset.nft", "file"),
    ] {
      _ = try box.shell("rm -rf out; mkdir -p out/hosts/web1; \(script)")
      let before = try box.shell("find out -exec stat -c '%n %i %Y %F' {} +").output
      let result = try Self.compile(box)
      #expect(
        result.code == 2 && result.error.contains("out/hosts/web1/ruleset.nft: this \(kind) is none that"), "\(result)")
      let after = try box.shell("find out -exec stat -c '%n %i %Y %F' {} +").output
      #expect(Set(before.split(separator: "\n").dropFirst()) == Set(after.split(separator: "\n").dropFirst()))
    }
    // What is there as it should be may become ours; then it is kept in step.
    _ = try box.shell("rm -rf out; \"$P\" compile --all --output out; rm out/.portcullis")
    #expect(try Self.compile(box).error.contains(" 0 written, 0 removed"))
    try box.write("changed\n", to: "out/hosts/web1/ruleset.nft")
    #expect(try Self.compile(box).error.contains(" 1 written, 0 removed"))
  }

  @Test func whatAKilledRunLeftIsRemoved() throws {
    let box = try Self.sandbox()
    for name in ["0", "list", "other"] { try box.write("half", to: "out/.portcullis-new/\(name)") }
    #expect(try Self.compile(box).code == 0)
    #expect(try !box.shell("find out").output.contains(".portcullis-new"))
    // A run that ends before the files have their places changes none of those that are there.
    let before = try box.shell("cat $(find out -type f | sort)").output
    try box.write(Self.policy.replacingOccurrences(of: "8443", with: "9443"), to: "policies/main.port")
    let killed = try box.shell("(ulimit -f 1; \"$P\" compile --all --output out)")
    #expect(killed.code != 0, "\(killed)")
    #expect(try box.shell("cat $(find out -path out/.portcullis-new -prune -o -type f -print | sort)").output == before)
    #expect(try Self.compile(box).code == 0)
    #expect(try box.read("out/hosts/web1/ruleset.nft").contains("9443"))
  }

  @Test(arguments: ["../x", "/etc/x", "a/../../x", "a//b", ".portcullis", ""])
  func aForgedListRemovesNothing(entry: String) throws {
    let box = try Self.sandbox()
    #expect(try Self.compile(box).code == 0)
    try box.write("kept", to: "x")
    let list = try box.read("out/.portcullis")
    try box.write(entry.isEmpty ? "something else\n" : list + entry + "\n", to: "out/.portcullis")
    #expect(try Self.compile(box).code == 2)
    #expect(try box.read("x") == "kept")
  }

  @Test func aFolderThatCannotBeWrittenIsLeftAlone() throws {
    let box = try Self.sandbox()
    // Root may write anywhere but where the file system itself says no.
    let result = try box.portcullis("compile", "--all", "--output", "/proc/portcullis")
    #expect(result.code == 2 && result.error.contains("/proc/portcullis"))
    try box.write("", to: "file")
    #expect(try box.portcullis("compile", "--all", "--output", "file").code == 2)
    #expect(try box.portcullis("compile", "--all", "--output", "file/below").code == 2)
    _ = try box.shell("mkdir out; chmod a-w out; chmod a+rx . policies; chmod a+r policies/*")
    let other = try box.shell(
      "if [ $(id -u) = 0 ]; then cp \"$P\" ./p && chmod a+rx p && setpriv --reuid 65534 --clear-groups ./p compile --all --output out; "
        + "else \"$P\" compile --all --output out; fi")
    #expect(other.code == 2 && other.error.contains("Permission denied"), "\(other)")
    #expect(try box.files("out").isEmpty)
  }

  @Test func aFullDiskLeavesAllAsItWas() throws {
    let box = try Self.sandbox()
    let script = """
      mkdir disk && mount -t tmpfs -o size=64k none disk && trap 'umount disk' EXIT
      head -c 60000 /dev/zero > disk/filler; mkdir disk/out; find disk | sort > before
      "$P" compile --all --output disk/out; echo $?; find disk | sort | diff before - && echo same
      """
    guard try box.shell("unshare -m true").code == 0 else { return }
    let result = try box.shell("unshare -m bash -c '\(script.replacingOccurrences(of: "'", with: "'\\''"))'")
    #expect(result.output.contains("2\nsame\n") && result.error.contains("No space left"), "\(result)")
  }

  @Test func twoAtOnceDoNotMeet() throws {
    let box = try Self.sandbox()
    let result = try box.shell(
      "mkdir out; flock out bash -c '\"$P\" compile --all --output out; echo $?'; find out")
    #expect(result.output == "2\nout\n" && result.error.contains("another compile"))
  }
}
