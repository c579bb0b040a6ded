public import Syntax

/// Returns the policy that `trees` declare, and what is wrong with it.
///
/// It never fails: what cannot be resolved is left out and reported as an error.
public func resolve(_ trees: [Tree]) -> (policy: Policy, diagnostics: [Diagnostic]) { (Policy(), []) }
