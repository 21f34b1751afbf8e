import Foundation
import Testing

/// The comparison of a report with what a scenario's first lines state.
extension Scenario {
  /// Whether a text is as stated, in which `*` stands for any characters.
  private static func matches(_ text: String, _ stated: String) -> Bool {
    var rest = text[...]
    for (index, part) in stated.split(separator: "*", omittingEmptySubsequences: false).enumerated()
    {
      if index == 0 {
        guard rest.hasPrefix(part) else { return false }
        rest = rest.dropFirst(part.count)
      } else if part.isEmpty {
        continue
      } else {
        guard let found = rest.range(of: part) else { return false }
        rest = rest[found.upperBound...]
      }
    }
    return rest.isEmpty || stated.hasSuffix("*")
  }

  /// Holds a report to what the first lines state.
  ///
  /// - Parameter isGlibcHeap: whether the program's heap is glibc's; blocks of others are not known
  ///   from other memory.
  func expect(_ report: Traced.Report, _ command: Command, isGlibcHeap: Bool = true) {
    let findings = report.findings
    let found = findings.filter { $0.kind == "leak" }.map { finding -> Leak in
      let frame = finding.stacks.allocated.first
      let file = frame?.file.map { URL(filePath: $0).lastPathComponent }
      let place = file.map { "\($0):\(frame?.line ?? 0)" }
      let stated = leaks.first { leak in
        leak.pinned.map { pin in finding.pinned.contains { pin.matches($0) } } ?? false
      }
      // Parameters are compared where they are stated.
      let name = frame?.function ?? "?"
      let plain = String(name.prefix { $0 != "(" })
      return Leak(
        count: finding.count, bytes: finding.bytes,
        function: leaks.lazy.map(\.function).first { stated in
          stated == name || stated.split(separator: "|").contains { $0 == name || $0 == plain }
        } ?? plain,
        place: place ?? URL(filePath: frame?.module ?? "?").lastPathComponent,
        pinned: finding.pinned.isEmpty ? nil : stated?.pinned ?? Place(text: "?"), blame: Blame())
    }
    let shown = "\(name): \(command.output)\(command.errors)"
    #expect(found == leaks, "\(shown)")
    for (leak, finding) in zip(leaks, findings.filter({ $0.kind == "leak" })) {
      #expect(leak.blame.matches(finding), "\(leak) \(finding) \(shown)")
      #expect((finding.source?.leaves ?? []).map(\.line) == leak.leaves, "\(finding) \(shown)")
    }
    var others = findings.filter { $0.kind != "leak" }
    for fault in faults {
      let matching = others.indices.filter { index in
        let finding = others[index]
        return finding.kind == fault.kind
          && (fault.detail == "*" || finding.detail == fault.detail
            || !isGlibcHeap && fault.detail == "heap" && finding.detail == "unknown")
          && fault.detected.matches(finding.stacks.detected)
          && fault.freed.matches(finding.stacks.freed)
          && fault.allocated.matches(finding.stacks.allocated)
      }
      let count = matching.reduce(0) { $0 + others[$1].count }
      #expect(count == fault.count, "\(fault) among \(others) \(shown)")
      #expect(fault.detail == "*" || matching.count == 1, "\(fault) among \(others)")
      for index in matching.reversed() {
        #expect(fault.blame.matches(others[index]), "\(fault) \(others[index])")
        others.remove(at: index)
      }
    }
    #expect(others.isEmpty, "\(others)")
    for (function, stated) in held {
      let rows = findings.filter { finding in
        finding.kind == "leak"
          && finding.stacks.allocated.first?.function.map { $0.prefix { $0 != "(" } } ?? ""
            == function[...]
      }.flatMap(\.heldBy)
      let matches =
        rows.count == stated.count
        && zip(rows, stated).allSatisfy { row, stated in
          stated.split(separator: "|").contains { Self.matches(row, String($0)) }
        }
      #expect(matches, "\(function): \(rows) for \(stated)")
    }
    for finding in findings {
      let sentences = finding.message + " " + (finding.doubt ?? "")
      for text in untruths { #expect(!sentences.contains(text), "\(shown)") }
    }
    if let unseen {
      let found = report.processes.flatMap(\.coverage).map { line in
        let module = line.module.map { URL(filePath: $0).lastPathComponent } ?? "-"
        return "\(module) \(line.reason) \(line.symbol ?? "-")"
      }
      #expect(found == unseen, "\(shown)")
    }
    #expect(report.summary.findings == findings.count)
    #expect(report.summary.leakedBstrs == leaks.reduce(0) { $0 + $1.count })
    #expect(report.damage.isEmpty)
    let expected = status ?? (leaks.isEmpty && faults.isEmpty ? 0 : 23)
    #expect(command.status == expected, "\(shown)")
  }
}
