import Foundation
import Testing

@Suite struct CommandTests {
  /// A policy without findings.
  static let good = """
    owner web {
      contact "web@example.com"
    }

    service site {
      owner   web
      purpose "The site"
      port    8443/tcp
      expose to internet as 443/tcp
    }

    host web1 {
      address 192.0.2.10, 2001:db8::10
      runs    site
    }

    """

  /// Returns a folder with a good policy.
  static func sandbox() throws -> Sandbox {
    let box = try Sandbox()
    try box.write(good, to: "policies/main.port")
    return box
  }

  @Test func whatInitWritesIsCleanAndInItsLayout() throws {
    let box = try Sandbox()
    let first = try box.portcullis("init")
    #expect(first.code == 0 && first.output == "policies/main.port\n" && first.error == "")
    #expect(try box.portcullis("check", "--strict", "--today", "2026-11-22").code == 0)
    #expect(try box.portcullis("fmt", "--check").code == 0)
    let text = try box.read("policies/main.port")
    let second = try box.portcullis("init")
    #expect(second.code == 2 && second.error.contains("File exists"))
    #expect(try box.read("policies/main.port") == text)
    #expect(try box.portcullis("init", "a/b").code == 2)
    #expect(try box.portcullis("init", "other").code == 0)
  }

  @Test func findingsGoToStandardError() throws {
    let box = try Self.sandbox()
    let good = try box.portcullis("check")
    #expect(good.code == 0 && good.output == "")
    try box.write("host x { runs nothing }\n", to: "policies/bad.port")
    let bad = try box.portcullis("check")
    #expect(bad.code == 1 && bad.output == "")
    #expect(bad.error.contains("error[unknown-name]") && bad.error.contains("policies/bad.port:1:15"))
    #expect(!bad.error.contains("\u{1b}"))
    let compiled = try box.portcullis("compile", "--host", "web1", "--to", "nftables")
    #expect(compiled.code == 2 && compiled.output == "")
  }

  @Test(arguments: ["json", "sarif", "gitlab"])
  func documentsGoToStandardOutput(format: String) throws {
    let box = try Self.sandbox()
    try box.write("host x { runs nothing }\n", to: "policies/bad.port")
    let result = try box.portcullis("check", "--format", format)
    #expect(result.code == 1 && result.error == "")
    #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(result.output.utf8)) }
  }

  @Test func warningsFailAStrictRun() throws {
    let box = try Self.sandbox()
    try box.write("zone nowhere { 10.0.0.0/8 }\n", to: "policies/more.port")
    for command in [["check"], ["compile", "--host", "web1", "--to", "nftables"]] {
      let arguments = command.joined(separator: " ")
      #expect(try box.shell("\"$P\" \(arguments)").code == 0)
      let strict = try box.shell("\"$P\" \(arguments) --strict")
      #expect(strict.code == 1 && strict.output == "" && strict.error.contains("warning[unused-zone]"), "\(strict)")
    }
    #expect(try box.portcullis("compile", "--all", "--output", "out", "--strict").code == 1)
    #expect(try box.files() == ["policies/main.port", "policies/more.port"])
  }

  @Test func documentsSayWhatWasNotJudged() throws {
    let box = try Self.sandbox()
    let good = try box.portcullis("check", "--format", "sarif")
    #expect(good.code == 0 && good.output.contains("\"executionSuccessful\": true"))
    #expect(good.output.contains("\"id\": \"port-conflict\"") && good.output.contains("**Why it matters**"))
    #expect(try box.portcullis("check", "--format", "junit").output.contains("port-conflict"))
    // Checks that did not run have not passed.
    try box.write("host x {\n", to: "policies/bad.port")
    let bad = try box.portcullis("check", "--format", "junit")
    #expect(bad.code == 1 && bad.output.contains("syntax-unclosed-block") && !bad.output.contains("port-conflict"))
    _ = try box.shell("rm policies/bad.port; ln -s nowhere policies/gone.port")
    let incomplete = try box.portcullis("check", "--format", "sarif")
    #expect(incomplete.code == 2 && incomplete.output.contains("\"executionSuccessful\": false"), "\(incomplete)")
  }

  @Test func aLogThatATargetCannotLimitIsAnError() throws {
    let box = try Sandbox()
    try box.write(Self.good + "policy \"p\" {\n  log denied 1/day burst 4000000000\n}\n", to: "policies/main.port")
    for target in ["nftables", "iptables", "ip6tables"] {
      let result = try box.portcullis("compile", "--host", "web1", "--to", target)
      let code = target == "nftables" ? "nftables-limit" : "iptables-limit"
      #expect(result.code == 1 && result.output == "", "\(target): \(result)")
      #expect(result.error.contains(code) && result.error.contains("main.port:17:14"), "\(target): \(result)")
    }
  }

  @Test func coloursAreForTerminals() throws {
    let box = try Self.sandbox()
    try box.write("host x { runs nothing }\n", to: "policies/bad.port")
    // script(1) gives the program a terminal.
    let colored = try box.shell("TERM=xterm script -qec \"$P check\" /dev/null")
    #expect(colored.output.contains("\u{1b}[1;31m"))
    for environment in ["NO_COLOR=1 TERM=xterm", "TERM=dumb"] {
      let plain = try box.shell("\(environment) script -qec \"$P check\" /dev/null")
      #expect(plain.output.contains("unknown-name") && !plain.output.contains("\u{1b}[1;31m"))
    }
    let empty = try box.shell("NO_COLOR= TERM=xterm script -qec \"$P check\" /dev/null")
    #expect(empty.output.contains("\u{1b}[1;31m"))
  }

  @Test(arguments: [
    ["bogus"], ["check", "--format", "yaml"], ["check", "--today", "2026-02-30"], ["check", "a", "b"],
    ["compile"], ["compile", "--host", "web1"], ["compile", "--host", "web1", "--to", "cisco"],
    ["compile", "--host", "nobody", "--to", "sysctl"], ["compile", "--cluster", "nobody"],
    ["compile", "--all"], ["compile", "--all", "--output", ""], ["compile", "--all", "--host", "web1"],
    ["compile", "--output", "x", "--host", "web1", "--to", "sysctl"], ["check", "nowhere"], ["fmt", "nowhere"],
    ["explain"], ["explain", "--from", "x", "--to", "web1", "--port", "443/tcp"],
    ["explain", "--from", "192.0.2.1", "--to", "nobody", "--port", "443/tcp"],
    ["explain", "--from", "192.0.2.1", "--to", "web1", "--port", "443"],
    ["explain", "--from", "192.0.2.1", "--to", "web1", "--port", "65536/tcp"],
    ["explain", "--from", "192.0.2.1", "--to", "2001:db8::10", "--port", "443/tcp"],
    ["checks", "bogus"], ["explain", "--strict", "--from", "192.0.2.1", "--to", "web1", "--port", "443/tcp"],
    ["explain", "--from", "a/b", "--to", "c/d", "--port", "443/tcp"],
  ])
  func whatCannotBeDoneIsSaid(arguments: [String]) throws {
    let box = try Self.sandbox()
    let result = try box.shell("\"$P\" " + arguments.map { "'\($0)'" }.joined(separator: " "))
    #expect(result.code == 2 && result.output == "" && !result.error.isEmpty)
    #expect(try box.files() == ["policies/main.port"])
  }

  @Test(arguments: ["check", "init", "fmt", "compile", "explain", "checks"])
  func everyCommandHelpsWithAnExample(command: String) throws {
    let result = try Sandbox().portcullis(command, "--help")
    #expect(result.code == 0 && result.error == "")
    #expect(result.output.contains("Example") && result.output.contains("portcullis \(command)"))
  }

  @Test func explanationsNameTheLine() throws {
    let box = try Self.sandbox()
    let open = try box.portcullis("explain", "--from", "198.51.100.1", "--to", "web1", "--port", "443/tcp")
    #expect(open.code == 0 && open.output.hasPrefix("accept: ") && open.output.contains("policies/main.port:9:3"))
    #expect(open.output.contains("port 8443") && open.output.contains("Owner: web, web@example.com"))
    let closed = try box.portcullis(
      "explain", "--from", "2001:db8::1", "--to", "web1", "--port", "8443/tcp", "--format", "json")
    let object = try JSONSerialization.jsonObject(with: Data(closed.output.utf8)) as? [String: Any]
    #expect(object?["verdict"] as? String == "drop" && object?["reason"] as? String == "closed")
    #expect((object?["nearest"] as? [[String: Any]])?.first?["line"] as? Int == 9)
  }

  @Test func whatChecksFindKeepsNoQuestionFromBeingAnswered() throws {
    let box = try Self.sandbox()
    try box.write(Self.good + "never internet to 443/tcp\n", to: "policies/main.port")
    #expect(try box.portcullis("check").error.contains("error[broken-never]"))
    let answer = try box.portcullis("explain", "--from", "198.51.100.1", "--to", "web1", "--port", "443/tcp")
    #expect(answer.code == 0 && answer.error == "" && answer.output.hasPrefix("accept: "), "\(answer)")
    let compiled = try box.portcullis("compile", "--all", "--output", "out")
    #expect(compiled.code == 1 && compiled.error.contains("error[broken-never]"))
    #expect(try box.files() == ["policies/main.port"])
  }

  @Test func everyObjectOfAClusterIsInTheStream() throws {
    let box = try Sandbox()
    // A file of one of its objects ends like the name of the list of the files.
    let policy = OutputFolderTests.policy.replacingOccurrences(of: "api", with: "kustomization")
    try box.write(policy, to: "policies/main.port")
    let stream = try box.portcullis("compile", "--cluster", "prod")
    #expect(try box.portcullis("compile", "--all", "--output", "out").code == 0)
    let objects = try box.files("out/clusters/prod").filter { $0 != "kustomization.yaml" }
    #expect(objects.contains { $0.hasSuffix("kustomization.yaml") })
    #expect(stream.output.components(separatedBy: "\nkind: ").count - 1 == objects.count)
  }

  @Test func lapsedExposuresAreClosed() throws {
    let box = try Sandbox()
    let policy = Self.good.replacingOccurrences(of: "as 443/tcp", with: "until 2027-03-31")
    try box.write(policy, to: "policies/main.port")
    for (day, verdict) in [("2027-03-31", "accept"), ("2027-04-01", "drop")] {
      let result = try box.portcullis(
        "explain", "--from", "198.51.100.1", "--to", "web1", "--port", "8443/tcp", "--today", day)
      #expect(result.output.hasPrefix(verdict), "\(result)")
    }
  }

  @Test func layoutIsGivenToAllOrNone() throws {
    let box = try Sandbox()
    try box.write("zone a{10.0.0.0/8}", to: "policies/a.port")
    try box.write("zone b{", to: "policies/b.port")
    let failed = try box.portcullis("fmt")
    #expect(failed.code == 2 && failed.output == "" && failed.error.contains("policies/b.port"))
    #expect(try box.read("policies/a.port") == "zone a{10.0.0.0/8}")
    try box.write("zone b{10.0.0.0/9}", to: "policies/b.port")
    let checked = try box.portcullis("fmt", "--check")
    #expect(checked.code == 1 && checked.output == "policies/a.port\npolicies/b.port\n")
    #expect(try box.read("policies/a.port") == "zone a{10.0.0.0/8}")
    _ = try box.shell("chmod 640 policies/a.port; chown 65534:65533 policies/a.port; ln -s policies/b.port link.port")
    let owner = try box.shell("stat -c %u:%g policies/a.port").output
    let done = try box.portcullis("fmt", "policies/a.port", "link.port")
    #expect(done.code == 0 && done.output == "link.port\npolicies/a.port\n")
    #expect(try box.shell("stat -c %a policies/a.port; readlink link.port").output == "640\npolicies/b.port\n")
    #expect(try box.shell("stat -c %u:%g policies/a.port").output == owner)
    #expect(try box.portcullis("fmt", "--check").code == 0)
    #expect(try box.files() == ["link.port", "policies/a.port", "policies/b.port"])
  }

  @Test func aPipeMayBeClosedEarly() throws {
    let box = try Self.sandbox()
    let result = try box.shell("\"$P\" check --help | head -n 1; echo ${PIPESTATUS[0]}")
    #expect(result.output.split(separator: "\n").count == 2 && result.error == "")
    let closed = try box.shell("(trap '' PIPE; sleep 0.2; \"$P\" check --format json; echo $? >&2) | true")
    #expect(closed.error == "2\n")
    for command in ["check --format json", "explain --from 192.0.2.1 --to web1 --port 443/tcp", "checks"] {
      let full = try box.shell("\"$P\" \(command) > /dev/full")
      #expect(full.code == 2 && full.error.contains("No space left"), "\(command)")
    }
  }
}
