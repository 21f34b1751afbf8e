// All that the reporter reads of a source file, in one value, for a fuzz target.

/// The facts that are read of a source file.
package struct SourceFacts {
  /// The ways out that are proposed between the two lines.
  package var waysOut: [Int]
  /// The excerpt's lines.
  package var lines: [String]

  /// Reads all of it; `nil` where the bytes are no text.
  ///
  /// - Parameters:
  ///   - name: a name whose ending says the language.
  ///   - owner: the line on which a function got a string.
  ///   - free: the line on which it freed others.
  package init?(_ bytes: [UInt8], name: String, owner: Int, free: Int) {
    guard let language = SourceLanguage(path: name),
      var file = SourceFile(path: name, modified: 0, language, bytes)
    else { return nil }
    let blocks = file.blocks(havingRun: [owner, free])
    waysOut = blocks.map { WaysOut.lines(in: $0, owner: owner, frees: [free]) } ?? []
    lines = file.lines([owner, free] + waysOut).map(\.text)
  }
}
