import StoreFuzzing
import TestSupport
import Testing
import TraceStore

/// The fuzzer's corpus: stores of the scenarios, and what the fuzzer has found.
///
/// Each goes through all that makes a report, which must not trap.
@Suite struct CorpusTests {
  private static let corpus = FuzzCorpus("Corpus")

  private static func bytes(of name: String) throws -> [UInt8] {
    var bytes = try corpus.bytes(of: name)
    // What was found in stores of an earlier version is still looked for in those of this one.
    guard bytes.count >= 12 else { return bytes }
    withUnsafeBytes(of: StoreLayout.version) { bytes.replaceSubrange(8..<12, with: $0) }
    return bytes
  }

  @Test(arguments: corpus.names) func isReported(name: String) throws {
    let bytes = try Self.bytes(of: name)
    bytes.withUnsafeBytes { _ = StoreFuzzing.report(on: $0) }
  }

  /// Seeds that cannot be read exercise nothing: `Tests/Fuzz/make-corpus` makes them anew.
  @Test func seedsAreSoundStoresOfThisVersion() throws {
    let seeds = Self.corpus.names.filter { !$0.hasPrefix("crash-") }
    #expect(seeds.count >= 30)
    for name in seeds {
      let bytes = try Self.corpus.bytes(of: name)
      let image = try bytes.withUnsafeBytes { try StoreImage(bytes: $0) }
      #expect(image.damage.isEmpty, "\(name)")
      #expect(!image.arguments.isEmpty, "\(name)")
    }
  }
}
