import Foundation
import TestSupport
import Testing

@testable import BSTRReporter

/// Types of functions in the debug information of several compilers and versions of DWARF.
@Suite struct FunctionTypesTests {
  /// A compiler, and what it is told.
  struct Compiler: CustomTestStringConvertible, Sendable {
    var command: String
    var flags: [String]

    var testDescription: String { ([command] + flags).joined(separator: " ") }
  }

  static let compilers: [Compiler] = ["gcc", "clang"].flatMap { command in
    [
      ["-gdwarf-2"], ["-gdwarf-3", "-O1"], ["-gdwarf-4"], ["-gdwarf-5"], ["-gdwarf-5", "-O2"],
      ["-gdwarf-4", "-O2", "-ffunction-sections"],
      ["-gdwarf-5", "-O2", "-ffunction-sections", "-gdwarf64"],
    ].map { Compiler(command: command, flags: $0) }
  }

  private static let source = """
    #include "bstr.h"
    typedef OLECHAR *LPOLESTR;
    typedef struct tagVARIANT { unsigned short vt; union { int number; BSTR text; }; } VARIANT;
    typedef struct { VARIANT *first; } *Other;
    struct Point { int x, y; };
    typedef struct Record { struct Point at; BSTR name; const VARIANT value; BSTR *none; } Record;
    #ifdef __cplusplus
    #define EXPORT extern "C"
    struct Window {
      static int count;
      BSTR text;
      HRESULT getTitle(int kind, BSTR &title) const;
      BSTR copy();
    };
    HRESULT Window::getTitle(int kind, BSTR &title) const {
      title = SysAllocStringLen(text, (UINT)kind); return 0; }
    BSTR Window::copy() { return SysAllocString(text); }
    EXPORT void of_class(int kind, Window *window) {
      window->text = SysAllocStringLen(0, (UINT)kind); }
    #else
    #define EXPORT
    #endif
    EXPORT HRESULT plain(BSTR *text, UINT size, unsigned long more, LPOLESTR *names) {
      *text = SysAllocStringLen(*names, size + (UINT)more); return 0; }
    EXPORT void by_const(const BSTR *text, const VARIANT *value, BSTR *const out) {
      *out = SysAllocStringLen(*text, value->vt); }
    EXPORT BSTR variants(VARIANT *value, struct tagVARIANT *tagged, void *any) {
      value->text = (BSTR)any; return SysAllocStringLen(tagged->text, 1); }
    EXPORT void record(int kind, Record *record, Other other) {
      record->name = SysAllocStringLen(other->first->text, (UINT)kind); }
    static inline __attribute__((always_inline)) BSTR inner(const char *text) {
      return SysAllocStringLen(0, (UINT)text[0]); }
    EXPORT void outer(BSTR *text) { *text = inner("text"); }
    EXPORT void nothing(void) {}
    """

  /// Builds the program as a library; `nil` where the compiler cannot.
  private static func build(_ compiler: Compiler, isCxx: Bool) throws -> String? {
    let name = "types-\(isCxx)-\(compiler.testDescription)".filter { $0 != " " }
    let folder = try Built.folder(name)
    let file = folder.appending(path: isCxx ? "types.cpp" : "types.c")
    try source.write(to: file, atomically: true, encoding: .utf8)
    let toolchain = try SanitizerTests.Sanitizer.toolchain()
    let command =
      compiler.command == "clang"
      ? toolchain.appending(path: isCxx ? "clang++" : "clang").path : isCxx ? "g++" : "gcc"
    let built = try Command.run(
      [command, file.path] + compiler.flags
        + ["-w", "-shared", "-fPIC", "-o", "types.so", "-I\(Built.headers)"], in: folder)
    try #require(built.status == 0, "\(built.errors)")
    return folder.appending(path: "types.so").path
  }

  /// Returns the types at the start of each exported function, spelled.
  private static func types(in path: String) throws -> [String: [String]] {
    let file = try #require(ElfFile(path: path))
    var found: [String: [String]] = [:]
    let functions = file.dynamicSymbols.filter { $0.isDefined && $0.isFunction }
    // The call is near the end: inlined functions are there, too.
    let locations = functions.flatMap { function in
      (1...max(1, function.size)).map { distance in
        (
          function.name,
          CodeLocation(module: path, buildID: nil, offset: function.value + distance)
        )
      }
    }
    let types = DebugTypes.types(at: Set(locations.map(\.1)))
    for (name, location) in locations {
      let texts = (types[location] ?? []).map { type in
        let parameters = type.parameters.map { parameter in
          parameter.type
            + (parameter.members.isEmpty ? "" : " {\(parameter.members.joined(separator: " "))}")
        }
        return "\(type.result ?? "void") \(type.name)(\(parameters.joined(separator: ", ")))"
      }
      // Where functions are inlined, the most of them.
      if texts.count > found[name]?.count ?? 0 { found[name] = texts }
    }
    return found
  }

  @Test(arguments: compilers) func typesAreRead(compiler: Compiler) throws {
    for isCxx in [false, true] {
      let path = try #require(try Self.build(compiler, isCxx: isCxx))
      let found = try Self.types(in: path)
      let text = isCxx ? "char16_t" : "unsigned short"
      #expect(found["plain"] == ["int plain(BSTR*, unsigned int, unsigned long, LPOLESTR*)"])
      #expect(
        found["by_const"] == ["void by_const(BSTR const*, VARIANT const*, BSTR*)"], "\(text)")
      let variant = "VARIANT* {unsigned short ?}"
      #expect(
        found["variants"]?.map { $0.replacing(" {unsigned short ?}", with: "") }
          == ["BSTR variants(VARIANT*, tagVARIANT*, void*)"], "\(variant)")
      #expect(
        found["record"]?.first?.contains("record(int, Record* {int int BSTR ") == true,
        "\(found["record"] ?? [])")
      #expect(found["outer"] == ["BSTR inner(char const*)", "void outer(BSTR*)"])
      #expect(found["nothing"] == ["void nothing()"])
      guard isCxx else { continue }
      #expect(found["_ZNK6Window8getTitleEiRPDs"] == ["int getTitle(int, BSTR&)"])
      #expect(found["_ZN6Window4copyEv"] == ["BSTR copy()"])
      #expect(found["of_class"] == ["void of_class(int, Window*)"])
    }
  }
}
