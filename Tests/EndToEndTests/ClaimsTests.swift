import BSTRReporter
import Foundation
import Testing
import TraceStore

/// What reports say in numbers and of whoever did what is what the store says.
@Suite struct ClaimsTests {
  /// The scenarios whose reports say most: those with leaks and with strings that were freed twice.
  static let scenarios = Scenario.all.filter { scenario in
    scenario.mode == .preloaded && scenario.width ?? 2 == 2
      && !scenario.file.lastPathComponent.hasSuffix(".swift")
      && (!scenario.leaks.isEmpty || scenario.faults.contains { $0.kind == "double-free" })
  }

  @Test func thereAreMany() { #expect(Self.scenarios.count >= 60) }

  @Test(arguments: scenarios) func everyClaimIsTrue(_ scenario: Scenario) throws {
    let name = scenario.file.deletingPathExtension().lastPathComponent
    let (program, folder) = try scenario.build(in: "claims-\(name)")
    let traced = try Traced.run(
      [program.path], flags: ["--symbolizer", "runtime", "--keep-store", "kept.store"],
      environment: ["BSTRTRACE_OPTIONS": scenario.options.joined(separator: ":")], in: folder)
    let (images, damage) = try StoreFile.images(at: folder.appending(path: "kept.store").path)
    #expect(damage == nil)
    for process in traced.report.processes where !process.findings.isEmpty {
      let image = try #require(images.first { Int($0.header.pid) == process.pid })
      Claims(process: process, facts: StoreFacts(image)).check()
    }
  }

  /// The check itself can fail.
  @Test func aFalseClaimIsSeen() throws {
    let scenario = try #require(
      Self.scenarios.first { $0.file.lastPathComponent == "error_in_loop.c" })
    let (program, folder) = try scenario.build(in: "claims-false")
    let traced = try Traced.run(
      [program.path], flags: ["--symbolizer", "runtime", "--keep-store", "s"], in: folder)
    let image = try #require(
      try StoreFile.images(at: folder.appending(path: "s").path).images.first)
    let process = try #require(traced.report.processes.first)
    let facts = StoreFacts(image)
    Claims(process: process, facts: facts).check()
    for tell in [
      { $0.siblings?.freed += 1 }, { $0.siblings?.total -= 1 },
      { $0.message = "Nobody freed the 4 BSTRs that readAll allocated." },
      { $0.doubt = "No string of readAll was ever freed: whether it was to free them or to …" },
      { $0.doubt = "Other strings that came through elsewhere were freed, and never one from …" },
      { $0.evidence = "8 siblings" }, { $0.values = ["other"] }, { $0.serials[0] = 2 },
    ] as [(inout Traced.Report.Finding) -> Void] {
      var told = process
      tell(&told.findings[0])
      withKnownIssue { Claims(process: told, facts: facts).check() }
    }
  }
}

/// The findings of one process, and what is true of it.
private struct Claims {
  var process: Traced.Report.Process
  var facts: StoreFacts

  func check() {
    for finding in process.findings {
      if finding.kind == "leak" {
        checkCounts(finding)
        checkSiblings(finding)
        checkValues(finding)
      }
      checkSentences(finding)
      checkEnd(finding)
    }
    let leaked = process.findings.filter { $0.kind == "leak" }.reduce(0) { $0 + $1.count }
    #expect(leaked <= facts.live.count)
  }

  private func live(at stack: [Traced.Report.Frame]) -> Int {
    facts.live.values.count { StoreFacts.isSame($0.allocated, stack) }
  }

  private func checkCounts(_ finding: Traced.Report.Finding) {
    let alike = process.findings.filter {
      $0.kind == "leak" && $0.stacks.allocated == finding.stacks.allocated
    }
    // Those of ignored scopes are live, and no leaks.
    #expect(alike.reduce(0) { $0 + $1.count } <= live(at: finding.stacks.allocated))
    for serial in finding.serials {
      let block = facts.live[UInt64(serial)]
      #expect(block.map { StoreFacts.isSame($0.allocated, finding.stacks.allocated) } == true)
    }
    if let count = finding.message.firstMatch(of: /(?:the|The) (\d+) BSTRs/)?.output.1 {
      #expect(Int(count) == finding.count, "\(finding.message)")
    }
  }

  private func checkSiblings(_ finding: Traced.Report.Finding) {
    guard let siblings = finding.siblings else { return }
    let stack = finding.stacks.allocated
    let name = siblings.freedBy.function ?? "?"
    let same = facts.freed { StoreFacts.isSame($0.allocated, stack) }
    let by = facts.freed { StoreFacts.isSame($0.allocated, stack) && $0.freed.passes(name) }
    // Stacks that differ in wrappers alone are siblings, too: then there are more.
    #expect(siblings.total >= same + live(at: stack))
    #expect(siblings.freed <= siblings.total - live(at: stack))
    #expect(siblings.freed <= facts.freed { $0.freed.passes(name) })
    if siblings.total == same + live(at: stack) { #expect(siblings.freed <= by) }
    if by == same { #expect(siblings.freed >= by) }
  }

  private func checkValues(_ finding: Traced.Report.Finding) {
    let texts = finding.serials.compactMap { facts.live[UInt64($0)]?.value?.bytes }.map { bytes in
      String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
    }
    for value in finding.values where value.allSatisfy({ $0.isLetter || $0.isNumber }) {
      #expect(texts.contains(value), "\(value) is none of \(texts)")
    }
  }

  /// Names in sentences, with what must be so of each.
  private func checkSentences(_ finding: Traced.Report.Finding) {
    let text = [finding.message, finding.doubt].compactMap { $0 }.joined(separator: " ")
    if let name = text.firstMatch(of: /No string of (.+?) was ever freed/)?.output.1 {
      #expect(facts.freed { $0.allocated.passes(String(name)) } == 0, "\(text)")
    }
    if let name = text.firstMatch(of: /Other strings of (.+?) were freed/)?.output.1 {
      #expect(facts.freed { $0.allocated.passes(String(name)) } > 0, "\(text)")
    }
    if let name = text.firstMatch(of: /Other strings that came through (.+?) were freed/)?.output.1
    {
      #expect(facts.freed { $0.allocated.passes(String(name)) } > 0, "\(text)")
    }
    if text.contains("never one from this line"), let frame = finding.stacks.allocated.first,
      let line = frame.line
    {
      #expect(
        facts.freed { $0.allocated.first?.file == frame.file && $0.allocated.first?.line == line }
          == 0,
        "\(text)")
    }
    if text.contains("from this line were freed"), let frame = finding.stacks.allocated.first {
      #expect(facts.freed { $0.allocated.contains { $0.line == frame.line } } > 0, "\(text)")
    }
    for pattern in [
      /siblings were freed by (.+?) and by what it calls/, /who received them, as (.+?) did/,
      /, as (\S+?): who was to free this one/, /usually hands such strings to (.+?), which frees/,
      /hand them to (.+?), which frees them/, /(\S+) freed its siblings: whether/,
    ] {
      guard let name = text.firstMatch(of: pattern)?.output.1 else { continue }
      #expect(facts.freed { $0.freed.passes(String(name)) } > 0, "\(text)")
    }
    if let name = text.firstMatch(of: /It belongs to an object, as (.+?) shows/)?.output.1 {
      let isOnStack = finding.stacks.allocated.contains { $0.function == String(name) }
      #expect(isOnStack || facts.freed { $0.freed.passes(String(name)) } > 0, "\(text)")
    }
    if let name = text.firstMatch(of: /^.*?(\S+) frees in one call what an earlier call/)?.output.1
    {
      #expect(
        facts.freed { $0.allocated.passes(String(name)) && $0.freed.passes(String(name)) } > 0,
        "\(text)")
    }
    if let count = finding.evidence?.firstMatch(of: /^(\d+) siblings?$/)?.output.1 {
      #expect(Int(count) ?? 0 <= facts.freed { _ in true }, "\(finding.evidence ?? "")")
      let innermost = finding.stacks.allocated.first
      let like = facts.freed { freed in
        finding.stacks.allocated.contains { frame in
          freed.allocated.contains { $0.function == frame.function && $0.line == frame.line }
        }
      }
      #expect(Int(count) ?? 0 <= like, "\(innermost?.function ?? "?")")
    }
    if let count = text.firstMatch(of: /as it did with (\d+) others/)?.output.1,
      let consumer = finding.consumer?.function
    {
      #expect(Int(count) ?? 0 <= facts.freed { $0.freed.passes(consumer) }, "\(text)")
    }
    for pattern in [
      /(\S+) freed its own BSTR twice/, /(\S+) freed twice what/,
      /gave it to (\S+), which freed it twice/,
    ] {
      guard let name = text.firstMatch(of: pattern)?.output.1 else { continue }
      for stack in [finding.stacks.freed, finding.stacks.detected] {
        #expect(stack.contains { $0.function?.hasSuffix(name) == true }, "\(text)")
      }
    }
  }

  /// Nobody is accused over a string of a process that was killed.
  private func checkEnd(_ finding: Traced.Report.Finding) {
    guard finding.kind == "leak", process.ended == "signal" else { return }
    #expect(finding.rule == nil && finding.owner == nil)
    #expect(!finding.message.contains("obody freed"))
  }
}
