// Fuzzes the front end: the input is a policy file. Run it with `make fuzz`.
import Checks
import Firewalls
import Policies
import Syntax

/// Traps unless `condition` holds, which is how a find is told.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
  guard condition else { preconditionFailure(what()) }
}

/// Parses, formats, resolves, lowers and checks `bytes`, and holds each phase to what it promises.
func examine(_ bytes: [UInt8]) {
  let file = SourceFile(path: "fuzz.port", bytes: bytes)
  let (tree, diagnostics) = parse(file, at: 0)

  // The tokens rebuild the file, and every finding lies inside it.
  var end: UInt32 = 0
  for token in tree.tokens {
    require(token.lower == end && token.upper >= token.lower, "the tokens do not rebuild the text")
    end = token.upper
  }
  require(Int(end) == bytes.count, "the tokens do not rebuild the text")
  require(diagnostics.count <= 101, "there are too many findings")
  for diagnostic in diagnostics {
    let spans = [diagnostic.primary.span] + diagnostic.secondary.map(\.span) + diagnostic.fixes.map(\.span)
    require(spans.allSatisfy { Int($0.upper) <= bytes.count }, "a finding is outside the text")
  }

  // The canonical layout parses, and is its own.
  let text = formatted(file)
  require((text == nil) == !diagnostics.isEmpty, "exactly what parses has a layout")
  if let text {
    let again = SourceFile(path: "fuzz.port", text: text)
    require(formatted(again) == text, "the layout is not its own")
  }

  // What resolves can be lowered and judged.
  let (policy, findings) = resolve([tree])
  guard (diagnostics + findings).allSatisfy({ $0.severity != .error }) else { return }
  let lowering = Lowering(policy)
  let firewalls = policy.hosts.indices.map { lowering.firewall(of: ID($0)) }
  _ = Check.judge(Inspection(lowering, firewalls: firewalls, today: CalendarDate(daysSinceEpoch: 20_779)))
}

/// The entrance of libFuzzer.
@c(LLVMFuzzerTestOneInput)
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  examine(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

var count = CommandLine.argc
var arguments = CommandLine.unsafeArgv
_ = runDriver(&count, &arguments, testOneInput)
