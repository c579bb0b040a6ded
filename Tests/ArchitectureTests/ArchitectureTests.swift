import Foundation
import Testing

/// The laws of `docs/architecture.md`, as far as the text of the code shows them.
@Suite struct ArchitectureTests {
  /// The room that alone touches the disk, the clock and the terminal.
  static let edge = "portcullis"

  /// The files that alone may touch memory by pointer: calls of the C library, and the arena of packet sets.
  static let pointers: Set = [
    "Sources/portcullis/Files/SystemCalls.swift", "Sources/Packets/Diagrams/Storage.swift",
  ]

  /// Returns `true` iff the file at `path` may touch memory by pointer; what reads the kernel's answers may not.
  static func mayHavePointers(_ path: String) -> Bool {
    pointers.contains(path) || ["Encoding", "Sockets"].contains { path.hasPrefix("Sources/Netlink/\($0)/") }
  }

  @Test func tableAndManifestNameTheSameRooms() throws {
    let table = try House.table()
    let manifest = try House.manifest()
    let folders = Set(try House.sources().map(\.room))
    #expect(Set(table.keys) == Set(manifest.keys), "docs/architecture.md and Package.swift")
    #expect(folders.isSubset(of: table.keys), "Sources and docs/architecture.md")
    for (room, imports) in manifest {
      #expect(
        imports.isSubset(of: table[room] ?? []), "Package.swift gives \(room) more than docs/architecture.md does")
    }
  }

  @Test func roomsImportOnlyWhatTheTableLetsThem() throws {
    let table = try House.table()
    let beyond: Set = ["ArgumentParser", "SystemPackage", "Glibc", "Synchronization"]
    for file in try House.sources() {
      var allowed = table[file.room] ?? []
      if file.room == Self.edge { allowed.formUnion(beyond) }
      if file.room == "Netlink" || Self.mayHavePointers(file.path) { allowed.insert("Glibc") }
      for module in try file.imports() { #expect(allowed.contains(module), "\(file.path) imports \(module)") }
    }
  }

  /// What no room may say.
  static let banned = [
    #"\btry!"#, #"\bas!"#, #"\bfatalError\b"#, #"\bunsafe\s+[\w(]"#, #"@unsafe\b"#, #"\bnonisolated\(unsafe\)"#,
    #"@unchecked\b"#, #"\bimport\s+Foundation\w*"#,
  ]

  /// What no room but the edge may say.
  static let bannedWithin = [
    #"\bFileManager\b"#, #"\bProcess\b"#, #"(?<![\w.])print\("#, #"\bDate\(\)"#, #"\b(?:Continuous|Suspending)Clock\b"#,
    #"\bstd(?:out|err)\b"#,
  ]

  @Test func noShortcuts() throws {
    for file in try House.sources() {
      for pattern in file.room == Self.edge ? Self.banned : Self.banned + Self.bannedWithin {
        if Self.mayHavePointers(file.path), pattern.contains("unsafe") { continue }
        for line in try House.lines(of: file.code, matching: pattern) { Issue.record("\(file.path):\(line)") }
      }
    }
  }

  @Test func nothingIsLeftUnfinished() throws {
    let unfinished = #"\b(?:TODO|FIXME|XXX|unimplemented|not implemented|placeholder)\b"#
    for file in try House.sources() where !file.isGenerated {
      for line in try House.lines(of: file.text, matching: unfinished) { Issue.record("\(file.path):\(line)") }
    }
  }

  @Test func filesHoldOneIdea() throws {
    // The tree is one list of node kinds, which reads better whole.
    let whole: Set = ["Sources/Syntax/Tree.swift"]
    for file in try House.sources() where !file.isGenerated && !whole.contains(file.path) {
      #expect(file.lineCount <= 400, "\(file.path)")
    }
  }

  @Test func noRoomIsNamedLikeAType() throws {
    let rooms = Set(try House.table().keys)
    for file in try House.sources() {
      for type in try file.declaredTypes() {
        #expect(!rooms.contains(type), "\(file.path) declares \(type), which is a room")
      }
    }
  }

  @Test func drawersAreNotRooms() throws {
    for file in try House.sources() {
      let name = file.path.components(separatedBy: "/").last ?? ""
      #expect(try House.matches(of: "Util|Helper|Manager|Misc|Common", in: name).isEmpty, "\(file.path)")
      for type in try file.declaredTypes() {
        #expect(try House.matches(of: "(?:Utils?|Helpers?|Manager)$", in: type).isEmpty, "\(file.path): \(type)")
      }
    }
  }
}

/// The tests of the means by which the laws are tested.
@Suite struct HouseTests {
  @Test func commentsAndStringsAreNotCode() throws {
    let text = """
      let a = "print(x)" // fatalError()
      /// "TODO
      let b = a\u{20}
      """
    #expect(try House.withoutComments(text) == "let a = \"\" \n\nlet b = a ")
    let call = ##"f("a\"//b", #"c"d"#, "/*")/* try! */ + 1 // "x""##
    #expect(try House.withoutComments(call) == #"f("", "", "") + 1 "#)
    #expect(try House.withoutComments("#if os(Linux)\n#endif") == "#if os(Linux)\n#endif")
  }

  @Test func longStringsAreNotCode() throws {
    let quotes = "\"\"\""
    let text = "let a = \(quotes)\n  try! print(\"1\")\n  \(quotes)\nlet b = 1"
    #expect(try House.withoutComments(text) == "let a = \"\"\n\n\nlet b = 1")
    #expect(try House.withoutComments("#\(quotes)\n\(quotes)\n\(quotes)# + 1") == "\"\"\n\n + 1")
  }

  @Test func linesAreNumbered() throws {
    #expect(try House.lines(of: "a\ntry! b\nc", matching: ArchitectureTests.banned[0]) == ["2: try! b"])
    #expect(
      try House.lines(of: "a.print(1)\n  print(2)", matching: ArchitectureTests.bannedWithin[2]) == ["2:   print(2)"])
    #expect(try House.lines(of: "case unsafe\nlet x = unsafe y", matching: ArchitectureTests.banned[3]).count == 1)
  }

  @Test func importsAndTypesAreFound() throws {
    let file = try House.File(
      room: "Checks", path: "Sources/Checks/X.swift",
      text: """
        public import Packets
        @testable import Syntax
        import struct Policies.Policy
        // import No
        public struct Firewall: Sendable {
          indirect enum Kind {}
        }

        """)
    #expect(try file.imports() == ["Packets", "Syntax", "Policies"])
    #expect(try file.declaredTypes() == ["Firewall", "Kind"])
    #expect(file.lineCount == 7)
    #expect(!file.isGenerated)
  }

  @Test func manifestIsRead() throws {
    let manifest = try House.manifest()
    #expect(manifest["Packets"] == [])
    #expect(manifest["Syntax"] == ["Packets"])
    #expect(manifest["portcullis"]?.contains("Driver") == true)
    #expect(manifest["portcullis"]?.contains("ArgumentParser") == false)
  }
}
