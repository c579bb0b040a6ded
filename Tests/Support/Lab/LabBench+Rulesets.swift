extension LabBench {
  /// Loads `ruleset` into the host under test; throws what the loading program says.
  func load(_ ruleset: Ruleset) throws { try ruleset.load(into: host) }

  /// Returns what the kernel has loaded, with its counters.
  func listing(_ kind: RulesetKind) -> String {
    switch kind {
    case .nftables: output(["nft", "list", "ruleset"])
    case .iptablesNft: output(["iptables-nft-save", "-c"]) + output(["ip6tables-nft-save", "-c"])
    case .iptablesLegacy: output(["iptables-legacy-save", "-c"]) + output(["ip6tables-legacy-save", "-c"])
    }
  }

  private func output(_ arguments: [String]) -> String {
    guard let result = try? host.run(arguments) else { return "" }
    return result.output + result.errors
  }

  /// Returns somebody else's table as it stands.
  func foreignTable() -> String {
    lab.translations.isEmpty ? "" : output(["nft", "list", "table", "inet", "somebody"])
  }
}

extension Ruleset {
  /// The programs that load the ruleset, with what each is given.
  private var loads: [(program: [String], text: String)] {
    switch self {
    case .nftables(let texts): return texts.map { (["nft", "-f", "-"], $0) }
    case .iptables(let ipv4, let ipv6, let legacy):
      let variant = legacy ? "legacy" : "nft"
      return [
        (["iptables-\(variant)-restore"], ipv4),
        (["ip6tables-\(variant)-restore"], ipv6),
      ]
    }
  }

  /// The text of the ruleset, all files of it.
  public var text: String { loads.map { "# \($0.program.joined(separator: " "))\n\($0.text)" }.joined(separator: "\n") }

  /// Loads the ruleset into `namespace`; throws what the loading program says.
  public func load(into namespace: NetworkNamespace) throws {
    for (program, text) in loads {
      let result = try namespace.run(program, input: text)
      guard result.status == 0 else {
        throw LabError(description: "\(program.joined(separator: " ")) refuses:\n\(result.errors)\(text)")
      }
    }
  }

  /// Returns what is wrong with the ruleset as text: it must load, and load again; and what `nft list ruleset` says of it
  /// must load in an empty namespace and be listed there in the same words; `iptables-restore --test` must accept it.
  public func textualFaults() throws -> [String] {
    let namespaces = try NetworkNamespace.make(["text", "again"])
    defer { NetworkNamespace.remove(namespaces) }
    var faults: [String] = []
    do {
      if kind != .nftables {
        for (program, text) in loads {
          let result = try namespaces[0].run(program + ["--test"], input: text)
          if result.status != 0 { faults.append("\(program[0]) --test: \(result.errors)") }
        }
      }
      try load(into: namespaces[0])
      let first = try Ruleset.save(kind, in: namespaces[0])
      try load(into: namespaces[0])
      let second = try Ruleset.save(kind, in: namespaces[0])
      if first.text != second.text {
        faults.append("loading it twice changes it:\n" + Ruleset.difference(first.text, second.text))
      }
      try first.load(into: namespaces[1])
      let third = try Ruleset.save(kind, in: namespaces[1])
      if first.text != third.text {
        faults.append("its listing loads as something else:\n" + Ruleset.difference(first.text, third.text))
      }
    } catch let error as LabError {
      faults.append(error.description)
    }
    return faults
  }

  /// Returns the ruleset that `namespace` has, without counters; of iptables, the tables in the order of their names,
  /// for `iptables-legacy-save` lists them as they happened to be made.
  private static func save(_ kind: RulesetKind, in namespace: NetworkNamespace) throws -> Ruleset {
    func output(_ arguments: [String]) throws -> String {
      let result = try namespace.run(arguments)
      guard result.status == 0 else { throw LabError(description: "\(arguments[0]): \(result.errors)") }
      let lines = result.output.split(separator: "\n").filter { !$0.hasPrefix("#") }
        .map { $0.hasPrefix(":") ? $0.prefix { $0 != "[" } + "[0:0]" : $0 }
      if kind == .nftables { return result.output }
      let tables = lines.split { $0 == "COMMIT" }.map { ($0 + ["COMMIT\n"]).joined(separator: "\n") }
      return tables.sorted().joined()
    }
    switch kind {
    case .nftables: return .nftables([try output(["nft", "-s", "list", "ruleset"])])
    case .iptablesNft, .iptablesLegacy:
      let variant = kind == .iptablesNft ? "nft" : "legacy"
      return .iptables(
        ipv4: try output(["iptables-\(variant)-save"]), ipv6: try output(["ip6tables-\(variant)-save"]),
        legacy: kind == .iptablesLegacy)
    }
  }

  /// Returns the lines that only one of two texts has.
  private static func difference(_ a: String, _ b: String) -> String {
    let lines = (a.split(separator: "\n"), b.split(separator: "\n"))
    return lines.1.difference(from: lines.0).prefix(20).map {
      switch $0 {
      case .remove(_, let line, _): "- \(line)"
      case .insert(_, let line, _): "+ \(line)"
      }
    }.joined(separator: "\n")
  }
}
