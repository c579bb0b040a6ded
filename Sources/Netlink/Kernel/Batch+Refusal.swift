import CNetfilter
import Nftables

extension Batch {
  /// Returns what the kernel says against the message at `position` of the batch that carries `transaction`; the one at
  /// 0 stands for all.
  func refusal(_ answer: Answer, position: Int, of transaction: Transaction) -> Refusal {
    guard position > 0, position <= origins.count else {
      return Refusal(
        number: answer.number, command: nil, object: "table \(transaction.table)", message: answer.text)
    }
    let origin = origins[position - 1]
    let command = transaction.commands[origin.command]
    return Refusal(
      number: answer.number, command: origin.command,
      object: command.object(origin.part, element(answer, of: origin), table: transaction.table),
      message: answer.text)
  }

  /// Returns the position in its command of the element in which the fault is, if it is in one.
  private func element(_ answer: Answer, of origin: Origin) -> Int? {
    guard case .elements(let first) = origin.part, let offset = answer.offset else { return nil }
    // The elements are the attributes of the only attribute of the message that is a list; ends of intervals are elements
    // too, but have no value or note, and are not counted.
    let end = origin.offset + Int(bytes.host32(origin.offset))
    var index = first - 1
    do throws(NetlinkError) {
      var attributes = Attributes(bytes, origin.offset + Message.headerSize + 4..<end)
      while let list = try attributes.next() {
        guard list.type == Int(NFTA_SET_ELEM_LIST_ELEMENTS.rawValue) else { continue }
        var elements = Attributes(bytes, list.extent)
        while let element = try elements.next(), element.extent.lowerBound - 4 <= origin.offset + offset {
          let flags = try Attributes(bytes, element.extent).table().number(Int(NFTA_SET_ELEM_FLAGS.rawValue))
          if flags != UInt32(NFT_SET_ELEM_INTERVAL_END.rawValue) { index += 1 }
        }
      }
    } catch {
      return nil
    }
    return index >= first ? index : nil
  }
}

extension Command {
  /// Returns the words for `part` of the command, with the comment that leads back to the policy.
  func object(_ part: Batch.Origin.Part, _ element: Int?, table: String) -> String {
    switch self {
    case .createTable, .deleteTable: return "table \(table)"
    case .addChain(let name, _), .deleteChain(let name), .flushChain(let name): return "chain \(name)"
    case .addRules(let rules, let chain, _):
      switch part {
      case .rule(let i), .setOfRule(let i): return "chain \(chain), rule \(i + 1)" + Command.words(rules[i].comment)
      case .whole, .elements: return "chain \(chain)"
      }
    case .insertRule(let rule, let chain): return "chain \(chain), rule 1" + Command.words(rule.comment)
    case .deleteRule(let handle, let chain): return "chain \(chain), rule with the handle \(handle)"
    case .addSet(let set, _):
      return "set \(set.name)" + Command.words(element, set.elements)
    case .deleteSet(let name): return "set \(name)"
    case .deleteObject(let object): return object.description
    case .addElements(let elements, let set, _, _), .deleteElements(let elements, let set):
      return "set \(set.name)" + Command.words(element, elements)
    }
  }

  /// Returns the words for the element at `index`, if there is one.
  private static func words(_ index: Int?, _ elements: [NamedSet.Element]) -> String {
    guard let index, elements.indices.contains(index) else { return "" }
    return ", element \(index + 1)" + words(elements[index].comment)
  }

  /// Returns `comment` in parentheses.
  private static func words(_ comment: String?) -> String { comment.map { " (\($0))" } ?? "" }
}
