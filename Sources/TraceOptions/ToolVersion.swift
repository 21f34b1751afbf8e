// The version of the package, in one place.

/// The version of the command, the libraries and the package: one for all.
public enum ToolVersion {
  /// As `bstrtrace --version` says it, by the rules of semantic versioning (semver.org, version 2).
  ///
  /// The formats of stores and of JSON reports count for themselves.
  public static let current = "0.1.0"
}
