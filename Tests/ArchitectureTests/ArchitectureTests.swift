import Foundation
import Testing

/// The laws of `docs/architecture.md`, as far as the text of the code shows them.
@Suite struct ArchitectureTests {
  /// The room that alone touches the disk, the clock and the terminal.
  static let edge = "portcullis"

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
    let beyond: Set = ["ArgumentParser", "SystemPackage", "Glibc", "Swift", "Synchronization"]
    for file in try House.sources() {
      var allowed = table[file.room] ?? []
      if file.room == Self.edge { allowed.formUnion(beyond) }
      for (module, line) in file.imports {
        #expect(allowed.contains(module), "\(file.path):\(line) imports \(module)")
      }
    }
  }

  @Test func noShortcuts() throws {
    let everywhere: [(String, Regex<Substring>)] = [
      ("try!", /\btry!/), ("as!", /\bas!/), ("fatalError", /\bfatalError\b/),
      ("unsafe", /\bunsafe\s+[\w(]|@unsafe\b|\bnonisolated\(unsafe\)|@unchecked\b/),
      ("Foundation", /\bimport\s+Foundation\w*/),
    ]
    let outsideTheEdge: [(String, Regex<Substring>)] = [
      ("FileManager", /\bFileManager\b/), ("Process", /\bProcess\b/), ("print(", /(?:^|[^\w.])print\(/),
      ("Date()", /\bDate\(\)/), ("clock", /\b(?:ContinuousClock|SuspendingClock)\b/), ("stdout", /\bstd(?:out|err)\b/),
    ]
    for file in try House.sources() {
      let banned = file.room == Self.edge ? everywhere : everywhere + outsideTheEdge
      for (number, line) in file.code.enumerated() {
        for (word, pattern) in banned {
          #expect(!line.contains(pattern), "\(file.path):\(number + 1) has \(word): \(file.lines[number])")
        }
      }
    }
  }

  @Test func nothingIsLeftUnfinished() throws {
    let unfinished = /\b(?:TODO|FIXME|XXX|unimplemented|not implemented|placeholder)\b/
    for file in try House.sources() {
      for (number, line) in file.lines.enumerated() {
        #expect(!line.contains(unfinished), "\(file.path):\(number + 1): \(line)")
      }
    }
  }

  @Test func filesHoldOneIdea() throws {
    // The tree is one list of node kinds, which reads better whole.
    let whole: Set = ["Sources/Syntax/Tree.swift"]
    for file in try House.sources() where !file.isGenerated && !whole.contains(file.path) {
      #expect(file.lines.count <= 401, "\(file.path) has \(file.lines.count - 1) lines")
    }
  }

  @Test func noRoomIsNamedLikeAType() throws {
    let rooms = Set(try House.table().keys)
    for file in try House.sources() {
      for type in file.declaredTypes {
        #expect(!rooms.contains(type), "\(file.path) declares \(type), which is a room")
      }
    }
  }

  @Test func drawersAreNotRooms() throws {
    for file in try House.sources() {
      let name = file.path.split(separator: "/").last ?? ""
      #expect(!name.contains(/Util|Helper|Manager|Misc|Common/), "\(file.path) says nothing of what is in it")
      for type in file.declaredTypes {
        #expect(!type.contains(/(?:Utils?|Helpers?|Manager)$/), "\(file.path) declares \(type)")
      }
    }
  }
}

/// The tests of the means by which the laws are tested.
@Suite struct HouseTests {
  @Test func commentsAndStringsAreNotCode() {
    let text = """
      let a = "print(x)" // fatalError()
      /// TODO
      let b = a\u{20}
      """
    #expect(House.withoutComments(text) == "let a = \"\" \n\nlet b = a ")
  }

  @Test func longStringsAreNotCode() {
    let quotes = "\"\"\""
    let text = "let a = \(quotes)\n  try! print(1)\n  \(quotes)\nlet b = 1"
    #expect(House.withoutComments(text) == "let a = \n\n\nlet b = 1")
  }

  @Test func importsAreFound() {
    let file = House.File(
      room: "Checks", path: "Sources/Checks/X.swift",
      code: ["public import Packets", "@testable import Syntax", "import struct Policies.Policy", "// import No"],
      lines: [])
    #expect(file.imports.map(\.module) == ["Packets", "Syntax", "Policies"])
  }

  @Test func typesAreFound() {
    let file = House.File(
      room: "Checks", path: "x", code: ["public struct Firewall: Sendable {", "  indirect enum Kind {"], lines: [])
    #expect(file.declaredTypes == ["Firewall", "Kind"])
  }

  @Test func manifestIsRead() throws {
    let manifest = try House.manifest()
    #expect(manifest["Packets"] == [])
    #expect(manifest["Syntax"] == ["Packets"])
    #expect(manifest["portcullis"]?.contains("Driver") == true)
    #expect(manifest["portcullis"]?.contains("ArgumentParser") == false)
  }
}
