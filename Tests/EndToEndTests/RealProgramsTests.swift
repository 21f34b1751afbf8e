import Foundation
import Testing

/// Shapes of real programs that one source file does not make: libraries behind links, and several
/// copies of the tracker.
@Suite(.overAllProducts, .namingProducts) struct RealProgramsTests {
  private func write(_ text: String, _ name: String, in folder: URL) throws {
    try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
  }

  private static var linked: [String] {
    [
      "-I\(Built.headers)", "-L\(Built.products.path)", "-Wl,-rpath,\(Built.products.path)",
      "-lbstrtrace-linked",
    ]
  }

  /// As all of /usr/lib is: `libplug.so.1` is a link to `libplug.so.1.0`.
  @Test func aLibraryBehindALinkHasItsNames() throws {
    let folder = try Built.folder("behind-a-link")
    try write(
      """
      #include "bstr.h"
      BSTR get_name(void) { return SysAllocString(u"a name"); }
      """, "plug.c", in: folder)
    try write(
      """
      #include "bstr.h"
      BSTR get_name(void);
      int main(void) { SysFreeString(get_name()); return get_name() == 0; }
      """, "program.c", in: folder)
    try Scenario.compile(
      [
        "plug.c", "-g", "-O1", "-fPIC", "-shared", "-Wl,-soname,libplug.so.1", "-o",
        "libplug.so.1.0",
      ] + Self.linked, in: folder)
    for (name, target) in [("libplug.so.1", "libplug.so.1.0"), ("libplug.so", "libplug.so.1")] {
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: name).path, withDestinationPath: target)
    }
    try Scenario.compile(
      ["program.c", "-g", "-o", "program", "-L.", "-lplug", "-Wl,-rpath,\(folder.path)"]
        + Self.linked, in: folder)
    let traced = try Traced.run(["./program"], in: folder)
    let frame = try #require(traced.report.findings.first?.stacks.allocated.first)
    #expect(frame.function == "get_name")
    #expect(frame.line == 2)
  }

  /// A program that takes the functions of a linked copy by `dlsym`, as Mono does, and frees
  /// crosswise: with another copy preloaded, linked with it, or neither.
  @Test(arguments: [true, false]) func twoCopiesRecordEachStringOnce(isPreloaded: Bool) throws {
    let folder = try Built.folder("two-copies-\(isPreloaded)")
    let library = Built.products.appending(path: "libbstrtrace-linked.so").path
    try write(
      """
      #include <dlfcn.h>
      #include "bstr.h"
      static BSTR leaked(BSTR (*make)(const OLECHAR *)) { return make(u"leaked there"); }
      int main(void) {
        void *library = dlopen("\(library)", RTLD_NOW);
        if (!library) return 1;
        BSTR (*make)(const OLECHAR *) = (BSTR (*)(const OLECHAR *))dlsym(library, "SysAllocString");
        void (*release)(BSTR) = (void (*)(BSTR))dlsym(library, "SysFreeString");
        BSTR a = SysAllocString(u"made here"), b = make(u"made there");
        release(a);
        SysFreeString(b);
        return leaked(make) == 0;
      }
      """, "two.c", in: folder)
    try Scenario.compile(["two.c", "-g", "-o", "two", "-ldl"] + Self.linked, in: folder)
    let report: Traced.Report
    if isPreloaded {
      report = try Traced.run(["./two"], in: folder).report
    } else {
      let file = folder.appending(path: "report.json")
      _ = try Command.run(
        ["./two"], environment: ["BSTRTRACE_OPTIONS": "format=json:output=\(file.path)"],
        in: folder)
      report = try Traced.Report(Data(contentsOf: file))
    }
    #expect(report.processes.count == 1)
    #expect(report.findings.map(\.kind) == ["leak"], "\(report.findings)")
    #expect(report.findings.first?.count == 1)
    #expect(report.findings.first?.stacks.allocated.first?.function == "leaked")
    #expect(report.findings.first?.bytes == 24)
  }

  /// Where the second of two strings cannot be made, the first stays behind; and nowhere else.
  @Test(arguments: [false, true]) func aSweepFindsWhatTheErrorPathForgets(isTwin: Bool) throws {
    let scenario = try #require(
      Scenario.all.first {
        $0.file.lastPathComponent == "two_are_needed.cpp" && $0.mode == .preloaded
          && $0.isTwin == isTwin
      })
    let (program, folder) = try scenario.build(in: "two-are-needed-sweep-\(isTwin)")
    let sweep = try Command.run([Built.tool, "sweep", "--", program.path], in: folder)
    #expect(sweep.status == (isTwin ? 0 : 23), "\(sweep.errors)")
    #expect(sweep.errors.contains("FAILED ALLOCATION 2,") == !isTwin, "\(sweep.errors)")
    #expect(sweep.errors.contains("LEAK  1 BSTR, 4 bytes") == !isTwin, "\(sweep.errors)")
    #expect(!sweep.errors.contains("FAILED ALLOCATION 1,"))
  }
}

/// The search of reports for the tracker itself finds what it is for.
@Suite struct TrackersFramesTests {
  @Test func findsTheTrackerWhereverItIsNamed() throws {
    let json = """
      {"processes": [{"findings": [
        {"stacks": {"freed": [{"function": "free", "module": "/x/libbstrtrace-preload.so"}],
          "allocated": [{"function": "bstrtrace_hand_over", "module": "/x/program"}]},
         "owner": {"function": null, "module": "/x/libbstrtrace-linked.so"},
         "suppression": "leak:libbstrtrace-linked.so+0x10"}],
        "map": {"modules": [{"producer": {"function": null, "module": "libbstrtrace-preload.so"}}]}}]}
      """
    let value = try JSONSerialization.jsonObject(with: Data(json.utf8))
    let found = Traced.Report.trackersFrames(in: value, at: "").map(\.path)
    #expect(
      found.sorted() == [
        "processes[0].findings[0].owner", "processes[0].findings[0].stacks.freed[0]",
        "processes[0].findings[0].suppression", "processes[0].map.modules[0].producer",
      ])
  }
}
