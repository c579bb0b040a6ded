import Packets
import Syntax

extension Clauses {
  /// The ports of the `on` clauses, in order.
  var traffic: [Spelled<Traffic>] {
    var result: [Spelled<Traffic>] = []
    for list in on { result += list.value.map { Spelled($0, at: list.span) } }
    if result.count > 1 { result.sort { $0.value == $1.value ? $0.span < $1.span : $0.value < $1.value } }
    return result
  }

  /// Returns where the statement at `span` with these clauses stands, how long it holds and why.
  func provenance(at span: Span) -> Provenance {
    var result = Provenance(span: span)
    result.until = until
    result.because = because?.value
    result.ticket = ticket?.value
    result.logged = logged != nil
    return result
  }
}
