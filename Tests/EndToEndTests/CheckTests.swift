import Foundation
import TestSupport
import Testing

/// `bstrtrace check` says before a run whose strings it would see.
@Suite(.overAllProducts, .namingProducts) struct CheckTests {
  private func check(_ words: [String], in folder: URL) throws -> Command {
    try Command.run([Built.tool, "check"] + words, in: folder)
  }

  /// Builds a program or library from a C source.
  private func build(_ source: String, _ name: String, _ flags: [String], in folder: URL) throws {
    try source.write(to: folder.appending(path: "\(name).c"), atomically: false, encoding: .utf8)
    try Scenario.compile(
      ["\(name).c", "-o", name, "-L.", "-Wl,-rpath,\(folder.path)"] + flags, in: folder)
  }

  private static let functions = """
    #include <stdlib.h>
    LINKAGE unsigned short *SysAllocString(const unsigned short *t) { return calloc(1, 32) + 8; }
    LINKAGE void SysFreeString(unsigned short *t) { if (t) free((char *)t - 8); }
    """
  private static let uses = """
    unsigned short *SysAllocString(const unsigned short *);
    void SysFreeString(unsigned short *);
    int main(void) { SysFreeString(SysAllocString((unsigned short[]){0})); return 0; }
    """

  @Test func whatIsTracedAndWhatIsNot() throws {
    let folder = try Built.folder("check")
    let library = ["-shared", "-fPIC"]
    try build(Self.functions, "libown.so", library + ["-DLINKAGE="], in: folder)
    try build(Self.uses, "program", ["-lown"], in: folder)
    let hidden = Self.functions + "int use(void) { SysFreeString(SysAllocString(0)); return 0; }\n"
    try build(hidden, "plugin.so", library + ["-DLINKAGE=static", "-O0"], in: folder)
    try build(
      hidden, "bound.so", library + ["-DLINKAGE=", "-Wl,-Bsymbolic"], in: folder)

    let traced = try check(["./program"], in: folder)
    #expect(traced.status == 0)
    #expect(
      traced.output == """
        ./program
           imports SysAllocString, SysFreeString
           Its calls are traced.

        \(folder.path)/libown.so
           exports SysAllocString, SysFreeString
           Calls of its functions are traced, its own among them.

        bstrtrace: 2 of 4 modules use BSTRs; all are traced

        """)

    let plugins = try check(
      ["--with", "./plugin.so", "--with", "./bound.so", "./program"], in: folder)
    #expect(plugins.status == 23)
    #expect(
      plugins.output.hasSuffix(
        """
        ./plugin.so
           contains SysAllocString, SysFreeString
           plugin.so has its own SysAllocString and calls it directly: strings that it allocates so are not seen.
           --inside replaces them, where it can.
           Link it with libbstrtrace-linked in place of its own functions.

        ./bound.so
           exports SysAllocString, SysFreeString
           bound.so is bound to its own SysAllocString: strings that it allocates itself are not seen.
           --inside replaces them, where it can.
           Link it without -Bsymbolic, and compile it without -fno-semantic-interposition and with the functions \
        visible; or link it with libbstrtrace-linked in place of its own functions.

        bstrtrace: 4 of 6 modules use BSTRs; 2 are not traced, or not wholly

        """), "\(plugins.output)")

    // Nothing was run: what check says is what a run says.
    let run = try Traced.run(["./program"], in: folder)
    #expect(run.report.processes.first?.totals.allocations == 1)
    #expect(run.report.processes.first?.coverage.isEmpty == true)
  }

  /// A program that exports the functions has them called by its libraries, too.
  @Test func aHostsPlugInsCallTheHost() throws {
    let folder = try Built.folder("check-host")
    let library = Self.uses.replacing("int main(void)", with: "int use(void)")
    try build(library, "plugin.so", ["-shared", "-fPIC"], in: folder)
    try build(
      Self.functions + "int main(void) { return 0; }\n", "host", ["-DLINKAGE=", "-rdynamic"],
      in: folder)
    let checked = try check(["--with", "./plugin.so", "./host"], in: folder)
    #expect(checked.status == 23)
    #expect(
      checked.output.contains(
        "   Its calls of SysAllocString reach that of ./host, which is not traced.\n"))
    #expect(checked.output.hasSuffix("; 2 are not traced, or not wholly\n"))
  }

  @Test func librariesAreFoundAsTheLoaderFindsThem() throws {
    let folder = try Built.folder("check-found")
    try FileManager.default.createDirectory(
      at: folder.appending(path: "a (b)"), withIntermediateDirectories: true)
    try build(Self.functions, "libown.so", ["-shared", "-fPIC", "-DLINKAGE="], in: folder)
    try build(
      Self.uses.replacing("int main(void)", with: "int use(void)"), "plugin.so",
      ["-shared", "-fPIC", "-lown"], in: folder)
    try build(Self.uses, "program", ["-lown"], in: folder)
    try FileManager.default.moveItem(
      at: folder.appending(path: "libown.so"), to: folder.appending(path: "a (b)/libown.so"))
    // By a relative path; twice, and under two names, it is one.
    let checked = try Command.run(
      [
        Built.tool, "check", "--with", "./plugin.so", "--with", "./a (b)/../plugin.so", "./program",
      ],
      environment: ["LD_LIBRARY_PATH": "a (b)"], in: folder)
    #expect(checked.status == 0, "\(checked.output)")
    #expect(checked.output.contains("\na (b)/libown.so\n"), "\(checked.output)")
    #expect(checked.output.hasSuffix("bstrtrace: 3 of 5 modules use BSTRs; all are traced\n"))
  }

  @Test func aLinkedProgramIsTraced() throws {
    let folder = try Built.folder("check-linked")
    try build(
      Self.uses, "program",
      ["-L\(Built.products.path)", "-lbstrtrace-linked", "-Wl,-rpath,\(Built.products.path)"],
      in: folder)
    let checked = try check(["./program"], in: folder)
    #expect(checked.status == 0)
    #expect(checked.output.contains("   It has the functions of bstrtrace: calls are traced.\n"))
  }

  @Test func charactersThatNamesTell() throws {
    let folder = try Built.folder("check-cxx")
    for (type, bytes) in [("wchar_t", 4), ("char16_t", 2), ("unsigned short", 2)] {
      try Scenario.compile(
        [
          Built.root.appending(path: "Tests/Scenarios/layouts/cxx_functions.cpp").path, "-shared",
          "-fPIC", "-o", "functions.so", "-DOFFSET=8", "-DOLECHAR=\(type)",
        ], in: folder)
      let checked = try check(["--with", "./functions.so", "true"], in: folder)
      #expect(checked.status == 0)
      #expect(checked.output.contains("\n   Its characters have \(bytes) bytes.\n"))
    }
  }

  @Test func nothingIsRun() throws {
    let folder = try Built.folder("check-run")
    try build(
      """
      #include <stdio.h>
      __attribute__((constructor)) static void begin(void) { fclose(fopen("was-run", "w")); }
      int main(void) { return 0; }
      """, "program", [], in: folder)
    try build(
      """
      #include <stdio.h>
      __attribute__((constructor)) static void begin(void) { fclose(fopen("was-run", "w")); }
      """, "plugin.so", ["-shared", "-fPIC"], in: folder)
    #expect(try check(["--with", "./plugin.so", "./program"], in: folder).status == 0)
    #expect(!FileManager.default.fileExists(atPath: folder.appending(path: "was-run").path))
  }

  @Test func aLibraryThatIsMissingIsNamed() throws {
    let folder = try Built.folder("check-missing")
    try build(Self.functions, "libgone.so", ["-shared", "-fPIC", "-DLINKAGE="], in: folder)
    try build(Self.uses, "program", ["-lgone"], in: folder)
    try FileManager.default.removeItem(at: folder.appending(path: "libgone.so"))
    let checked = try check(["./program"], in: folder)
    #expect(checked.status == 2)
    #expect(checked.output.contains("\nThe loader does not find libgone.so.\n"))
    #expect(checked.output.hasSuffix("these are traced; not all could be looked at\n"))
  }

  @Test func aScriptIsItsInterpreters() throws {
    let folder = try Built.folder("check-script")
    let script = folder.appending(path: "script")
    try Script.write("#!/bin/sh\ntrue\n", to: script)
    let checked = try check(["./script"], in: folder)
    #expect(checked.status == 0)
    #expect(
      checked.output.hasPrefix(
        "./script is a script: what it starts is not looked at, only /bin/sh.\n\n/bin/sh\n"))
  }

  @Test func whatCannotBeLookedAtIsSaid() throws {
    let folder = try Built.folder("check-bad")
    try "no library\n".write(
      to: folder.appending(path: "text"), atomically: true, encoding: .utf8)
    try build("int main(void) { return 0; }\n", "fixed", ["-static"], in: folder)
    try build(Self.uses, "object.o", ["-c"], in: folder)
    try build(Self.functions, "whole.so", ["-shared", "-fPIC", "-DLINKAGE="], in: folder)
    try Data(contentsOf: folder.appending(path: "whole.so")).prefix(5000)
      .write(to: folder.appending(path: "short.so"))
    for (words, status, text) in [
      (["no-such-program"], 127, "'no-such-program' was not found in PATH"),
      (["./text"], 126, "it is not executable"),
      (["./fixed"], 126, "it is statically linked"),
      (["--with", "./text", "true"], 2, "cannot look at './text': it is no 64-bit ELF file"),
      (["--with", "./short.so", "true"], 2, "cannot look at './short.so': signal "),
      (["--with", "./none.so", "true"], 2, "cannot look at './none.so': No such file"),
      (["--with", "./object.o", "true"], 2, "cannot look at './object.o': the loader says"),
      (["--with", "/", "true"], 2, "cannot look at '/'"),
      ([], 64, "Missing expected argument '<program>'"),
    ] as [([String], Int32, String)] {
      let checked = try check(words, in: folder)
      #expect(checked.status == status, "\(words)")
      #expect(checked.errors.contains(text), "\(words): \(checked.errors)")
    }
  }
}
