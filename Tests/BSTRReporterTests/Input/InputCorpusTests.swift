import InputFuzzing
import TestSupport
import Testing
import TraceOptions

@testable import BSTRReporter

/// The inputs of the fuzz targets for ELF files, source files, suppression rules, runs and options.
///
/// None may trap.
@Suite struct InputCorpusTests {
  private static let files = FuzzCorpus("ElfCorpus")
  private static let sources = FuzzCorpus("SourceCorpus")
  private static let rules = FuzzCorpus("RuleCorpus")
  private static let runs = FuzzCorpus("RunCorpus")
  private static let options = FuzzCorpus("OptionCorpus")

  @Test(arguments: files.names) func anElfFileIsRead(name: String) throws {
    try Self.files.bytes(of: name).withUnsafeBytes { InputFuzzing.readElfFile($0) }
  }

  @Test(arguments: sources.names) func aSourceFileIsRead(name: String) throws {
    try Self.sources.bytes(of: name).withUnsafeBytes { InputFuzzing.readSourceFile($0) }
  }

  @Test(arguments: rules.names) func rulesAreRead(name: String) throws {
    try Self.rules.bytes(of: name).withUnsafeBytes { InputFuzzing.readRules($0) }
  }

  @Test(arguments: runs.names) func aRunIsRead(name: String) throws {
    let isRead = try Self.runs.bytes(of: name).withUnsafeBytes { InputFuzzing.readRun($0) }
    #expect(isRead || name.hasPrefix("crash-"))
  }

  /// Numbers, names and braces that are not there any more, or are others.
  @Test(arguments: runs.names) func aDamagedRunNeverTraps(name: String) throws {
    let whole = try Self.runs.bytes(of: name)
    var random = SeededGenerator.printingSeed("\(#function) \(name)")
    for _ in 0..<250 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        bytes[index] =
          Array("0918-\",:{}[]eun\u{0}\u{7F}".utf8).randomElement(using: &random) ?? 0
      }
      _ = bytes.withUnsafeBytes { InputFuzzing.readRun($0) }
    }
  }

  @Test(arguments: options.names) func optionsAreRead(name: String) throws {
    try Self.options.bytes(of: name).withUnsafeBytes { InputFuzzing.readOptions($0) }
  }

  /// Signs end names and parts whatever is behind them: with a combining mark they are another
  /// character.
  @Test func combiningMarksArePartsOfWhatTheyStandIn() throws {
    var rules = Suppressions()
    rules.add("leak:\u{301}f:g\nany: \u{301}", file: "")
    #expect(rules.problems.isEmpty)
    #expect(
      rules.entries.map { Array($0.rule.pattern.unicodeScalars.map(\.value)) }
        == [[0x301, 0x66, 0x3A, 0x67], [0x20, 0x301]])
    var given = GivenOptions()
    let problems = given.parse("output=\u{301}f:\u{301}depth=3:depth=7")
    #expect(problems.map(\.part) == ["\u{301}depth=3"])
    #expect(TraceOptions(given).outputs == ["\u{301}f"])
    #expect(TraceOptions(given).depth == 7)
  }

  /// Seeds that are understood exercise more than what is rejected at once.
  @Test func seedsAreUnderstood() throws {
    for name in Self.files.names where !name.hasPrefix("crash-") {
      let facts = try #require(ElfFacts(try Self.files.bytes(of: name)), "\(name)")
      #expect(facts.symbolNames.contains("SysAllocString"), "\(name)")
      #expect(facts.isSymbolic == (name == "symbolic"))
      #expect((facts.buildID == nil) == (name == "object"))
      // The alias and what it is another name of.
      #expect(!facts.preferredNames.isEmpty, "\(name)")
    }
    for name in Self.sources.names where !name.hasPrefix("crash-") {
      let bytes = try Self.sources.bytes(of: name)
      let owner = Int(bytes[1]) + 1
      let facts = SourceFacts(
        Array(bytes[3...]), name: ["a.c", "a.cpp", "a.swift"][Int(bytes[0])], owner: owner,
        free: owner + Int(bytes[2]))
      #expect(facts?.waysOut.isEmpty == false, "\(name)")
    }
    var rules = Suppressions()
    for name in Self.rules.names where !name.hasPrefix("crash-") {
      rules.add(String(decoding: try Self.rules.bytes(of: name), as: UTF8.self), file: name)
    }
    #expect(rules.entries.count > 10 && rules.problems.count > 5)
    #expect(Set(rules.entries.map(\.rule.kind)).count == FindingKind.all.count + 1)
    #expect(rules.entries.contains { $0.rule.isOnHolders })
    #expect(Self.options.names.count >= 3)
  }
}
