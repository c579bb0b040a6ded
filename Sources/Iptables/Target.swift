public import Packets

/// What a rule does with what it matches.
public enum Target: Hashable, Sendable {
  /// It goes on to the next table.
  case accept

  /// It disappears.
  case drop

  /// It goes back to where the chain was called from, or to the policy of a chain that the kernel calls.
  case `return`

  /// It is judged by a chain, whose end comes back.
  case jump(String)

  /// It is judged by a chain, whose end comes back to where this chain was called from.
  case goto(String)

  /// The bits of the mark under `mask` are cleared, and then those of `value` flipped; the packet goes on.
  case mark(value: UInt32, mask: UInt32)

  /// A line in the kernel's log begins with the prefix, of at most 29 bytes; the packet goes on.
  case log(prefix: String)

  /// It is answered by a refusal of this kind (`REJECT --reject-with`).
  case reject(with: String)

  /// Its destination becomes the address, if there is one, and its port one of `ports`; it keeps its distance from
  /// `base`, if there is one.
  case destination(Address?, ports: PortRange?, base: UInt16?)

  /// Its source becomes the address of the interface on which it leaves.
  case masquerade

  /// A target that is not known here, as its words; nothing can be said of what it does.
  case unknown([String])
}
