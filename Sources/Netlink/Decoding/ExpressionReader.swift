import CNetfilter

/// An expression of a rule or an element, as the kernel sent it.
struct RawExpression {
  /// The name.
  var name: String

  /// What it is made of.
  var data: AttributeTable

  /// Returns the register that the attribute `type` names, as a word.
  func word(_ type: Int) -> Int? { data.number(type).flatMap { Register.word($0) } }

  /// Returns the bytes of the value that the attribute `type` holds.
  func value(_ type: Int) throws(NetlinkError) -> [UInt8]? {
    guard let extent = try data.nested(type)?[Int(NFTA_DATA_VALUE.rawValue)] else { return nil }
    return Array(data.bytes[extent])
  }

  /// Returns the expression in `extent` of `bytes`: a name, and data.
  init(_ bytes: [UInt8], _ extent: Extent) throws(NetlinkError) {
    let table = try Attributes(bytes, extent).table()
    guard let name = table.text(Int(NFTA_EXPR_NAME.rawValue)) else { throw .malformed("an expression without a name") }
    self.name = name
    data = try table.nested(Int(NFTA_EXPR_DATA.rawValue)) ?? AttributeTable(bytes: bytes)
  }

  /// Returns the expressions in the list in `extent` of `bytes`, of which the kernel allows 128.
  static func list(_ bytes: [UInt8], _ extent: Extent) throws(NetlinkError) -> [RawExpression] {
    var list: [RawExpression] = []
    var attributes = Attributes(bytes, extent)
    while let attribute = try attributes.next() {
      guard list.count < 1024 else { throw .tooLarge("the expressions of a rule") }
      list.append(try RawExpression(bytes, attribute.extent))
    }
    return list
  }
}

/// The notes that nft(8) keeps beside rules and elements.
struct Notes {
  /// The comment.
  var comment: String?

  /// `true` iff there is something else than a comment and what nft(8) keeps for itself.
  var hasOthers = false

  /// Reads the notes in `extent` of `bytes`, which are of elements or of rules.
  init(_ bytes: [UInt8], _ extent: Extent?, ofElement isElement: Bool = false) {
    guard let extent else { return }
    var at = extent.lowerBound
    while at + 2 <= extent.upperBound {
      let end = at + 2 + Int(bytes[at + 1])
      guard end <= extent.upperBound else {
        hasOthers = true
        return
      }
      if bytes[at] == 0 {
        comment = bytes.text(at + 2..<end)
      } else if !isElement || bytes[at] != 1 {
        hasOthers = true
      }
      at = end
    }
  }
}
