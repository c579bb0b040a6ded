import Foundation
import Testing

@testable import Syntax

/// docs/language.md says what the parser does.
@Suite struct DocumentationTests {
  private let page: String

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    page = try String(contentsOf: root.appending(path: "docs/language.md"), encoding: .utf8)
  }

  /// Returns the contents of the blocks of the page between fences for `language`.
  private func blocks(_ language: String) -> [String] {
    page.components(separatedBy: "\n```\(language)\n").dropFirst().map {
      $0.components(separatedBy: "\n```\n")[0] + "\n"
    }
  }

  @Test func everyExampleParsesAndHasTheCanonicalLayout() {
    #expect(blocks("port").count > 10)
    for example in blocks("port") {
      let (_, diagnostics) = parsed(example)
      #expect(diagnostics.map(\.message) == [], "\(example)")
      #expect(formatted(SourceFile(path: "example.port", text: example)) == example)
    }
  }

  /// Words of the language, of protocols and of units; a word in a comment or a text is no example.
  @Test func everyWordOfTheGrammarStandsInAnExample() throws {
    let grammar = try #require(blocks("ebnf").first)
    let examples = blocks("port").joined().replacing(/"[^"\n]*"|#[^\n]*/, with: "")
    let shown = Set(examples.matches(of: /[a-z0-9-]+/).map { String($0.0) })
    let words = Set(grammar.matches(of: /"([a-z0-9]+)"/).map { String($0.1) })
    #expect(words.count > 70)
    #expect(words.subtracting(shown).sorted() == [])
  }

  @Test func theGrammarNamesEveryKeywordAndNoOtherWord() throws {
    let grammar = try #require(blocks("ebnf").first)
    let named = Set(grammar.matches(of: /"([a-z]+)"/).map { String($0.1) })
    let protocols: Set = ["tcp", "udp", "sctp", "dccp", "udplite", "icmp", "icmpv6"]
    let units: Set = ["second", "minute", "hour", "day"]
    #expect(Set(Keyword.allCases.map(\.rawValue)) == named.subtracting(protocols).subtracting(units))
  }

  @Test func theGrammarDefinesWhatItUses() throws {
    let grammar = try #require(blocks("ebnf").first).replacing(/"[^"]*"|'[^']*'/, with: "")
    let defined = Set(grammar.matches(of: /(?m)^([a-z-]+) *=/).map { String($0.1) })
    let used = Set(grammar.matches(of: /[a-z-]{2,}/).map { String($0.0) })
    #expect(used.subtracting(defined) == ["character", "digit", "end", "ip", "letter", "word"])
  }

  @Test func everyDeclarationHasItsSection() {
    for keyword in Keyword.declarations where keyword != .always && keyword != .never {
      #expect(page.contains("\n### \(keyword.rawValue)\n"), "\(keyword)")
    }
  }
}
