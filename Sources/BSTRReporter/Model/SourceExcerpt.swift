// The lines of source that a finding shows: where its owner got the string, where siblings are
// freed, and the ways out between the two.

/// Lines of the owner's function.
public struct SourceExcerpt: Equatable, Sendable {
  /// A line of a source file.
  public struct Line: Equatable, Sendable {
    /// Its number, from 1.
    public var number: Int
    /// Its text, without the end of the line.
    public var text: String

    /// Creates a line.
    public init(number: Int, text: String) {
      self.number = number
      self.text = text
    }
  }

  /// The path of the file that was read.
  public var file: String
  /// Whether the file was written after the module: its lines may have moved, and none is shown.
  public var isNewer = false
  /// The number of the line on which the owner got the string.
  public var owner: Int
  /// That line with one line on either side.
  public var lines: [Line] = []
  /// The lines on which the owner's function freed siblings.
  public var frees: [Line] = []
  /// The lines between on which the function is left, or the free is jumped over: proposals.
  public var waysOut: [Line] = []

  /// Creates an excerpt without lines.
  public init(file: String, owner: Int) {
    self.file = file
    self.owner = owner
  }
}
