import Foundation
import Testing

/// One fault is one finding, and is recognised in other builds.
@Suite(.overAllProducts, .namingProducts) struct MergingTests {
  private static let callers = 50

  /// A program with one forgotten free in a setter that is called in fifty lines, and one in
  /// another function.
  ///
  /// - Parameter moved: lines that are added above.
  private static func source(moved: Int = 0) -> String {
    String(repeating: "// A line.\n", count: moved) + """
      #include "bstr.h"
      struct Status {
        unsigned length = 0;
        static inline __attribute__((always_inline)) BSTR make(const OLECHAR *text) {
          return SysAllocString(text);
        }
        __attribute__((noinline)) void set(const OLECHAR *text) {
          BSTR made = make(text);
          length = SysStringLen(made);
          if (length == 3) return;
          SysFreeString(made);
        }
        __attribute__((noinline)) void clear() {
          BSTR made = make(u"");
          length = SysStringLen(made);
          if (length > 0) SysFreeString(made);
        }
      };
      int main() {
        Status status;
        status.set(u"four");

      """ + String(repeating: "  status.set(u\"abc\");\n", count: callers) + """
          status.clear();
          return 0;
        }
        """
  }

  private static func build(_ name: String, moved: Int = 0, flags: [String]) throws -> URL {
    let folder = try Built.folder("merging-\(name)")
    let file = folder.appending(path: "status.cpp")
    try source(moved: moved).write(to: file, atomically: true, encoding: .utf8)
    try Scenario.compile(
      [
        file.path, "-g", "-I\(Built.headers)", "-o", "status", "-L\(Built.products.path)",
        "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
      ] + flags, in: folder)
    return folder
  }

  private static func run(_ folder: URL, _ flags: [String] = []) throws -> Traced {
    try Traced.run([folder.appending(path: "status").path], flags: flags, in: folder)
  }

  @Test func aForgottenFreeIsOneFindingWhereverItIsCalled() throws {
    let folder = try Self.build("callers", flags: [])
    let report = try Self.run(folder).report
    #expect(report.merged.map(\.count) == [Self.callers, 1])
    #expect(report.merged.map(\.places) == [Self.callers, 1])
    #expect(report.merged.first?.source?.leaves.map(\.line) == [10])
    let text = try Command.run(
      [Built.tool, "run", "--print-suppressions", "--", "./status"], in: folder)
    #expect(text.errors.contains("… and from \(Self.callers - 1) more places\n"))
    #expect(text.errors.components(separatedBy: "reason=?").count == 2)
    // Rules and baselines go by stacks.
    #expect(report.findings.count == Self.callers + 1)
    #expect(report.findings.allSatisfy { $0.places == 1 && $0.count == 1 })
    #expect(Set(report.findings.map(\.key)) == Set(report.merged.map(\.key)))
    let stacks = try Command.run(
      [Built.tool, "run", "--group-by", "stack", "--", "./status"], in: folder)
    #expect(stacks.errors.hasSuffix(": \(Self.callers + 1) leaks (51 BSTRs, 300 bytes)\n"))
  }

  /// A fault of five processes is one finding, with what all of them lost.
  @Test func whatSeveralProcessesHaveIsOneFinding() throws {
    let folder = try Self.build("processes", flags: [])
    let script = "for i in 1 2 3 4 5; do ./status; done"
    let traced = try Traced.run(["sh", "-c", script], in: folder)
    #expect(traced.report.findings.count == 5 * (Self.callers + 1))
    #expect(traced.report.findings.allSatisfy { $0.processes == 1 })
    #expect(traced.report.merged.map(\.count) == [5 * Self.callers, 5])
    #expect(traced.report.merged.map(\.processes) == [5, 5])
    #expect(traced.report.merged.map(\.bytes) == [5 * Self.callers * 6, 0])
    func text(_ flags: [String]) throws -> String {
      try Command.run([Built.tool, "run"] + flags + ["--", "sh", "-c", script], in: folder).errors
    }
    let merged = try text([])
    #expect(merged.components(separatedBy: "processes        5, of which").count == 3, "\(merged)")
    #expect(merged.contains("1. LEAK  250 BSTRs, 1500 bytes"))
    #expect(merged.hasSuffix("2 findings: 2 leaks (255 BSTRs, 1500 bytes)\n"))
    let each = try text(["--per-process"])
    #expect(each.components(separatedBy: "1. LEAK  50 BSTRs, 300 bytes").count == 6)
  }

  /// Lines, inlining and the symbolizer change nothing of what baselines and code scanning go by.
  @Test func theKeyIsTheSameInOtherBuilds() throws {
    var keys: [[[String]]] = []
    for (name, moved, flags) in [("one", 0, ["-O1"]), ("two", 3, ["-O1"]), ("three", 0, ["-O2"])] {
      let folder = try Self.build(name, moved: moved, flags: flags)
      for names in ["auto", "runtime"] {
        let report = try Self.run(folder, ["--symbolizer", names]).report
        keys.append(report.merged.map(\.key))
      }
    }
    #expect(Set(keys) == [[["Status::set"], ["Status::clear"]]])
  }
}
