/// A reader of words.
struct WordReader {
  /// An option of a match.
  struct Option {
    /// The name, with its hyphens, and the words behind it.
    fileprivate let words: ArraySlice<Word>
    /// `true` iff a `!` stands before it.
    let isNegated: Bool

    /// The name, with its hyphens.
    var name: Word { words[words.startIndex] }

    /// The words behind it.
    var values: ArraySlice<Word> { words.dropFirst() }

    /// The value, if there is one alone.
    var value: Word? { words.count == 2 ? words.last : nil }

    /// The name and the values.
    var texts: [String] { words.map(\.text) }

    /// Returns the value if the option is called `name`, is not negated and has one value.
    func only(_ name: String) -> Word? { !isNegated && self.name == name ? value : nil }
  }

  /// The words.
  private let words: ArraySlice<Word>

  /// The next one.
  private(set) var position: Int

  /// Creates a reader at the first of `words`.
  init(words: ArraySlice<Word>) {
    self.words = words
    position = words.startIndex
  }

  /// Creates a reader at the first of `words`.
  init(words: some Sequence<String>) { self.init(words: words.map(Word.init(_:))[...]) }

  /// `true` iff nothing is left.
  var isAtEnd: Bool { position == words.endIndex }

  /// Takes and returns the next word, if there is one.
  mutating func next() -> Word? {
    guard !isAtEnd else { return nil }
    position += 1
    return words[position - 1]
  }

  /// Takes the next word and returns `true` iff it is `word`.
  mutating func take(_ word: String) -> Bool {
    guard !isAtEnd, words[position] == word else { return false }
    position += 1
    return true
  }

  /// Goes back to `position`.
  mutating func goBack(to position: Int) { self.position = position }

  /// Returns the words from `start` up to here.
  func texts(from start: Int) -> [String] { words[start..<position].map(\.text) }

  /// Takes words up to the next option.
  mutating func skipValues() {
    while !isAtEnd, words[position].bytes.first != UInt8(ascii: "-"), words[position] != "!" { position += 1 }
  }

  /// The options whose value is a text, which may look like another option.
  private static let textual = [
    "--comment", "--log-prefix", "--nflog-prefix", "--string", "--hex-string", "--name", "--hashlimit-name", "--helper",
    "--label", "--bytecode", "--path",
  ]

  /// The long names of options that are of no match.
  private static let ofEveryRule = [
    "--jump", "--goto", "--match", "--source", "--destination", "--protocol", "--in-interface", "--out-interface",
  ]

  /// Takes and returns the next option of a match, whose names begin with two hyphens, if there is one.
  mutating func nextMatchOption() -> Option? {
    let start = position
    let isNegated = take("!")
    guard let name = next(), name.hasPrefix("--"), !name.isOne(of: Self.ofEveryRule) else {
      position = start
      return nil
    }
    let first = position - 1
    if name.isOne(of: Self.textual) { _ = next() } else { skipValues() }
    return Option(words: words[first..<position], isNegated: isNegated)
  }

  /// Takes and returns the options of a match or a target that come next.
  mutating func matchOptions() -> [Option] {
    var options: [Option] = []
    while let option = nextMatchOption() { options.append(option) }
    return options
  }
}
