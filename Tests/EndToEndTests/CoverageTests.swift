import Foundation
import Testing
import TraceStore

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
  ///   - library: the source of a library that it is linked with, besides the one with the
  ///     functions.
  ///   - isOpened: whether the program opens that library itself.
  ///   - words: the program's arguments.
  private func run(
    _ name: String, main: String, flags: [String] = [], library: String? = nil,
    libraryFlags: [String] = [], isCpp: Bool = false, isOpened: Bool = false, words: [String] = []
  ) throws -> (text: Command, report: Traced.Report) {
    let folder = try Built.folder("coverage-\(name)")
    try "{ global: make; run; local: *; };\n".write(
      to: folder.appending(path: "names.map"), atomically: false, encoding: .utf8)
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
      if !isOpened { libraries.insert("-lused", at: 0) }
    }
    try main.write(to: folder.appending(path: "main.\(ending)"), atomically: false, encoding: .utf8)
    try Scenario.compile(
      ["main.\(ending)", "-o", "program"] + common + flags + libraries, in: folder)
    let program = folder.appending(path: "program").path
    let text = try Command.run([Built.tool, "run", "--", program] + words, in: folder)
    return (text, try Traced.run([program] + words, in: folder).report)
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

  @Test(
    arguments: [
      (["-Wl,-Bsymbolic"], "bound-to-itself"), (["-fvisibility=protected"], "bound-to-itself"),
      (["-Wl,-Bsymbolic-functions"], "bound-to-itself"),
      (["-Wl,-Bsymbolic-functions", "-s"], "bound-to-itself"),
      (["-O1", "-fno-inline", "-fno-semantic-interposition"], "bound-to-itself"),
      (["-Wl,--version-script=names.map"], "own-copy"), (["-fvisibility=hidden"], "own-copy"),
      ([], nil),
    ] as [([String], String?)])
  func aLibraryThatIsBoundToItsOwn(flags: [String], reason: String?) throws {
    // What it makes first it frees itself, so that all that can be known of it is in its file.
    let library =
      "#define LINKAGE\n#define PREFIX(name) name\n" + Self.ownFunctions
      + "__attribute__((visibility(\"default\"))) int run(void) "
      + "{ BSTR other = SysAllocStringLen(0, 1); SysFreeString(other); return other == 0; }\n"
    let main = """
      #include "bstr.h"
      int run(void);
      int main(void) { SysFreeString(SysAllocString(u"seen")); return run(); }
      """
    let (text, report) = try run(
      "bound-\(flags.joined().filter(\.isLetter))", main: main, library: library,
      libraryFlags: flags)
    let process = try #require(report.processes.first)
    #expect(process.coverage.map(\.reason) == (reason.map { [$0] } ?? []))
    #expect(process.coverageComplete)
    #expect(process.totals.allocations == (reason == nil ? 2 : 1))
    if let line = process.coverage.first {
      #expect(line.module?.hasSuffix("/libused.so") == true)
      #expect(line.symbol == "SysAllocStringLen")
      #expect(text.errors.contains("note: \(line.message)"), "\(text.errors)")
    }
  }

  /// A library with the functions inside, which nobody else's strings come by.
  private static let engine =
    "#define LINKAGE static\n#define PREFIX(name) name\n#define SysAllocStringLen otherAllocLen\n"
    + "#define SysFreeString otherFree\n#include \"bstr.h\"\n#undef SysAllocStringLen\n"
    + "#undef SysFreeString\n" + ownFunctions
    + "int run(void) { SysFreeString(SysAllocStringLen(0, 3)); return 0; }\n"
  private static let engineLine =
    "libused.so has its own SysAllocStringLen and calls it directly: strings that it allocates so are not seen."

  @Test func aLibraryThatIsOnNoStackIsNamedBesideOthers() throws {
    let main = """
      #include "bstr.h"
      int run(void);
      int main(void) { SysFreeString(SysAllocString(u"seen")); return run(); }
      """
    let (text, report) = try run("beside", main: main, library: Self.engine)
    #expect(report.processes.first?.coverage.map(\.message) == [Self.engineLine])
    #expect(text.errors.contains("   note: \(Self.engineLine)"), "\(text.errors)")
    #expect(text.errors.contains("no findings in 1 allocation"))
  }

  @Test func aLibraryThatIsOnNoStackIsNamedAlone() throws {
    let main = "int run(void); int main(void) { return run(); }\n"
    let (text, report) = try run("alone", main: main, library: Self.engine)
    #expect(report.processes.first?.coverage.map(\.message) == [Self.engineLine])
    #expect(
      text.errors.hasSuffix(
        "/program: no BSTR function was called. program neither imports nor exports SysAllocString. "
          + "\(Self.engineLine)\n"), "\(text.errors)")
    #expect(text.errors.filter { $0 == "\n" }.count == 1, "\(text.errors)")
  }

  /// The lines of a process that the last line does not explain stand by themselves.
  @Test func aChildsLibraryIsNamed() throws {
    let main = """
      #include <sys/wait.h>
      #include <dlfcn.h>
      #include <unistd.h>
      int main(void) {
        int pid = fork();
        if (pid == 0) {
          void *used = dlopen("./libused.so", RTLD_NOW);
          _exit(!used || ((int (*)(void))dlsym(used, "run"))());
        }
        int status = 0;
        waitpid(pid, &status, 0);
        return status;
      }
      """
    let (text, report) = try run("child", main: main, library: Self.engine, isOpened: true)
    #expect(report.processes.map { $0.coverage.map(\.message) } == [[], [Self.engineLine]])
    #expect(report.processes.allSatisfy { $0.coverageComplete })
    #expect(text.errors.contains("   note: \(Self.engineLine)"), "\(text.errors)")
    #expect(text.errors.contains("no BSTR function was called"), "\(text.errors)")
  }

  /// However a process ends, it says which modules were loaded; only one that is killed cannot.
  @Test(arguments: [
    ("return", true), ("_exit", true), ("quick_exit", true), ("close", true),
    ("handler", true), ("small-handler", false), ("namespace", false), ("kill", false),
    ("failed-exec", true),
  ])
  func modulesAreNamedHoweverItEnds(how: String, isComplete: Bool) throws {
    let main = """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <signal.h>
      #include <stdlib.h>
      #include <string.h>
      #include <unistd.h>
      static void end(int number) { _exit(number == SIGALRM ? 0 : 1); }
      int main(int count, char **words) {
        const char *how = words[1];
        if (!strcmp(how, "namespace") && !dlmopen(LM_ID_NEWLM, "libm.so.6", RTLD_NOW)) return 3;
        void *used = dlopen("./libused.so", RTLD_NOW);
        if (!used || ((int (*)(void))dlsym(used, "run"))()) return 1;
        if (!strcmp(how, "_exit")) _exit(0);
        if (!strcmp(how, "quick_exit")) quick_exit(0);
        if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
        if (strstr(how, "handler")) {
          static char room[65536];
          stack_t stack = {.ss_sp = room, .ss_size = how[0] == 's' ? 8192 : sizeof room};
          struct sigaction action = {.sa_handler = end, .sa_flags = SA_ONSTACK};
          sigaltstack(&stack, 0);
          sigaction(SIGALRM, &action, 0);
          raise(SIGALRM);
        }
        if (!strcmp(how, "failed-exec")) {
          char *none[] = {"/no/program", 0};
          execv(none[0], none);
          _exit(0);
        }
        if (!strcmp(how, "close")) {
          dlclose(used);
          return dlopen("./libused.so", RTLD_NOW | RTLD_NOLOAD) ? 2 : 0;
        }
        return 0;
      }
      """
    let (text, report) = try run(
      "ends-\(how)", main: main, library: Self.engine, isOpened: true, words: [how])
    let process = try #require(report.processes.first)
    #expect(process.coverageComplete == isComplete)
    let isNotSeen = how == "kill" || how == "small-handler"
    #expect(text.status == (how == "kill" ? 137 : 0))
    #expect(process.coverage.map(\.message) == (isNotSeen ? [] : [Self.engineLine]))
    #expect(!text.errors.contains("this run loaded no library"), "\(text.errors)")
    if isNotSeen {
      #expect(text.errors.contains("whether there were others cannot be told"), "\(text.errors)")
    }
  }

  /// What is loaded beside it is known from the first string on, and outlives a kill.
  @Test func aKilledProcessNamesWhatCameWithItsStrings() throws {
    let main = """
      #include <dlfcn.h>
      #include <signal.h>
      #include <unistd.h>
      #include "bstr.h"
      int main(void) {
        if (!dlopen("./libused.so", RTLD_NOW)) return 1;
        SysFreeString(SysAllocString(u"seen"));
        if (fork() == 0) {
          SysFreeString(SysAllocString(u"seen"));
          kill(getpid(), SIGKILL);
        }
        sleep(1);
        kill(getpid(), SIGKILL);
      }
      """
    let (_, report) = try run("killed", main: main, library: Self.engine, isOpened: true)
    let child = try #require(report.processes.last)
    #expect(report.processes.count == 2)
    #expect(child.coverage.map(\.message) == [Self.engineLine])
    #expect(!child.coverageComplete)
  }

  /// What the program was linked with is known from the start.
  @Test func aKilledProcessWithoutStringsNamesItsLibraries() throws {
    let main = """
      #include <signal.h>
      #include <unistd.h>
      int run(void);
      int main(void) { return run() || kill(getpid(), SIGKILL); }
      """
    let (text, report) = try run("killed-early", main: main, library: Self.engine)
    #expect(report.processes.map { $0.coverage.map(\.message) } == [[Self.engineLine]])
    #expect(report.processes.first?.coverageComplete == false)
    #expect(text.errors.contains(Self.engineLine), "\(text.errors)")
  }

  /// A plug-in that is opened and closed often, and comes to lie elsewhere each time, is named
  /// once.
  @Test func aPluginThatIsOpenedOftenIsNamedOnce() throws {
    let main = """
      #include <dlfcn.h>
      #include <sys/mman.h>
      int main(void) {
        for (int i = 0; i < 300; i++) {
          void *used = dlopen("./libused.so", RTLD_NOW);
          if (!used) return 1;
          dlclose(used);
          // Where it has been there is no room for it now.
          for (int j = 0; j < 4; j++)
            mmap(0, 4096 * (1 + i % 7), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        }
        return 0;
      }
      """
    let (_, report) = try run("often", main: main, library: Self.engine, isOpened: true)
    #expect(report.processes.first?.coverage.map(\.message) == [Self.engineLine])
    let folder = Built.products.appending(path: "end-to-end/coverage-often")
    let store = folder.appending(path: "kept").path
    _ = try Command.run(
      [Built.tool, "run", "--keep-store", store, "--", folder.appending(path: "program").path],
      in: folder)
    let image = try #require(StoreFile.images(at: store).images.first)
    let paths = (1...100).prefix { image.module(ModuleID(rawValue: $0)) != nil }
      .compactMap { image.module(ModuleID(rawValue: $0)).map { image.text($0.path) } }
    #expect(paths.count == Set(paths).count, "\(paths)")
  }

  /// C++ names of functions whose characters are of a type of the program's own.
  @Test func otherCxxNamesAreNamed() throws {
    let declared = """
      struct OLECHAR { char16_t unit; };
      typedef OLECHAR *BSTR;
      BSTR SysAllocString(const OLECHAR *);
      void SysFreeString(BSTR);

      """
    let library = """
      #include <stdlib.h>
      struct OLECHAR { char16_t unit; };
      typedef OLECHAR *BSTR;
      BSTR SysAllocString(const OLECHAR *) { return (BSTR)calloc(1, 100) + 4; }
      void SysFreeString(BSTR text) { free(text - 4); }
      """
    let (text, report) = try run(
      "mangled", main: declared + "int main() { SysFreeString(SysAllocString(nullptr)); }\n",
      library: library, isCpp: true)
    // The program and its library.
    #expect(
      report.processes.first?.coverage.map(\.reason) == ["mangled-names", "mangled-names"])
    #expect(
      text.errors.contains(
        "program imports SysAllocString under its C++ name _Z14SysAllocStringPK7OLECHAR, which is not traced"
      ),
      "\(text.errors)")
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
    let main = "int main(void) { return 0; }\n"
    let (text, _) = try run("stripped", main: main, flags: ["-s", "-Wl,--as-needed"])
    #expect(
      text.errors.contains(
        "program neither imports nor exports SysAllocString: this run loaded no library that uses BSTRs, or the "
          + "program has a copy inside, which its symbols would show if they had not been stripped."
      ),
      "\(text.errors)")
    let (whole, report) = try run("whole", main: main, flags: ["-Wl,--as-needed"])
    #expect(
      whole.errors.contains(
        "and has none inside: this run loaded no library that uses BSTRs, as far as their symbols show."
      ),
      "\(whole.errors)")
    #expect(report.processes.first?.coverageComplete == true)
  }

  @Test func aLibraryThatIsNotUsedIsNamed() throws {
    let main = "int main(void) { return 0; }\n"
    let (exporting, _) = try run("unused", main: main, flags: ["-Wl,--no-as-needed"])
    #expect(
      exporting.errors.contains("libplain.so, which it loaded, exports SysAllocString"),
      "\(exporting.errors)")
    let (importing, _) = try run(
      "importing", main: main, flags: ["-Wl,--no-as-needed"], library: Self.make)
    #expect(
      importing.errors.contains("libused.so, which it loaded, imports SysAllocString, so this run"),
      "\(importing.errors)")
  }
}
