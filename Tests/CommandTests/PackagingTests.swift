import Foundation
import Testing

/// What `make install` and `make deb` put on a machine, with the program that stands beside the tests.
@Suite struct PackagingTests {
  /// The root of the repository.
  static let root = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL.path

  /// Runs `script` in a sandbox; `$ROOT` is the repository.
  static func run(_ box: Sandbox, _ script: String) throws -> Sandbox.Outcome {
    try box.shell("set -euo pipefail; ROOT='\(root)'; \(script)")
  }

  /// Returns a sandbox in which `make install PREFIX=$PWD/usr` was run.
  static func installed() throws -> Sandbox {
    let box = try Sandbox()
    let made = try run(box, "make -s -C \"$ROOT\" install PROGRAM=\"$P\" PREFIX=\"$PWD/usr\"")
    #expect(made.code == 0 && made.output == "" && made.error == "", "\(made)")
    return box
  }

  /// The commands that the program has.
  static func commands() throws -> Set<String> {
    let dump = try Sandbox().portcullis("--experimental-dump-help")
    let document = try #require(try JSONSerialization.jsonObject(with: Data(dump.output.utf8)) as? [String: Any])
    let root = try #require(document["command"] as? [String: Any])
    let names = (root["subcommands"] as? [[String: Any]] ?? []).compactMap { $0["commandName"] as? String }
    return Set(names).subtracting(["help"])
  }

  @Test func systemdTakesTheUnits() throws {
    let box = try Self.installed()
    let verified = try Self.run(box, "systemd-analyze verify --man=no usr/lib/systemd/system/* 2>&1")
    #expect(verified.code == 0 && verified.output == "", "\(verified)")
    // They may do what they need and little more: 3.0 of 10.
    for unit in ["portcullis", "portcullis-verify", "portcullis-withdraw"] {
      let exposure = try Self.run(
        box, "systemd-analyze security --offline=true --threshold=30 usr/lib/systemd/system/\(unit).service")
      #expect(exposure.code == 0, "\(exposure)")
    }
  }

  @Test func unitsCallWhatThereIs() throws {
    let box = try Self.installed()
    let calls = try Self.run(box, "grep -hE '^Exec' usr/lib/systemd/system/*")
    let lines = calls.output.split(separator: "\n")
    #expect(lines.count == 4, "\(calls)")
    let commands = try Self.commands()
    for line in lines {
      let words = line.drop { $0 != "=" }.dropFirst().split(separator: " ").map(String.init)
      #expect(words[0] == box.folder.path + "/usr/bin/portcullis", "\(line)")
      #expect(commands.contains(words[1]), "\(line)")
      let help = try box.portcullis(words[1], "--help").output
      for option in words where option.hasPrefix("--") { #expect(help.contains(option), "\(line)") }
    }
    #expect(try !Self.run(box, "cat usr/lib/systemd/system/*").output.contains("@PROGRAM"))
    // Stopping the boot unit must not open the host.
    #expect(!calls.output.contains("ExecStop"))
  }

  /// `restore` exits with 1 when it had to take an older state than the newest: somebody must see that.
  @Test func aFailureOfAUnitIsNotHidden() throws {
    let box = try Self.installed()
    let units = try Self.run(box, "cat usr/lib/systemd/system/*.service").output
    for word in ["SuccessExitStatus", "ExecStart=-", "Restart=", "|| true"] {
      #expect(!units.contains(word), "\(word)")
    }
    // What is ordered after it is not held up; only who requires it is.
    #expect(!units.contains("RequiredBy") && units.contains("WantedBy=sysinit.target"))
  }

  @Test func withNothingConfirmedABootRestoresNothing() throws {
    let box = try Self.installed()
    let boot = try Self.run(box, "unshare --net usr/bin/portcullis restore --state-dir \"$PWD/state\"")
    #expect(boot.code == 0 && boot.error == "", "\(boot)")
  }

  @Test func everyCommandHasItsPage() throws {
    let box = try Self.installed()
    let pages = try box.files("usr/share/man/man1")
    #expect(pages == (["portcullis.1"] + (try Self.commands()).map { "portcullis-\($0).1" }).sorted())
    // groff complains about what it does not know.
    let read = try Self.run(
      box,
      """
      for page in usr/share/man/man1/*; do
        LC_ALL=C.UTF-8 MANROFFSEQ= MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 > /dev/null
      done
      """)
    #expect(read.code == 0 && read.output == "", "\(read)")
    let page = try Self.run(box, "MANWIDTH=80 man -l usr/share/man/man1/portcullis-compile.1 | col -b")
    for words in ["portcullis-compile - Translate", "SYNOPSIS", "--output", "EXAMPLES", "--cluster prod | kubectl"] {
      #expect(page.output.contains(words), "\(page)")
    }
  }

  @Test func completionsNameTheCommands() throws {
    let box = try Self.installed()
    #expect(try Self.run(box, "bash -n usr/share/bash-completion/completions/portcullis").code == 0)
    let paths = [
      "bash-completion/completions/portcullis", "zsh/site-functions/_portcullis",
      "fish/vendor_completions.d/portcullis.fish",
    ]
    for path in paths {
      let text = try box.read("usr/share/\(path)")
      for command in try Self.commands() { #expect(text.contains(command), "\(path): \(command)") }
    }
  }

  @Test func uninstallLeavesNothing() throws {
    let box = try Sandbox()
    let made = try Self.run(
      box,
      """
      make -s -C "$ROOT" install PROGRAM="$P" DESTDIR="$PWD/root" PREFIX=/opt/gate
      grep -c 'ExecStart=/opt/gate/bin/portcullis' root/opt/gate/lib/systemd/system/portcullis.service
      make -s -C "$ROOT" uninstall DESTDIR="$PWD/root" PREFIX=/opt/gate
      """)
    #expect(made.code == 0 && made.output == "1\n", "\(made)")
    #expect(try box.files() == [])
    for prefix in ["relative", "/with space", "/a|b"] {
      let refused = try Self.run(box, "PREFIX='\(prefix)' DESTDIR=\"$PWD/x\" \"$ROOT/.ci/packaging/install\" \"$P\"")
      #expect(refused.code == 2 && refused.error.contains("PREFIX"), "\(refused)")
    }
    #expect(try box.files() == [])
  }

  @Test func debianPackage() throws {
    let box = try Sandbox()
    // The program of a debug build finds Swift's libraries by a path of its own, which a shipped one must not.
    let made = try Self.run(
      box,
      """
      cp "$P" portcullis && strip portcullis && chrpath -d portcullis > /dev/null
      export LD_LIBRARY_PATH=$(chrpath -l "$P" | sed 's/^[^=]*=//')
      export SHLIBDEPS=--ignore-missing-info LEVEL=1
      make -s -C "$ROOT" deb PROGRAM="$PWD/portcullis" PACKAGES="$PWD/packages"
      """)
    #expect(made.code == 0, "\(made)")
    let version = try box.portcullis("--version").output.split(separator: " ")[1].dropLast()
    let judged = try Self.run(box, "lintian --allow-root --tag-display-limit 0 --fail-on error,warning packages/*.deb")
    #expect(judged.code == 0 && judged.output == "", "\(judged)")
    let fields = try Self.run(box, "dpkg-deb -f packages/*.deb").output
    #expect(fields.contains("Version: \(version)\n"), "\(fields)")
    #expect(fields.contains("libc6 (>= ") && fields.contains("libmnl0 (>= ") && fields.contains("libnftnl11 (>= "))

    // The package is put into a root of its own with dpkg, run, removed and purged.
    let lived = try Self.run(
      box,
      """
      export LD_LIBRARY_PATH=$(chrpath -l "$P" | sed 's/^[^=]*=//')
      mkdir -p root/var/lib/dpkg/{info,updates} root/var/lib/portcullis && touch root/var/lib/dpkg/{status,available}
      act() {
        dpkg --root="$PWD/root" --force-not-root,depends,script-chrootless --log=/dev/null "$@" > log 2>&1 ||
          { cat log; exit 1; }
      }
      act --install packages/*.deb
      root/usr/bin/portcullis --version
      root/usr/bin/portcullis apply --help | grep -c -- --confirm
      ls root/etc/systemd/system/*.wants
      act --remove portcullis
      ls root/var/lib
      act --purge portcullis
      ls root/var/lib
      find root -not -path 'root/var/*' -not -type d
      """)
    #expect(lived.code == 0, "\(lived)")
    let units = ["portcullis.service", "portcullis-verify.timer", "portcullis-withdraw.timer"]
    for words in ["portcullis \(version)\n"] + units {
      #expect(lived.output.contains(words), "\(lived)")
    }
    #expect(lived.output.hasSuffix("dpkg\nportcullis\nsystemd\ndpkg\nsystemd\n"), "\(lived)")
  }
}
