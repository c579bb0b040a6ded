import Foundation
import Testing

/// `check --changed-since` judges the whole policy and tells what has a place in a file that changed.
@Suite struct ChangedSinceTests {
  /// Returns a repository in the folder `my repo` whose one commit holds a policy with a finding in `old.port`.
  static func repository() throws -> Sandbox {
    let box = try Sandbox()
    try box.write("zone old { 10.0.0.0/8 }\n", to: "my repo/policies/old.port")
    let made = try box.shell(
      """
      cd 'my repo' && git init -q && git add . &&
      git -c user.name=a -c user.email=a@example.com -c commit.gpgsign=false commit -q -m first
      """)
    #expect(made.code == 0, "\(made)")
    return box
  }

  static func check(_ box: Sandbox, _ arguments: String = "--changed-since HEAD") throws -> Sandbox.Outcome {
    try box.shell("cd 'my repo' && \"$P\" check --strict --today 2026-11-22 \(arguments)")
  }

  @Test func onlyWhatChangedIsTold() throws {
    let box = try Self.repository()
    #expect(try Self.check(box, "").error.contains("zone `old`"))
    let same = try Self.check(box)
    #expect(same.code == 0 && same.error == "no findings\n", "\(same)")
    // A file that git does not know, even one that it is told to ignore, is part of the policy.
    try box.write("ignored.port\n", to: "my repo/.gitignore")
    for name in ["new.port", "ignored.port", "sub folder/añ\"b.port"] {
      try box.write("zone fresh { 10.1.0.0/16 }\n", to: "my repo/policies/\(name)")
      let told = try Self.check(box)
      #expect(told.code == 1 && told.error.contains("zone `fresh`") && !told.error.contains("zone `old`"), "\(told)")
      _ = try box.shell("rm -r 'my repo/policies/\(name.contains("/") ? "sub folder" : name)'")
    }
    try box.write("# Changed.\nzone old { 10.0.0.0/8 }\n", to: "my repo/policies/old.port")
    for path in ["", "policies/old.port", "\"$PWD/policies\"", "../'my repo'/policies"] {
      #expect(try Self.check(box, "\(path) --changed-since HEAD").error.contains("zone `old`"), "\(path)")
    }
  }

  @Test func theOtherPlacesCountToo() throws {
    let box = try Self.repository()
    try box.write("zone old { 10.9.0.0/16 }\n", to: "my repo/policies/zzz.port")
    let told = try Self.check(box, "--changed-since HEAD --format json")
    #expect(told.code == 1 && told.output.contains("duplicate-name"), "\(told)")
  }

  @Test func aPolicyThatCannotBeJudgedIsNeverFine() throws {
    let box = try Self.repository()
    try box.write("zone {\n", to: "my repo/policies/broken.port")
    _ = try box.shell("cd 'my repo' && git add . && git -c user.name=a -c user.email=a commit -q -m broken")
    let told = try Self.check(box)
    #expect(told.code == 1 && told.error.contains("policies/broken.port"), "\(told)")
  }

  @Test func filesOutsideTheRepositoryCount() throws {
    let box = try Self.repository()
    try box.write("zone far { 10.1.0.0/16 }\n", to: "elsewhere.port")
    _ = try box.shell("cd 'my repo' && ln -s ../../elsewhere.port policies/link.port && git add .")
    _ = try box.shell("cd 'my repo' && git -c user.name=a -c user.email=a commit -q -m link")
    #expect(try Self.check(box).error.contains("zone `far`"))
  }

  @Test func whatGitCannotAnswerIsSaid() throws {
    let box = try Self.repository()
    for (reference, message) in [
      ("nowhere", "`nowhere` is no commit"), ("'HEAD; touch owned'", "is no commit"), ("HEAD:policies", "is no commit"),
      ("^HEAD", "is no commit"),
    ] {
      let told = try Self.check(box, "--changed-since \(reference)")
      #expect(told.code == 2 && told.output == "" && told.error.contains(message), "\(told)")
    }
    for option in ["--changed-since=--output=owned", "--changed-since=-h"] {
      let told = try Self.check(box, option)
      #expect(told.code == 2 && told.error.contains("cannot be the name of a commit"), "\(told)")
    }
    #expect(try !box.files().contains { $0.hasSuffix("owned") })
    let without = try box.shell("cd 'my repo' && PATH=/nonexistent \"$P\" check --changed-since HEAD")
    #expect(without.code == 2 && without.error.contains("git could not be run"), "\(without)")
    let none = try box.shell(
      "\"$P\" check 'my repo/policies' --changed-since HEAD; rm -rf 'my repo/.git'; cd 'my repo'; \"$P\" check --changed-since HEAD"
    )
    #expect(none.code == 2 && none.error.contains("`policies` is in no git repository"), "\(none)")
  }
}
