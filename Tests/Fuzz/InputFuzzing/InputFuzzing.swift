// Fuzz targets for what the reporter and the options are given as text or as files: ELF files, source
// files, suppression rules, runs to compare, BSTRTRACE_OPTIONS. Docs/Security.md has the commands.

import BSTRReporter
import TraceOptions

/// Drives parsers with any bytes.
///
/// Each traps where the parser does, and where what it understood is not what it writes.
public enum InputFuzzing {
  /// Reads an ELF file as the reporter does.
  public static func readElfFile(_ bytes: UnsafeRawBufferPointer) {
    let facts = ElfFacts(Array(bytes))
    guard let facts else { return }
    precondition(facts.buildID.map { $0.utf8.count % 2 == 0 } ?? true)
    // Of several symbols for one address one is chosen: not one without a name.
    precondition(facts.preferredNames.allSatisfy { !$0.isEmpty })
    precondition(facts.functionNames.allSatisfy { GivenFunction.names.contains($0) })
  }

  /// Reads a source file as the reporter does.
  ///
  /// The first three bytes are the language, the owner's line and the lines from there to the free.
  public static func readSourceFile(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count > 3 else { return }
    let name = ["a.c", "a.cpp", "a.swift"][Int(bytes[0]) % 3]
    let owner = Int(bytes[1]) + 1
    let free = owner + Int(bytes[2])
    let facts = SourceFacts(Array(bytes[3...]), name: name, owner: owner, free: free)
    guard let facts else { return }
    precondition(facts.waysOut.allSatisfy { $0 >= owner && $0 <= free })
    precondition(zip(facts.waysOut, facts.waysOut.dropFirst()).allSatisfy { $0 < $1 })
    precondition(facts.lines.count >= facts.waysOut.count)
    precondition(facts.lines.allSatisfy { !$0.utf8.contains(10) && $0.utf8.count < 2048 })
  }

  /// Reads suppression rules, and applies them to a report.
  public static func readRules(_ bytes: UnsafeRawBufferPointer) {
    let text = String(decoding: bytes, as: UTF8.self)
    var rules = Suppressions()
    rules.add(text, file: "rules.txt")
    for entry in rules.entries {
      precondition(!entry.rule.pattern.isEmpty)
      // What a report prints of a rule is that rule, but for the attributes.
      let again = try? SuppressionRule(entry.rule.text)
      precondition(again?.pattern == entry.rule.pattern && again?.kind == entry.rule.kind)
      precondition(again?.isOnHolders == entry.rule.isOnHolders)
    }
    for entry in rules.entries {
      for finding in findings where entry.rule.covers(finding) {
        precondition(entry.rule.kind == nil || entry.rule.kind == finding.kind)
      }
    }
    var report = Report(processes: [])
    rules.apply(to: &report, today: "2026-11-27")
    precondition(report.suppressions.count == rules.entries.count)
    precondition(report.suppressions.allSatisfy { $0.problem != nil && $0.findings == 0 })
  }

  private static let findings =
    ["main", "Window::title(char16_t**)", "get_Status", "文(int)"].enumerated().map { index, name in
      let frame = Frame(
        function: name, file: "/src/window.cpp", line: index + 1, module: "/lib/libplugin.so",
        offset: 16)
      return Finding(
        kind: FindingKind.all[index], count: index + 1, bytes: 8, message: "",
        allocated: StackTrace(frames: [frame]), suppression: "any:*")
    }

  /// Reads a run to compare, a JSON report or a baseline, and renders its differences.
  ///
  /// - Returns: whether the bytes could be read as one.
  @discardableResult
  public static func readRun(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let bytes = Array(bytes)
    if let baseline = try? Baseline(bytes) {
      // What is written of it is read as the same again.
      precondition((try? Baseline(Array(baseline.text.utf8)))?.text == baseline.text)
    }
    guard let run = try? FindingSums(json: bytes) else { return false }
    guard let same = FindingDiff(from: run, to: run) else {
      preconditionFailure("a run has no key in common with itself")
    }
    precondition(!same.isWorse)
    let nothing = FindingSums(of: Report(processes: []))
    for diff in [FindingDiff(from: nothing, to: run), FindingDiff(from: run, to: nothing)] {
      // Nothing has the keys of all versions.
      guard let diff else { preconditionFailure("a run has no key in common with an empty one") }
      for format in ReportFormat.allCases {
        precondition(!format.renderer().bytes(of: diff).isEmpty)
      }
    }
    return true
  }

  /// Reads BSTRTRACE_OPTIONS.
  public static func readOptions(_ bytes: UnsafeRawBufferPointer) {
    let text = String(decoding: bytes, as: UTF8.self)
    var given = GivenOptions()
    let problems = given.parse(text)
    precondition(problems.allSatisfy { !$0.reason.isEmpty })
    // What is said again is understood again, and changes nothing.
    var again = GivenOptions()
    precondition(again.parse(text) == problems && given.overruled(by: again) == given)
    if let failures = TraceOptions(given).failAllocation {
      precondition(AllocationFailure(failures.description) == failures)
      for number in [1, 2, UInt64.max] { _ = failures.concerns(number) }
    }
    // Parts that were ignored have no part in the others.
    let kept = text.utf8.split(separator: UInt8(ascii: ":")).map { String(Substring($0)) }
      .filter { part in !problems.contains { $0.part == part } }
    var others = GivenOptions()
    precondition(others.parse(kept.joined(separator: ":")).isEmpty && others == given)
  }
}

/// The entry of ElfFuzz.
@_cdecl("bstrtrace_fuzz_elf_file")
public func fuzzElfFile(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
  InputFuzzing.readElfFile(UnsafeRawBufferPointer(start: bytes, count: count))
}

/// The entry of SourceFuzz.
@_cdecl("bstrtrace_fuzz_source_file")
public func fuzzSourceFile(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
  InputFuzzing.readSourceFile(UnsafeRawBufferPointer(start: bytes, count: count))
}

/// The entry of RuleFuzz.
@_cdecl("bstrtrace_fuzz_suppression_rules")
public func fuzzSuppressionRules(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
  InputFuzzing.readRules(UnsafeRawBufferPointer(start: bytes, count: count))
}

/// The entry of RunFuzz.
@_cdecl("bstrtrace_fuzz_run_to_compare")
public func fuzzRunToCompare(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
  InputFuzzing.readRun(UnsafeRawBufferPointer(start: bytes, count: count))
}

/// The entry of OptionFuzz.
@_cdecl("bstrtrace_fuzz_option_text")
public func fuzzOptionText(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
  InputFuzzing.readOptions(UnsafeRawBufferPointer(start: bytes, count: count))
}
