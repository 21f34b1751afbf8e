import Foundation
import Testing

/// Functions inlined into one another, by the toolchain's compiler: each with its own line, in
/// order.
@Suite struct InlinedFramesTests {
  @Test func nestedInlinedFunctionsHaveTheirOwnLines() throws {
    let folder = try Built.folder("inlined-frames")
    let source = """
      #include "bstr.h"
      #define IN static inline __attribute__((always_inline))
      IN BSTR innermost(void) { BSTR made = SysAllocString(u"x"); __asm__ volatile(""); return made; }
      IN BSTR middle(void) {
        return innermost();
      }
      IN BSTR outermost(void) {

        return middle();
      }
      __attribute__((noinline)) static BSTR real(void) {


        return outermost();
      }
      int main(void) { return real() ? 0 : 1; }
      """
    let file = folder.appending(path: "inlined.c")
    try source.write(to: file, atomically: true, encoding: .utf8)
    let compilers = try SanitizerTests.Sanitizer.toolchain()
    let flags = [
      file.path, "-g", "-O1", "-o", "program", "-I\(Built.headers)", "-L\(Built.products.path)",
      "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
    ]
    let build = try Command.run([compilers.appending(path: "clang").path] + flags, in: folder)
    try #require(build.status == 0, "\(build.errors)")
    let report = folder.appending(path: "report.json")
    _ = try Command.run(
      ["./program"],
      environment: ["BSTRTRACE_OPTIONS": "format=json:output=\(report.path)"], in: folder)
    let found = try Traced.Report(Data(contentsOf: report))
    let frames = try #require(found.findings.first).stacks.allocated.prefix(5)
    #expect(frames.map(\.function) == ["innermost", "middle", "outermost", "real", "main"])
    #expect(frames.map(\.line) == [3, 5, 9, 14, 16])
    #expect(frames.map(\.inlined) == [true, true, true, false, false])
  }
}
