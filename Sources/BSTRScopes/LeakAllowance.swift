// The findings that a scope may have without being reported.

public import BSTRReporter

/// Leaks and faults that are no failure.
public struct LeakAllowance: Sendable {
  private let covered: @Sendable (Finding) -> Bool

  private init(_ covered: @escaping @Sendable (Finding) -> Bool) {
    self.covered = covered
  }

  /// An allowance for nothing: every finding is a failure.
  public static let nothing = LeakAllowance { _ in false }

  /// Allows a maximum of leaked BSTRs of each stack.
  public static func perStack(_ count: Int) -> LeakAllowance {
    LeakAllowance { $0.kind == .leak && $0.count <= count }
  }

  /// Allows findings with one of these functions in a stack.
  ///
  /// - Parameter patterns: names without parameters, in which `*` stands for any characters; part
  ///   of a name will do, as in suppression files.
  public static func functions(_ patterns: String...) -> LeakAllowance {
    LeakAllowance { finding in finding.passesThrough(anyOf: patterns) }
  }

  /// Allows findings that the predicate accepts.
  public static func matching(_ predicate: @escaping @Sendable (Finding) -> Bool) -> LeakAllowance {
    LeakAllowance(predicate)
  }

  /// Allows what either one allows.
  public func or(_ other: LeakAllowance) -> LeakAllowance {
    LeakAllowance { covers($0) || other.covers($0) }
  }

  /// Returns whether the finding is allowed.
  public func covers(_ finding: Finding) -> Bool { covered(finding) }
}
