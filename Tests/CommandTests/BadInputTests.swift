import Foundation
import Testing

/// Whatever stands where a policy should be: a clear finding, a code of 1 or 2, bounded time, and nothing written.
@Suite struct BadInputTests {
  static let policy = OutputFolderTests.policy

  /// Checks and compiles what is in `box`, and expects the finding `code` at `place`.
  static func expectFinding(
    _ code: String, at place: String, in box: Sandbox,
    arguments: [String] = ["check", "check --format json", "compile --all --output out", "fmt"],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try box.shell("ls -lnR --time-style=full-iso .").output
    for arguments in arguments {
      let result = try box.shell("ulimit -t 60; \"$P\" \(arguments)")
      let text = result.error + result.output
      #expect([1, 2].contains(result.code), "\(arguments): \(text.prefix(500))", sourceLocation: sourceLocation)
      #expect(
        text.contains(code) && text.contains(place), "\(arguments): \(text.prefix(500))", sourceLocation: sourceLocation
      )
      #expect(
        !text.unicodeScalars.contains { $0 != "\n" && $0.properties.generalCategory == .control },
        "\(arguments)", sourceLocation: sourceLocation)
      #expect(text.utf8.count < 1_000_000, sourceLocation: sourceLocation)
    }
    #expect(try box.shell("ls -lnR --time-style=full-iso .").output == before, sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    ("host x\u{0} {}", "syntax-control-character"), ("zone \u{1b}[31mred {}", "syntax-control-character"),
    ("service a { port \(String(repeating: "9", count: 400))/tcp }", "syntax-port"),
    ("zone a { 10.0.0.0/\(String(repeating: "8", count: 400)) }", "syntax-"),
    ("service a { expose to internet limit \(String(repeating: "7", count: 400))/second }", "syntax-rate"),
    ("zone a { 999.0.0.1 }", "syntax-"), ("service a { expose to internet until 2026-02-30 }", "syntax-date"),
    ("owner a { contact \"unclosed }\n", "syntax-unclosed-string"), ("zone a {", "syntax-unclosed-block"),
    ("zone \u{202e}a { 10.0.0.0/8 }", "syntax-hidden-character"), ("}", "syntax-unopened-block"),
    (String(repeating: "x", count: 100_000), "syntax-"), ("zone ../../etc { 10.0.0.0/8 }", "syntax-"),
    ("host $(reboot) { address 192.0.2.1 }", "syntax-"),
  ])
  func brokenTextIsFound(text: String, code: String) throws {
    let box = try Sandbox()
    try box.write(text, to: "policies/bad.port")
    try box.write("zone b{10.0.0.0/8}\n", to: "policies/good.port")
    try Self.expectFinding(code, at: "policies/bad.port", in: box)
  }

  @Test(
    arguments: [
      [0xff, 0xfe, 0x7a, 0x00, 0x6f, 0x00], [0xfe, 0xff, 0x00, 0x7a], [0x7a, 0x6f, 0x6e, 0x65, 0x20, 0xe9, 0x0a],
      [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], Array(0...255), Array(repeating: 0, count: 5_000),
    ] as [[UInt8]])
  func otherEncodingsAreFound(bytes: [UInt8]) throws {
    let box = try Sandbox()
    try box.write(Data(bytes), to: "policies/bad.port")
    try Self.expectFinding("syntax-", at: "policies/bad.port", in: box)
  }

  @Test(arguments: ["{", "zone a { ", "zone a { zone ", "never to to ", "(", "\"", "x, "])
  func endlessNestingEnds(piece: String) throws {
    let box = try Sandbox()
    try box.write(String(repeating: piece, count: 200_000), to: "policies/deep.port")
    try Self.expectFinding("syntax-", at: "policies/deep.port", in: box)
  }

  @Test func fiftyMegabytesOfTextAreReadOrRefused() throws {
    let box = try Sandbox()
    try FileManager.default.createDirectory(
      at: box.folder.appending(path: "policies"), withIntermediateDirectories: true)
    for script in [
      "yes 'lorem ipsum dolor sit amet' | head -c 10000000", "head -c 52428800 /dev/zero | tr '\\0' a",
      "head -c 10000000 /dev/urandom",
    ] {
      let result = try box.shell(
        "\(script) > policies/big.port; ulimit -v 2000000; ulimit -t 60; \"$P\" check; echo \"code $?\"")
      #expect(result.output == "code 1\n", "\(script): \(result.error.prefix(300))")
      #expect(result.error.contains("error[syntax-") && result.error.utf8.count < 1_000_000)
    }
    let result = try box.shell("truncate -s 65M policies/big.port; \"$P\" check")
    #expect(result.code == 2 && result.error.contains("more than 64 MiB"))
  }

  @Test func filesThatAreNoneAreFoundTogether() throws {
    let box = try Sandbox()
    try box.write("zone b{10.0.0.0/8}\n", to: "policies/good.port")
    _ = try box.shell(
      """
      cd policies; mkfifo pipe.port; ln -s /dev/zero device.port; ln -s nowhere gone.port; ln -s self.port self.port
      mkdir -p sub/folder.port; ln -s .. sub/up; printf x > $'b\\xff.port'; echo } > .hidden.port; echo } > notes.txt
      """)
    let result = try box.shell("timeout 20 \"$P\" check")
    #expect(result.code == 2)
    for (place, message) in [
      ("pipe.port", "neither a file nor a folder"), ("device.port", "neither a file nor a folder"),
      ("gone.port", "leads nowhere"), ("self.port", "leads nowhere"), ("sub/up", "leads back"),
      ("--> policies\n", "no UTF-8"),
    ] {
      #expect(result.error.contains(place) && result.error.contains(message), "\(place): \(result.error)")
    }
    #expect(!result.error.contains("hidden") && !result.error.contains("notes"))
    #expect(result.error.contains("6 errors"))
    let compiled = try box.portcullis("compile", "--all", "--output", "out")
    #expect(compiled.code == 2 && !FileManager.default.fileExists(atPath: box.folder.appending(path: "out").path))
  }

  @Test func endlessErrorsOfNamesEnd() throws {
    let box = try Sandbox()
    try box.write(String(repeating: "zone a { 10.0.0.0/8 };", count: 20_000), to: "policies/many.port")
    try Self.expectFinding(
      "too-many-errors", at: "policies/many.port", in: box, arguments: ["check", "check --format json"])
    #expect(try box.portcullis("check").error.contains("19899 more errors like these are not shown"))
  }

  @Test func foldersThatLinksMultiplyAreReadOnce() throws {
    let box = try Sandbox()
    try box.write("zone a { 10.0.0.0/8 }\n", to: "policies/d20/a.port")
    _ = try box.shell(
      "cd policies; for i in {0..19}; do mkdir -p d$i; for j in a b c; do ln -s ../d$((i + 1)) d$i/$j; done; done")
    let result = try box.shell("timeout 20 \"$P\" check")
    #expect(result.code == 0 && result.error.contains("zone `a` is used by nothing"), "\(result)")
  }

  @Test func namesThatDifferInTheirBytesAreTwoFiles() throws {
    let box = try Sandbox()
    _ = try box.shell(
      "mkdir policies; cd policies; echo 'zone a { 10.0.0.0/8 }' > $'e\\u301.port'; echo '}' > $'\\u00e9.port'")
    let result = try box.portcullis("check")
    #expect(result.code == 1 && result.error.contains("syntax-unopened-block"), "\(result)")
  }

  @Test func whatMayNotBeReadIsFound() throws {
    let box = try Sandbox()
    try box.write("zone b{10.0.0.0/8}\n", to: "policies/secret.port")
    try box.write("zone c{10.0.0.0/8}\n", to: "policies/closed/c.port")
    let result = try box.shell(
      """
      cp "$P" p; chmod a+rx . p policies; chmod 0 policies/secret.port policies/closed
      if [ $(id -u) = 0 ]; then setpriv --reuid 65534 --clear-groups ./p check; else ./p check; fi
      """)
    #expect(result.code == 2)
    #expect(result.error.contains("policies/secret.port") && result.error.contains("policies/closed"))
    #expect(result.error.contains("2 errors"))
  }

  @Test func emptyFoldersAndFiles() throws {
    let box = try Sandbox()
    _ = try box.shell("mkdir policies")
    let folder = try box.portcullis("check")
    #expect(folder.code == 2 && folder.error.contains("no `*.port` file"))
    try box.write("", to: "policies/empty.port")
    #expect(try box.portcullis("check").code == 0)
    #expect(try box.portcullis("compile", "--all", "--output", "out").code == 0)
  }

  /// What has a meaning to shells, YAML and nft stays text in everything that is written.
  @Test(arguments: [
    "$(touch owned) `touch owned` ; touch owned #", "' \\\" \\\\ } ; drop table inet x", "%s %n {{ .Values }} ${HOME}",
    "- a: b\\n? - &x *x !!int", "key: [1, 2", "*/ --> ]]> <script>", "日本語 é",
  ])
  func metacharactersStayText(text: String) throws {
    let box = try Sandbox()
    let written = text.replacingOccurrences(of: "\\n", with: " ")
    try box.write(
      """
      owner web { contact "\(written)" }
      service site { owner web; purpose "\(written)"; port 8443/tcp
        expose to internet because "\(written)" ticket "\(written)" }
      host web1 { address 192.0.2.10; runs site }
      cluster prod { pods 10.42.0.0/16; workload site { namespace shop; pods app=site } }
      """, to: "policies/main.port")
    let result = try box.portcullis("compile", "--all", "--output", "out")
    #expect(result.code == 0, "\(result)")
    #expect(!(try box.files()).contains { $0.hasSuffix("owned") })
    let loaded = try box.shell("unshare -n nft -c -f out/hosts/web1/ruleset.nft")
    #expect(loaded.code == 0, "\(loaded)")
  }
}
