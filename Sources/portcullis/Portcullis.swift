import ArgumentParser

/// The command line.
@main struct Portcullis: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "One policy in; firewalls and manifests out.")
}
