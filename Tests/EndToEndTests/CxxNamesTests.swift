import Foundation
import Testing

@testable import BSTRReporter

/// Functions that a program declares without extern "C" are traced under their C++ names.
@Suite(.overAllProducts, .namingProducts) struct CxxNamesTests {
  /// The type of a character, and the layout of the program's own functions.
  struct Kind: CustomTestStringConvertible, Sendable {
    var type: String
    var bytes: Int
    var offset: Int

    var testDescription: String { "\(type) at \(offset)" }

    static let all = [("wchar_t", 4), ("char16_t", 2), ("unsigned short", 2)].flatMap { type in
      [4, 8].map { Kind(type: type.0, bytes: type.1, offset: $0) }
    }
  }

  private static let sources = Built.root.appending(path: "Tests/Scenarios/layouts")

  private func compile(
    _ kind: Kind, _ files: [String], isFixed: Bool, _ flags: [String], in folder: URL
  ) throws {
    try Scenario.compile(
      files.map { Self.sources.appending(path: $0).path }
        + ["-g", "-DOLECHAR=\(kind.type)", "-DOFFSET=\(kind.offset)"]
        + (isFixed ? ["-DFIXED"] : []) + flags, in: folder)
  }

  /// Makes a program of the function `use`.
  private func main(_ flags: [String], in folder: URL) throws {
    try "int use(void);\nint main(void) { return use(); }\n".write(
      to: folder.appending(path: "main.c"), atomically: false, encoding: .utf8)
    try Scenario.compile(["main.c", "-o", "program"] + flags, in: folder)
  }

  private func expect(_ report: Traced.Report, _ kind: Kind, isFixed: Bool) {
    let process = report.processes.last
    #expect(process?.totals.allocations == 6)
    #expect(process?.totals.frees == (isFixed ? 6 : 5))
    #expect(process?.coverage.isEmpty == true, "\(report)")
    #expect(
      report.findings.map(\.kind) == (isFixed ? [] : ["leak", "double-free"]), "\(report.findings)")
    for finding in report.findings {
      #expect(finding.stacks.allocated.first?.function == "use", "\(finding)")
    }
    if let leak = report.findings.first { #expect(leak.bytes == 4 * kind.bytes) }
  }

  /// A library has the functions, another one uses them.
  @Test(arguments: Kind.all, [false, true]) func preloaded(kind: Kind, isFixed: Bool) throws {
    let folder = try Built.folder("cxx-\(UUID().uuidString.prefix(8))")
    let shared = ["-shared", "-fPIC", "-L.", "-Wl,-rpath,\(folder.path)"]
    try compile(
      kind, ["cxx_functions.cpp"], isFixed: isFixed, shared + ["-o", "libfunctions.so"],
      in: folder)
    try compile(
      kind, ["cxx_names.cpp"], isFixed: isFixed, shared + ["-o", "libuse.so", "-lfunctions"],
      in: folder)
    try main(["-L.", "-Wl,-rpath,\(folder.path)", "-luse"], in: folder)
    let traced = try Traced.run([folder.appending(path: "program").path], in: folder)
    expect(traced.report, kind, isFixed: isFixed)
    #expect(traced.command.status == (isFixed ? 0 : 23), "\(traced.command)")
  }

  /// One library has and uses them, as an extension of Python that is linked with bit7z.
  @Test(arguments: Kind.all) func insideOfOneLibrary(kind: Kind) throws {
    let folder = try Built.folder("cxx-\(UUID().uuidString.prefix(8))")
    try compile(
      kind, ["cxx_functions.cpp", "cxx_names.cpp"], isFixed: false,
      ["-shared", "-fPIC", "-o", "libuse.so"], in: folder)
    try """
    #include <dlfcn.h>
    int main(void) {
      int (*use)(void) = (int (*)(void))dlsym(dlopen("./libuse.so", RTLD_NOW), "use");
      return use();
    }
    """.write(to: folder.appending(path: "main.c"), atomically: false, encoding: .utf8)
    try Scenario.compile(["main.c", "-o", "program", "-ldl"], in: folder)
    let traced = try Traced.run([folder.appending(path: "program").path], in: folder)
    expect(traced.report, kind, isFixed: false)
  }

  /// Without functions of its own, a program gets the width that the names tell.
  @Test(arguments: Kind.all.filter { $0.offset == 8 }) func linked(kind: Kind) throws {
    let folder = try Built.folder("cxx-\(UUID().uuidString.prefix(8))")
    let library = ["-L\(Built.products.path)", "-Wl,-rpath,\(Built.products.path)"]
    try compile(
      kind, ["cxx_names.cpp"], isFixed: false,
      ["-shared", "-fPIC", "-o", "libuse.so", "-lbstrtrace-linked"] + library, in: folder)
    try main(["-L.", "-Wl,-rpath,\(folder.path)", "-luse"] + library, in: folder)
    let file = folder.appending(path: "report.json")
    let command = try Command.run(
      [folder.appending(path: "program").path],
      environment: ["BSTRTRACE_OPTIONS": "format=json:output=\(file.path)"], in: folder)
    expect(try Traced.Report(try Data(contentsOf: file)), kind, isFixed: false)
    #expect(command.status == 23, "\(command)")
  }

  // MARK: several linkages in one process

  /// Builds a library with the functions.
  private func functions(
    _ name: String, type: String, offset: Int, isC: Bool, _ flags: [String] = [], in folder: URL
  ) throws {
    try Scenario.compile(
      [
        Self.sources.appending(path: "cxx_functions.cpp").path, "-shared", "-fPIC", "-g", "-o",
        "lib\(name).so", "-DOLECHAR=\(type)", "-DOFFSET=\(offset)",
      ] + (isC ? ["-DLINKAGE=extern \"C\""] : []) + flags, in: folder)
  }

  /// Builds a program or library from a source.
  private func build(
    _ name: String, _ source: String, _ flags: [String], in folder: URL
  ) throws {
    try source.write(
      to: folder.appending(path: "\(name).cpp"), atomically: false, encoding: .utf8)
    try Scenario.compile(
      ["\(name).cpp", "-g", "-O0", "-I\(Self.sources.path)", "-o", name] + flags
        + ["-L.", "-Wl,-rpath,\(folder.path)"], in: folder)
  }

  /// A program is not changed, and nothing is found.
  private func expectUnchanged(in folder: URL) throws {
    // One that hangs fails.
    let words = ["timeout", "60", folder.appending(path: "program").path]
    let alone = try Command.run(words, in: folder)
    try #require(alone.status == 0, "\(alone)")
    let traced = try Traced.run(words, in: folder)
    #expect(traced.command.status == 0)
    #expect(traced.command.output == alone.output)
    #expect(traced.report.findings.isEmpty, "\(traced.report.findings)")
  }

  /// Converts, and makes a string of the C functions.
  private static let overload = """
    #include <stdio.h>
    #define LINKAGE extern "C"
    #define OLECHAR char16_t
    #include "cxx_functions.h"
    SCOPE BSTR SysAllocString(const wchar_t *text) {
      char16_t copy[64] = {};
      for (int i = 0; text[i]; i++) copy[i] = (char16_t)text[i];
      return SysAllocString(copy);
    }

    """
  private static let callsOverload = """
    int main() {
      BSTR text = SysAllocString(L"hello"), other = SysAllocString(u"u");
      printf("%u %u %c\\n", SysStringLen(text), SysStringLen(other), (char)text[4]);
      SysFreeString(text);
      SysFreeString(other);
      return 0;
    }
    """

  /// An overload is a function of its own.
  @Test(arguments: ["in the library", "inline"]) func anOverloadStaysItsOwn(where: String) throws {
    let folder = try Built.folder("cxx-\(UUID().uuidString.prefix(8))")
    try functions("plain", type: "char16_t", offset: 8, isC: true, in: folder)
    if `where` == "inline" {
      // In a library, whose own definition does not come first.
      try build(
        "libuse.so", Self.overload + Self.callsOverload,
        ["-DSCOPE=inline", "-Dmain=use", "-shared", "-fPIC", "-lplain"], in: folder)
      try build("program", "int use();\nint main() { return use(); }\n", ["-luse"], in: folder)
    } else {
      try build(
        "libover.so", Self.overload, ["-DSCOPE=", "-shared", "-fPIC", "-lplain"], in: folder)
      let declared = Self.overload.split(separator: "SCOPE")[0]
      try build(
        "program",
        declared + "BSTR SysAllocString(const wchar_t *);\n" + Self.callsOverload,
        ["-lover", "-lplain"], in: folder)
    }
    try expectUnchanged(in: folder)
  }

  /// A plug-in with overloads and a heap of its own, whose calls are jumps: they return to the program,
  /// which knows nothing of the functions.
  @Test func overloadsBehindATailCall() throws {
    let folder = try Built.folder("cxx-\(UUID().uuidString.prefix(8))")
    try build(
      "plugin.so",
      """
      #include <stdlib.h>
      static char pool[1024];
      static int used;
      static char *take(int bytes) { return pool + (used += 8 + bytes) - bytes; }
      char16_t *SysAllocString(const char16_t *t) { return (char16_t *)take(16); }
      wchar_t *SysAllocString(const wchar_t *t) { return (wchar_t *)take(32); }
      void SysFreeString(char16_t *t) {
        if ((char *)t < pool || (char *)t >= pool + sizeof pool) abort();
      }
      extern "C" char16_t *make(const char16_t *t) { return SysAllocString(t); }
      // No jump: this call returns here.
      extern "C" int drop(char16_t *t) { SysFreeString(t); return used; }
      """, ["-shared", "-fPIC", "-O2"], in: folder)
    try build(
      "program",
      """
      #include <dlfcn.h>
      int main() {
        void *plugin = dlopen("./plugin.so", RTLD_NOW);
        auto make = (char16_t * (*)(const char16_t *)) dlsym(plugin, "make");
        auto drop = (int (*)(char16_t *))dlsym(plugin, "drop");
        for (int i = 0; i < 3; i++) drop(make(u"text"));
      }
      """, ["-ldl"], in: folder)
    try expectUnchanged(in: folder)
    let checked = try Command.run(
      [Built.tool, "check", "--with", "./plugin.so", "./program"], in: folder)
    #expect(checked.status == 23)
    #expect(checked.output.contains(", an overload: "), "\(checked.output)")
    #expect(!checked.output.contains("Its characters"))
  }

  /// A program that uses the C++ functions of one library, beside the C functions of another.
  @Test(arguments: [["cxx", "plain"], ["plain", "cxx"]])
  func functionsOfTwoLibraries(order: [String]) throws {
    let folder = try Built.folder("cxx-\(UUID().uuidString.prefix(8))")
    try functions("cxx", type: "wchar_t", offset: 4, isC: false, in: folder)
    try functions("plain", type: "char16_t", offset: 8, isC: true, in: folder)
    try build(
      "program",
      """
      #include <stdio.h>
      #define OLECHAR wchar_t
      #include "cxx_functions.h"
      int main() {
        BSTR text = SysAllocString(L"hello");
        printf("%ls\\n", text);
        SysFreeString(text);
      }
      """, ["-Wl,--no-as-needed"] + order.map { "-l\($0)" }, in: folder)
    try expectUnchanged(in: folder)
  }

  /// Of a library's functions one plug-in uses those that do not tell the width, the other one those
  /// that do.
  @Test(arguments: [true, false]) func theWidthIsTheNames(isC: Bool) throws {
    let folder = try Built.folder("cxx-\(UUID().uuidString.prefix(8))")
    try functions("com", type: "wchar_t", offset: 4, isC: isC, in: folder)
    let declared = """
      #include <stdio.h>
      #define OLECHAR wchar_t
      \(isC ? "#define LINKAGE extern \"C\"" : "")
      #include "cxx_functions.h"

      """
    try build(
      "bytes.so",
      declared + """
        extern "C" void use() { SysFreeString(SysAllocStringByteLen("bytes", 5)); }
        """, ["-shared", "-fPIC", "-lcom"], in: folder)
    try build(
      "characters.so",
      declared + """
        extern "C" void use() {
          BSTR text = SysAllocStringLen(L"hello", 5);
          printf("%ls\\n", text);
          SysFreeString(text);
        }
        """, ["-shared", "-fPIC", "-lcom"], in: folder)
    try build(
      "program",
      """
      #include <dlfcn.h>
      int main() {
        const char *names[] = {"./bytes.so", "./characters.so"};
        for (const char *name : names)
          ((void (*)())dlsym(dlopen(name, RTLD_NOW | RTLD_LOCAL), "use"))();
      }
      """, ["-ldl"], in: folder)
    try expectUnchanged(in: folder)
  }

  /// A plug-in that brings the functions' library along is looked at without the loader's lock, which
  /// its constructor holds while a thread calls them, and without taking the last error's text.
  @Test(arguments: [true, false]) func thePlugInsOwnLibraryIsFoundWithoutTheLoader(
    isC: Bool
  ) throws {
    let folder = try Built.folder("cxx-\(UUID().uuidString.prefix(8))")
    try functions("com", type: "wchar_t", offset: 4, isC: isC, in: folder)
    try build(
      "plugin.so",
      """
      #include <dlfcn.h>
      #include <pthread.h>
      #include <stdio.h>
      #define OLECHAR wchar_t
      \(isC ? "#define LINKAGE extern \"C\"" : "")
      #include "cxx_functions.h"
      static void *call(void *) {
        SysFreeString(SysAllocString(L"text"));
        return 0;
      }
      __attribute__((constructor)) static void begin() {
        pthread_t thread;
        pthread_create(&thread, 0, call, 0);
        pthread_join(thread, 0);
      }
      """, ["-shared", "-fPIC", "-lcom", "-pthread"], in: folder)
    try build(
      "error.so",
      """
      #include <dlfcn.h>
      #include <stdio.h>
      #define OLECHAR wchar_t
      \(isC ? "#define LINKAGE extern \"C\"" : "")
      #include "cxx_functions.h"
      extern "C" void use() {
        dlopen("./missing.so", RTLD_NOW);
        SysFreeString(SysAllocString(L"text"));
        puts(dlerror());
      }
      """, ["-shared", "-fPIC", "-lcom"], in: folder)
    try build(
      "program",
      """
      #include <dlfcn.h>
      int main() {
        dlopen("./plugin.so", RTLD_NOW);
        ((void (*)())dlsym(dlopen("./error.so", RTLD_NOW), "use"))();
      }
      """, ["-ldl"], in: folder)
    try expectUnchanged(in: folder)
  }

  /// The reporter knows the names that the libraries export.
  @Test func tracedNamesAreExported() throws {
    for library in ["libbstrtrace-preload.so", "libbstrtrace-linked.so"] {
      let symbols = try Command.run(
        ["nm", "-D", "--defined-only", Built.products.appending(path: library).path],
        in: try Built.folder("cxx-names"))
      let exported = Set(symbols.output.split { $0 == " " || $0 == "\n" }.map(String.init))
      let missing = Set(BSTRFunctionSymbols.cxxNames.keys).subtracting(exported)
      #expect(missing.isEmpty, "\(library): \(missing)")
      // Nine functions by three types, and the one without a character.
      #expect(exported.filter { $0.hasPrefix("_Z") && $0.contains("Sys") }.count == 28)
    }
  }
}
