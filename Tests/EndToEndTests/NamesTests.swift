import Foundation
import TestSupport
import Testing

/// Functions and lines of modules that are not simply a file with its debug information in it.
@Suite struct NamesTests {
  /// A library with one function that makes a string, behind the links that its SONAME asks for.
  private static let library = """
    #include "bstr.h"
    BSTR get_name(void);
    BSTR get_name(void) {
      return SysAllocString(u"name");
    }
    """

  /// A program that frees one of what the library makes and forgets another.
  private static let program = """
    #include "bstr.h"
    BSTR get_name(void);
    static __attribute__((noinline)) void keep(void) {
      SysFreeString(get_name());
    }
    static __attribute__((noinline)) int forget(void) {
      return get_name() != 0;
    }
    int main(void) {
      keep();
      return !forget();
    }
    """

  /// Builds the program, in whose folder the library lies as /usr/lib has it.
  private static func build(
    _ name: String, libraryFlags: [String] = ["-g"], then: (URL) throws -> Void = { _ in }
  ) throws -> URL {
    let folder = try Built.folder("names-\(name)")
    try library.write(to: folder.appending(path: "get.c"), atomically: true, encoding: .utf8)
    try program.write(to: folder.appending(path: "app.c"), atomically: true, encoding: .utf8)
    let plain = Built.root.appending(path: "Tests/Scenarios/support/plain_bstr.c").path
    let headers = ["-I\(Built.headers)", "-O1", "-fPIC"]
    let here = ["-L.", "-Wl,-rpath,\(folder.path)"]
    try Scenario.compile(
      [plain, "-shared", "-o", "libplain.so", "-g"] + headers, in: folder)
    try Scenario.compile(
      ["get.c", "-shared", "-Wl,-soname,libget.so.1", "-o", "libget.so.1.0"] + headers + here
        + ["-lplain"] + libraryFlags, in: folder)
    try then(folder.appending(path: "libget.so.1.0"))
    for (link, file) in [("libget.so.1", "libget.so.1.0"), ("libget.so", "libget.so.1")] {
      try FileManager.default.createSymbolicLink(
        atPath: folder.appending(path: link).path, withDestinationPath: file)
    }
    try Scenario.compile(
      ["app.c", "-o", "app", "-g"] + headers + here + ["-lget", "-lplain"], in: folder)
    return folder
  }

  private static func tool(_ words: [String], in folder: URL) throws {
    let command = try Command.run(words, in: folder)
    if command.status != 0 { throw PreparationFailure(description: command.errors) }
  }

  private func run(
    _ folder: URL, _ flags: [String] = [], environment: [String: String] = [:]
  ) throws -> Traced {
    try Traced.run(
      [folder.appending(path: "app").path], flags: flags, environment: environment, in: folder)
  }

  /// The first frame of the only finding: the library's function.
  private func frame(_ traced: Traced) throws -> Traced.Report.Frame {
    let finding = try #require(traced.report.findings.first)
    #expect(traced.report.findings.count == 1)
    #expect(finding.count == 1)
    return try #require(finding.stacks.allocated.first)
  }

  private static let symbolizers = [[], ["--symbolizer", "runtime"]]

  @Test(arguments: symbolizers) func aLibraryBehindItsSONAMEHasNames(_ flags: [String]) throws {
    let folder = try Self.build("soname\(flags.count)")
    let traced = try run(folder, flags)
    let frame = try frame(traced)
    #expect(frame.function == "get_name")
    #expect(frame.line == 4)
    #expect(frame.module.hasSuffix("/libget.so.1"))
    let message = traced.report.findings.first?.message ?? ""
    #expect(message.hasPrefix("Nobody freed what get_name returned; forget "), "\(message)")
    #expect(traced.report.symbolizer == (flags.isEmpty ? "llvm-symbolizer" : "runtime"))
  }

  @Test(arguments: symbolizers) func rulesAndMapsKnowFunctionsBehindASONAME(
    _ flags: [String]
  ) throws {
    let folder = try Self.build("soname-rules\(flags.count)")
    let rules = folder.appending(path: "rules.txt")
    try "leak:^get_name$\n".write(to: rules, atomically: true, encoding: .utf8)
    let silent = try run(folder, ["--suppressions", rules.path] + flags)
    #expect(silent.command.status == 0)
    #expect(silent.report.findings.isEmpty)
    let map = try Command.run(
      [Built.tool, "run", "--map"] + flags + ["--", folder.appending(path: "app").path], in: folder)
    #expect(map.errors.contains("get_name in libget.so.1"), "\(map.errors)")
  }

  /// A store from another machine: its modules are not where they were.
  ///
  /// Under `--debug-path` they are, or their debug files, with whatever names; another build is
  /// none of them.
  @Test(arguments: symbolizers) func modulesAreFoundByBuildID(_ flags: [String]) throws {
    let folder = try Self.build("elsewhere\(flags.count)")
    func path(_ name: String) -> String { folder.appending(path: name).path }
    _ = try Command.run(
      [Built.tool, "run", "--output", "kept.store", "--", path("app")], in: folder)
    func report(_ more: [String]) throws -> Traced.Report.Frame {
      let command = try Command.run(
        [Built.tool, "report", "--format", "json", "--output", "-"] + flags + more
          + ["kept.store"], in: folder)
      #expect(command.errors == "")
      let report = try Traced.Report(Data(command.output.utf8))
      return try #require(report.findings.first?.stacks.allocated.first)
    }
    #expect(try report([]).line == 4)
    let files = FileManager.default
    for name in ["symbols/deep", "tree/.build-id", "other"] {
      try files.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }
    let library = path("libget.so.1.0")
    let buildID = try #require(try report([]).buildId)
    try Self.tool(
      ["objcopy", "--only-keep-debug", library, path("tree/libget.debug")], in: folder)
    try files.createDirectory(
      atPath: path("tree/.build-id/\(buildID.prefix(2))"), withIntermediateDirectories: true)
    try files.moveItem(
      atPath: path("tree/libget.debug"),
      toPath: path("tree/.build-id/\(buildID.prefix(2))/\(buildID.dropFirst(2)).debug"))
    try files.moveItem(atPath: library, toPath: path("symbols/deep/renamed"))
    try files.copyItem(atPath: path("libplain.so"), toPath: path("other/libget.so.1"))
    #expect(try report([]).function == nil)
    #expect(try report(["--debug-path", path("other")]).function == nil)
    let found = try report(["--debug-path", path("other"), "--debug-path", path("symbols")])
    #expect(found.function == "get_name" && found.line == 4)
    #expect(found.module.hasSuffix("/libget.so.1") && found.buildId == buildID)
    // A debug file has no code, which the run-time wants.
    if flags.isEmpty { #expect(try report(["--debug-path", path("tree")]).line == 4) }
    let wrong = try Command.run(
      [Built.tool, "report", "--debug-path", path("nowhere"), "kept.store"], in: folder)
    #expect(wrong.status == 64)
    #expect(
      wrong.errors.hasPrefix(
        "Error: --debug-path '\(path("nowhere"))': No such file or directory."))
  }

  @Test func bothNameAlikeInBaselinesRulesAndTexts() throws {
    let folder = try Self.build("alike")
    var texts: [String] = []
    var baselines: [String] = []
    for flags in Self.symbolizers {
      let baseline = folder.appending(path: "baseline\(flags.count).json")
      let written = try run(
        folder, ["--baseline", baseline.path, "--update-baseline"] + flags)
      #expect(written.report.findings.isEmpty)
      baselines.append(try String(contentsOf: baseline, encoding: .utf8))
      let text = try Command.run(
        [Built.tool, "run", "--print-suppressions"] + flags + ["--", "./app"], in: folder)
      texts.append(
        text.errors.split(separator: "\n").filter { !$0.contains("(pid ") }.joined(separator: "\n"))
    }
    #expect(baselines[0].contains("get_name"))
    #expect(baselines[0] == baselines[1])
    #expect(texts[0].contains("leak:get_name"))
    #expect(texts[0] == texts[1])
  }

  /// Methods that are called through a second base, inlined into what adjusts `this`.
  @Test(arguments: symbolizers) func aThunkIsTheMethod(_ flags: [String]) throws {
    let folder = try Built.folder("names-thunk\(flags.count)")
    let source = """
      #include "bstr.h"
      struct One { virtual BSTR one() = 0; long x = 0; };
      struct Two { virtual BSTR two() = 0; unsigned y = 3; };
      struct Both : One, Two {
        BSTR one() override;
        BSTR two() override;
      };
      BSTR Both::one() { return nullptr; }
      BSTR Both::two() {
        BSTR made = SysAllocStringLen(nullptr, y);
        made[0] = u'!';
        return made;
      }
      int main() {
        Both both;
        Two *volatile other = &both;
        return other->two() == nullptr;
      }
      """
    try source.write(
      to: folder.appending(path: "thunk.cpp"), atomically: true, encoding: .utf8)
    try Scenario.compile(
      [
        "thunk.cpp", "-O2", "-g", "-o", "program", "-I\(Built.headers)",
        "-L\(Built.products.path)", "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
      ], in: folder)
    let program = folder.appending(path: "program").path
    let names = try Command.run(["nm", "-C", program])
    #expect(names.output.contains("non-virtual thunk to Both::two()"), "the case is there")
    let traced = try Traced.run([program], flags: flags, in: folder)
    let finding = try #require(traced.report.findings.first)
    #expect(finding.stacks.allocated.map(\.function).prefix(2) == ["Both::two()", "main"])
    #expect(finding.suppression == "leak:Both::two")
  }

  @Test func debugInformationBesideTheObjectGivesLines() throws {
    let folder = try Self.build("split", libraryFlags: ["-g", "-gsplit-dwarf"])
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(files.contains { $0.hasSuffix(".dwo") })
    #expect(try frame(run(folder)).line == 4)
    // The runtime does not read it: the function alone.
    let runtime = try frame(run(folder, ["--symbolizer", "runtime"]))
    #expect(runtime.function == "get_name")
  }

  @Test func aSeparateDebugFileGivesLines() throws {
    let folder = try Self.build("debuglink") { library in
      let folder = library.deletingLastPathComponent()
      try Self.tool(
        ["objcopy", "--only-keep-debug", library.path, "get.debug"], in: folder)
      try Self.tool(
        [
          "objcopy", "--strip-debug", "--strip-unneeded", "--add-gnu-debuglink=get.debug",
          library.path,
        ], in: folder)
    }
    #expect(try frame(run(folder)).function == "get_name")
    #expect(try frame(run(folder)).line == 4)
    try FileManager.default.removeItem(at: folder.appending(path: "get.debug"))
    let without = try frame(run(folder))
    #expect(without.function == "get_name")
    #expect(without.line == nil)
  }

  @Test func whatDebuginfodHasFetchedGivesLines() throws {
    let folder = try Self.build("debuginfod", libraryFlags: ["-g", "-Wl,--build-id"]) { library in
      let folder = library.deletingLastPathComponent()
      try Self.tool(["objcopy", "--only-keep-debug", library.path, "debuginfo"], in: folder)
      try Self.tool(["strip", library.path], in: folder)
    }
    #expect(try frame(run(folder)).line == nil)
    let notes = try Command.run(["readelf", "-n", "libget.so.1.0"], in: folder).output
    let buildID = try #require(
      notes.split(separator: "\n").first { $0.contains("Build ID: ") }?.split(separator: " ").last)
    let cache = folder.appending(path: "cache/\(buildID)")
    try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
    try FileManager.default.moveItem(
      at: folder.appending(path: "debuginfo"), to: cache.appending(path: "debuginfo"))
    let environment = ["DEBUGINFOD_CACHE_PATH": folder.appending(path: "cache").path]
    #expect(try frame(run(folder, environment: environment)).line == 4)
    // Of another build it names nothing.
    let other = folder.appending(path: "cache/\(String(repeating: "0", count: 40))")
    try FileManager.default.moveItem(at: cache, to: other)
    #expect(try frame(run(folder, environment: environment)).line == nil)
  }

  /// A function of which GCC inlines several parts, apart from one another.
  @Test func inlinedFunctionsOfSeveralRangesAreSeen() throws {
    let folder = try Built.folder("names-ranges")
    let source = """
      #include "bstr.h"
      #include <stdlib.h>
      static inline __attribute__((always_inline)) BSTR choose(int which) {
        if (__builtin_expect(which > 5, 0)) {
          BSTR made = SysAllocString(u"rare");
          if (!made) abort();
          return made;
        }
        return SysAllocString(u"usual");
      }
      __attribute__((noinline)) int leak(int which) {
        return choose(which) != NULL;
      }
      int main(int count, char **arguments) {
        (void)arguments;
        return !(leak(count) + leak(count + 9));
      }
      """
    try source.write(to: folder.appending(path: "ranges.c"), atomically: true, encoding: .utf8)
    try Scenario.compile(
      [
        "ranges.c", "-O2", "-g", "-o", "program", "-I\(Built.headers)",
        "-L\(Built.products.path)", "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
      ], in: folder)
    let traced = try Traced.run([folder.appending(path: "program").path], in: folder)
    #expect(traced.report.findings.count == 2)
    for finding in traced.report.findings {
      #expect(
        finding.stacks.allocated.prefix(3).map(\.function) == ["choose", "leak", "main"],
        "\(finding)")
    }
  }

  @Test func aSymbolizerThatFailsIsSaidAndReplaced() throws {
    let folder = try Self.build("failing")
    let script = folder.appending(path: "broken-symbolizer")
    try Script.write("#!/bin/sh\nexit 3\n", to: script)
    let traced = try run(folder, ["--symbolizer", script.path])
    #expect(try frame(traced).function == "get_name")
    #expect(try frame(traced).line == 4)
    #expect(traced.report.symbolizer == "runtime")
    #expect(
      traced.command.errors
        == "bstrtrace: '\(script.path)' ended before it had answered: names come from the Swift "
        + "runtime instead\n")
  }

  @Test(arguments: ["llvm", "/no/such/llvm-symbolizer"])
  func aSymbolizerThatIsNoneIsWrongUsage(_ value: String) throws {
    let command = try Command.run([Built.tool, "run", "--symbolizer", value, "--", "true"])
    #expect(command.status == 64)
    #expect(command.errors.contains("'\(value)'"))
  }

  @Test(.needs(.sevenZip)) func aRunWithoutFindingsStartsNoSymbolizer() throws {
    let folder = try Self.build("unasked")
    let script = folder.appending(path: "symbolizer")
    try Script.write("#!/bin/sh\ntouch '\(folder.path)/started'\n", to: script)
    let rule = ["--symbolizer", script.path]
    let traced = try Traced.run(["7z", "i"], flags: rule, in: folder)
    #expect(traced.report.findings.isEmpty)
    #expect(traced.report.symbolizer == nil)
    let marker = folder.appending(path: "started").path
    #expect(!FileManager.default.fileExists(atPath: marker))
    _ = try run(folder, rule)
    #expect(FileManager.default.fileExists(atPath: marker), "the marker is one")
  }

  /// A program that does what a just-in-time compiler does: makes code, calls through it, and says
  /// where it is.
  @Test func codeThatWasMadeAtRunTimeIsNamedByItsMap() throws {
    let folder = try Built.folder("names-jit")
    let source = """
      #include "bstr.h"
      #include <stdio.h>
      #include <string.h>
      #include <sys/mman.h>
      #include <unistd.h>
      /* push %rbp; mov %rsp,%rbp; call *%rdi; pop %rbp; ret */
      static const unsigned char code[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
      static __attribute__((noinline)) BSTR make(void) { return SysAllocString(u"made"); }
      int main(void) {
        void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memcpy(page, code, sizeof code);
        mprotect(page, 4096, PROT_READ | PROT_EXEC);
        char name[64];
        snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
        FILE *map = fopen(name, "wx");
        if (!map) return 3;
        fprintf(map, "%lx %zx void [app] App::Leak()[Tier0]\\n", (unsigned long)page, sizeof code);
        fclose(map);
        return ((BSTR(*)(BSTR(*)(void)))page)(make) == NULL;
      }
      """
    try source.write(to: folder.appending(path: "jit.c"), atomically: true, encoding: .utf8)
    try Scenario.compile(
      [
        "jit.c", "-O0", "-g", "-fno-omit-frame-pointer", "-o", "program", "-I\(Built.headers)",
        "-L\(Built.products.path)", "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
      ], in: folder)
    let store = folder.appending(path: "kept.store").path
    let traced = try Traced.run(
      [folder.appending(path: "program").path], flags: ["--keep-store", store], in: folder)
    let process = try #require(traced.report.processes.first)
    let map = "/tmp/perf-\(process.pid).map"
    defer { try? FileManager.default.removeItem(atPath: map) }
    let frames = try #require(traced.report.findings.first?.stacks.allocated)
    #expect(
      frames.prefix(2).map(\.function) == ["make", "App::Leak()"], "\(traced.command.errors)")
    func report() throws -> String {
      try Command.run([Built.tool, "report", store], in: folder).errors
    }
    let line = try report().split(separator: "\n").first { $0.contains("App::Leak()") }
    #expect(line?.hasSuffix("   run-time code") == true, "\(line ?? "-")")
    // What a later process of the same number has written is not this one's.
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: 60)], ofItemAtPath: map)
    #expect(try !report().contains("App::Leak()"))
  }
}
