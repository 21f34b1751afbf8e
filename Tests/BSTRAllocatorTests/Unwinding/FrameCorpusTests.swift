import FrameFuzzing
import TestSupport
import Testing

/// The inputs of the fuzz target for call frame information.
///
/// None may trap, or read outside of itself.
@Suite(.serialized) struct FrameCorpusTests {
  private static let corpus = FuzzCorpus("FrameCorpus")

  @Test(arguments: corpus.names) func isRead(name: String) throws {
    try Self.corpus.bytes(of: name).withUnsafeBytes { _ = FrameFuzzing.readRule($0) }
  }

  @Test func seedsHaveRules() throws {
    let rules = try Self.corpus.names.filter { !$0.hasPrefix("crash-") }.filter { name in
      try Self.corpus.bytes(of: name).withUnsafeBytes { FrameFuzzing.readRule($0) }
    }
    #expect(rules == ["frame-pointer", "frameless", "outermost", "personality", "version-3"])
  }
}
