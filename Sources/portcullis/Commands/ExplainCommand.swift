public import ArgumentParser
public import Driver
import Firewalls
import Reports
import Syntax

/// `portcullis explain`.
struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Say what becomes of a connection, and which line decides.",
    discussion: """
      In place of a policy there may be rules of another program: iptables:FILE or ip6tables:FILE (as iptables-save writes
      them), nft:FILE (nft -j list ruleset), or manifests:DIR (of Kubernetes). What they leave open is told: the answer then
      is several verdicts, with what they depend on.

      Examples:
        portcullis explain --from 203.0.113.7 --to web1 --port 443/tcp
        portcullis explain --cluster prod --from shop/cart --to shop/ledger --port 5432/tcp
        portcullis explain iptables:rules.v4 --from 203.0.113.7 --to 192.0.2.10 --port 22/tcp --in eth0
        portcullis explain manifests:deploy/ --from shop/cart --to shop/app=ledger --port 5432/tcp
      """)

  @OptionGroup var policy: PolicyOptions

  @Option(help: ArgumentHelp("Where it comes from: an address, or NAMESPACE/SERVICE.", valueName: "addr"))
  var from: String

  @Option(help: ArgumentHelp("Where it goes: an address, a host, or NAMESPACE/SERVICE.", valueName: "host-or-addr"))
  var to: String

  @Option(help: ArgumentHelp("The port with its protocol, or an ICMP message.", valueName: "443/tcp"))
  var port: String

  @Option(
    name: .customLong("in"),
    help: ArgumentHelp("The interface that it arrives on (default: the one that the zones tell).", valueName: "iface"))
  var interface: String?

  @Option(
    name: .customLong("out"),
    help: ArgumentHelp("The interface that it leaves on; for rules of another program.", valueName: "iface"))
  var departure: String?

  @Option(help: "How it goes through a host with rules of another program: input, forward or output (default: input).")
  var way: Question.Way?

  @Option(help: ArgumentHelp("The source port.", valueName: "n"))
  var sport: UInt16 = 49152

  @Option(help: ArgumentHelp("The cluster that the services run on.", valueName: "name"))
  var cluster: String?

  @Option(help: "How the answer is written: text or json.")
  var format = AnswerFormat.text

  func validate() throws {
    guard let place = ForeignRules.place(policy.path) else {
      if departure != nil || way != nil {
        throw ValidationError("--out and --way are for rules of another program.")
      }
      return
    }
    if cluster != nil { throw ValidationError("--cluster is for policies.") }
    if place.format == .manifests, interface != nil || departure != nil || way != nil {
      throw ValidationError("Manifests know neither interfaces nor ways.")
    }
    if way == .output, interface != nil { throw ValidationError("What a host sends arrives on no interface.") }
  }

  func run() async throws {
    var question = Question(from: from, to: to, port: port, on: interface, sourcePort: sport, in: cluster)
    question.departure = departure
    question.way = way ?? .input
    let answer: Explanation
    var sources = Sources([])
    do {
      if let place = ForeignRules.place(policy.path) {
        answer = try ForeignRules(at: place).explain(question, on: policy.today ?? Terminal.today)
      } else {
        // What checks would find changes no verdict, and may be why somebody asks.
        let pipeline = try await Pipeline.resolved(PolicyFiles([policy.path]), on: policy.today)
        sources = pipeline.sources
        answer = try pipeline.explain(question)
      }
    } catch let error as UnanswerableQuestion {
      Terminal.fail(error.description)
    }
    let report = ExplanationReport(answer, to: question, sources: sources)
    try Terminal.print(format == .json ? report.json : report.text)
  }
}

extension Question.Way: ExpressibleByArgument {}
