// Fuzzes the way from a policy file, which is the input, to what is compiled from it. Run it with `make fuzz`.
import Dispatch
import Driver
import Firewalls
import Policies
import Syntax

/// Traps unless `condition` holds, which is how a find is told.
func require(_ condition: Bool, _ what: @autoclosure () -> String) {
  guard condition else { preconditionFailure(what()) }
}

/// The day on which policies are judged: 22 November 2026.
let today = CalendarDate(daysSinceEpoch: 20_779)

/// Returns the whole way of `file`, findings included.
func judged(_ file: SourceFile) async -> Pipeline {
  var pipeline = Pipeline(Sources([file]), on: today)
  await pipeline.run()
  return pipeline
}

/// Parses, formats, resolves, lowers, checks and compiles `bytes`, and holds each phase to what it promises.
func examine(_ bytes: [UInt8]) async {
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

  // The canonical layout parses, is its own, and changes no finding.
  let text = formatted(file)
  require((text == nil) == !diagnostics.isEmpty, "exactly what parses has a layout")
  let pipeline = await judged(file)
  if let text {
    let again = SourceFile(path: "fuzz.port", text: text)
    require(formatted(again) == text, "the layout is not its own")
    let other = await judged(again)
    require(
      pipeline.diagnostics.map { "\($0.code) \($0.message)" } == other.diagnostics.map { "\($0.code) \($0.message)" },
      "the layout has another meaning")
  }

  // What resolves can be compiled, always to the same files, and these mean what the policy means.
  guard pipeline.lowering != nil else { return }
  let compilation = await pipeline.compileAll()
  for diagnostic in compilation.diagnostics {
    // What takes too much to prove is refused, rightly.
    let isTooMuch = diagnostic.reason?.contains("has more than") ?? false
    require(
      diagnostic.code != "unproved-output" || isTooMuch, "\(diagnostic.message): \(diagnostic.reason ?? "")")
  }
}

/// The entrance of libFuzzer.
@c(LLVMFuzzerTestOneInput)
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  // libFuzzer waits for nothing but a return.
  let done = DispatchSemaphore(value: 0)
  Task.detached {
    await examine(bytes)
    done.signal()
  }
  done.wait()
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
