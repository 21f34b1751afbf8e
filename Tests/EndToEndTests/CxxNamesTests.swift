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

  /// The reporter knows the names that the libraries export.
  @Test func tracedNamesAreExported() throws {
    for library in ["libbstrtrace-preload.so", "libbstrtrace-linked.so"] {
      let symbols = try Command.run(
        ["nm", "-D", "--defined-only", Built.products.appending(path: library).path],
        in: try Built.folder("cxx-names"))
      let exported = Set(symbols.output.split { $0 == " " || $0 == "\n" }.map(String.init))
      let missing = BSTRFunctionSymbols.tracedCxxNames.subtracting(exported)
      #expect(missing.isEmpty, "\(library): \(missing)")
    }
  }
}
