import Foundation
import Testing

/// A report says whose strings it has not seen.
@Suite struct CoverageTests {
  /// Functions of its own in a module, which it calls directly.
  private static let ownFunctions = """
    #include <stdlib.h>
    #include <string.h>
    #include "bstr.h"
    LINKAGE BSTR PREFIX(SysAllocStringLen)(const OLECHAR *text, UINT count) {
      char *block = (char *)calloc(1, BSTR_PAYLOAD_OFFSET + (count + 1) * sizeof(OLECHAR));
      unsigned bytes = count * sizeof(OLECHAR);
      memcpy(block + BSTR_PAYLOAD_OFFSET - 4, &bytes, 4);
      if (text) memcpy(block + BSTR_PAYLOAD_OFFSET, text, bytes);
      return (BSTR)(block + BSTR_PAYLOAD_OFFSET);
    }
    LINKAGE void PREFIX(SysFreeString)(BSTR text) {
      if (text) free((char *)text - BSTR_PAYLOAD_OFFSET);
    }

    """

  /// Builds a library that imports the functions, and runs a program that uses it.
  ///
  /// - Parameters:
  ///   - main: the program's source.
  ///   - library: the source of a library that it is linked with, besides the one with the functions.
  private func run(
    _ name: String, main: String, flags: [String] = [], library: String? = nil,
    libraryFlags: [String] = [], isCpp: Bool = false
  ) throws -> (text: Command, report: Traced.Report) {
    let folder = try Built.folder("coverage-\(name)")
    let support = Built.root.appending(path: "Tests/Scenarios/support")
    let common = ["-g", "-I\(Built.headers)", "-I\(support.path)"]
    try Scenario.compile(
      [support.appending(path: "plain_bstr.c").path, "-shared", "-fPIC", "-o", "libplain.so"]
        + common, in: folder)
    var libraries = ["-L.", "-Wl,-rpath,\(folder.path)", "-lplain"]
    let ending = isCpp ? "cpp" : "c"
    if let library {
      try library.write(
        to: folder.appending(path: "library.\(ending)"), atomically: false, encoding: .utf8)
      try Scenario.compile(
        ["library.\(ending)", "-shared", "-fPIC", "-o", "libused.so"] + common + libraries
          + libraryFlags, in: folder)
      libraries.insert("-lused", at: 0)
    }
    try main.write(to: folder.appending(path: "main.\(ending)"), atomically: false, encoding: .utf8)
    try Scenario.compile(
      ["main.\(ending)", "-o", "program"] + common + flags + libraries, in: folder)
    let program = folder.appending(path: "program").path
    let text = try Command.run([Built.tool, "run", "--", program], in: folder)
    return (text, try Traced.run([program], in: folder).report)
  }

  private static let usesLibrary = """
    #include "bstr.h"
    BSTR make(void);
    int main(void) { SysFreeString(make()); return 0; }
    """
  private static let make = """
    #include "bstr.h"
    BSTR make(void) { return SysAllocString(u"made"); }
    """

  @Test func aProgramWithACopyInside() throws {
    let main =
      "#define LINKAGE static\n#define PREFIX(name) name\n#define SysAllocStringLen otherAllocLen\n"
      + "#define SysFreeString otherFree\n#include \"bstr.h\"\n#undef SysAllocStringLen\n"
      + "#undef SysFreeString\n" + Self.ownFunctions + """
        BSTR make(void);
        void finish(BSTR);
        int main(void) {
          finish(make());
          SysFreeString(SysAllocStringLen(0, 3));
          return 0;
        }
        """
    let (text, report) = try run(
      "inside", main: main,
      library: Self.make + "void finish(BSTR text) { SysFreeString(text); }\n")
    let coverage = try #require(report.processes.first?.coverage)
    #expect(coverage.map(\.reason) == ["own-copy"])
    #expect(coverage.first?.module?.hasSuffix("/program") == true)
    #expect(report.processes.first?.totals.allocations == 1)
    #expect(
      text.errors.contains(
        "note: program has its own SysAllocStringLen and calls it directly: strings that it allocates so are "
          + "not seen."), "\(text.errors)")
    #expect(text.errors.contains("no findings in 1 allocation"))
    #expect(text.status == 0)
  }

  @Test func aProgramThatExportsThem() throws {
    let main =
      "#define LINKAGE\n#define PREFIX(name) name\n" + Self.ownFunctions
      + "int main(void) { SysFreeString(SysAllocStringLen(0, 3)); return 0; }\n"
    let (text, report) = try run("exported", main: main, flags: ["-rdynamic"])
    #expect(report.processes.first?.coverage.map(\.reason) == ["exported-by-program"])
    #expect(text.errors.contains("program defines SysAllocStringLen itself"), "\(text.errors)")
    #expect(text.errors.contains("BSTRTRACE_OPTIONS=olechar=4:payload-offset=4"))
  }

  @Test func aLibraryThatExportsThemIsSeen() throws {
    let library =
      "#define LINKAGE\n#define PREFIX(name) name\n" + Self.ownFunctions
      + "BSTR make(void) { return SysAllocStringLen(u\"made\", 4); }\n"
    let (_, report) = try run("seen", main: Self.usesLibrary, library: library)
    #expect(report.processes.first?.coverage.map(\.reason) == [])
    #expect(report.processes.first?.totals.allocations == 1)
  }

  @Test(arguments: [
    ("-Wl,-Bsymbolic", "bound-to-itself"), ("-fvisibility=protected", "bound-to-itself"),
  ])
  func aLibraryThatIsBoundToItsOwn(flag: String, reason: String) throws {
    let library =
      "#define LINKAGE\n#define PREFIX(name) name\n" + Self.ownFunctions
      + "__attribute__((visibility(\"default\"))) BSTR make(void) "
      + "{ BSTR other = SysAllocStringLen(0, 1); SysFreeString(other); return SysAllocStringLen(0, 4); }\n"
    // It is named where one of its frames is on a recorded stack.
    let main = """
      #include "bstr.h"
      BSTR make(void);
      void call(void (*)(void));
      static void allocate(void) { SysFreeString(SysAllocString(u"seen")); }
      int main(void) { call(allocate); return make() == 0; }
      """
    let (_, report) = try run(
      "bound\(reason)\(flag.count)", main: main,
      library: library
        + "__attribute__((visibility(\"default\"))) void call(void (*run)(void)) { run(); }\n",
      libraryFlags: [flag])
    let coverage = try #require(report.processes.first?.coverage)
    #expect(coverage.first { $0.module?.hasSuffix("/libused.so") == true }?.reason == reason)
  }

  @Test func cppNamesAreNamed() throws {
    let declared = """
      typedef char16_t *BSTR;
      BSTR SysAllocString(const char16_t *);
      void SysFreeString(BSTR);

      """
    let library = """
      #include <stdlib.h>
      typedef char16_t *BSTR;
      BSTR SysAllocString(const char16_t *) { return (BSTR)calloc(1, 100) + 4; }
      void SysFreeString(BSTR text) { free(text - 4); }
      """
    let (text, report) = try run(
      "mangled", main: declared + "int main() { SysFreeString(SysAllocString(u\"x\")); }\n",
      library: library, isCpp: true)
    #expect(report.processes.first?.coverage.map(\.reason) == ["mangled-names"])
    #expect(
      text.errors.contains(
        "program imports SysAllocString under its C++ name _Z14SysAllocStringPKDs, which is not traced"
      ),
      "\(text.errors)")
    #expect(!text.errors.contains("cannot be intercepted"))
  }

  @Test func stringsOfAnotherCopyThatAreFreed() throws {
    let main =
      "#define LINKAGE static\n#define PREFIX(name) engine_##name\n" + Self.ownFunctions + """
        int main(void) {
          SysFreeString(SysAllocString(u"seen"));
          for (int i = 0; i < 4; i++) {
            BSTR text = engine_SysAllocStringLen(u"of the engine", 13);
            if (i % 2) SysFreeString(text);
            else if (i) engine_SysFreeString(text);
          }
          return 0;
        }
        """
    let (text, report) = try run("foreign", main: main)
    #expect(report.processes.first?.coverage.map(\.reason) == ["foreign-frees"])
    #expect(report.processes.first?.coverage.first?.module == nil)
    #expect(
      text.errors.contains(
        "note: 2 BSTRs were freed that another copy of the functions had allocated: what that copy leaks is "
          + "not seen."), "\(text.errors)")
  }

  @Test func aStrippedProgramMayHaveACopy() throws {
    let (text, _) = try run("stripped", main: "int main(void) { return 0; }\n", flags: ["-s"])
    #expect(text.errors.contains("if they had not been stripped"), "\(text.errors)")
    let (whole, _) = try run("whole", main: "int main(void) { return 0; }\n")
    #expect(whole.errors.contains("and has none inside"), "\(whole.errors)")
  }
}
