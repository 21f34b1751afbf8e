// The version of the package, defined once.

/// The version of the command, the libraries and the package: one for all.
public enum ToolVersion {
  /// The output of `bstrtrace --version`, by the rules of semantic versioning (semver.org, version
  /// 2).
  ///
  /// The formats of stores and of JSON reports have versions of their own.
  public static let current = "0.1.0"
}
