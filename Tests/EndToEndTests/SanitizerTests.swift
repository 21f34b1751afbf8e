import Foundation
import Testing

/// The scenarios again, with library and program built for a sanitizer: the tracker's own code
/// reads nothing that is freed or unmapped, and races with nobody.
@Suite struct SanitizerTests {
  /// A sanitizer of the toolchain, with the library built for it.
  enum Sanitizer: String {
    case address, thread

    /// The folder of the built library.
    func products() throws -> URL {
      let scratch = Built.root.appending(path: ".build/sanitized-\(rawValue)")
      let build = try Command.run(
        [
          "swift", "build", "--sanitize", rawValue, "--scratch-path", scratch.path, "--product",
          "bstrtrace-linked",
        ], in: Built.root, limit: 600)
      if build.status != 0 { throw PreparationFailure(description: build.output + build.errors) }
      return scratch.appending(path: "debug")
    }

    /// The toolchain's own compilers: their sanitizers are the ones that Swift was built for.
    func compilers() throws -> Scenario.Compilers {
      let toolchain = try Self.toolchain().deletingLastPathComponent()
      let runtime = toolchain.appending(path: "lib/swift/linux").path
      let flags = [
        "-fsanitize=\(rawValue)", "-fuse-ld=lld", "-w", "-L\(runtime)", "-Xlinker", "-rpath",
        "-Xlinker", runtime, "-ldispatch", "-lBlocksRuntime",
      ]
      let bin = toolchain.appending(path: "bin").path
      return (["\(bin)/clang"] + flags, ["\(bin)/clang++"] + flags)
    }

    /// The folder of the toolchain's programs.
    static func toolchain() throws -> URL {
      let found = try Command.run(["sh", "-c", "readlink -f \"$(command -v swiftc)\""])
      return URL(filePath: found.output.trimmingCharacters(in: .whitespacesAndNewlines))
        .deletingLastPathComponent()
    }

    func includes(_ scenario: Scenario) -> Bool {
      scenario.mode == .linked && scenario.allowsSanitizers && scenario.width != 4
        && scenario.file.pathExtension != "swift"
        // These are for gcc, and the toolchain's compiler is clang.
        && !scenario.flags.contains { $0.hasPrefix("-fno-ipa") }
        // Nor do shapes of real programs take other ways through the tracker than these.
        && scenario.file.deletingLastPathComponent().lastPathComponent != "wild"
        && (self == .address || scenario.hasThreads)
    }
  }

  @Test(arguments: [Sanitizer.address, .thread])
  func theTrackerIsClean(under sanitizer: Sanitizer) throws {
    let products = try sanitizer.products()
    let compilers = try sanitizer.compilers()
    let scenarios = Scenario.all.filter(sanitizer.includes)
    #expect(scenarios.count >= (sanitizer == .address ? 90 : 7))
    for scenario in scenarios {
      let name =
        "\(sanitizer.rawValue)-\(scenario.file.lastPathComponent)\(scenario.isTwin ? "-fixed" : "")"
      let (program, folder) = try scenario.build(
        in: name, compilers: compilers, products: products)
      let (command, report) = try scenario.runLinked(
        program, in: folder, folder.appending(path: "report.json"),
        // Arrays stay on the stack, where the program's own check would move them to a heap.
        environment: ["ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0"])
      #expect(
        !command.errors.contains("Sanitizer"), "\(name): \(command.errors.prefix(3000))")
      // Where clang has inlined a declaration, its debug information names another frame.
      if scenario.file.lastPathComponent.hasPrefix("declared_") { continue }
      scenario.expect(report, command, isGlibcHeap: false)
    }
  }

  /// A sanitizer that cannot see a fault proves nothing.
  @Test func theSanitizersSeeFaults() throws {
    let folder = try Built.folder("sanitizers-see")
    let source = folder.appending(path: "faulty.c")
    try """
    #include <pthread.h>
    #include <stdlib.h>
    static int shared;
    static void *worker(void *unused) { shared++; return unused; }
    int main(int count, char **arguments) {
      char *block = malloc(8);
      pthread_t thread;
      pthread_create(&thread, NULL, worker, NULL);
      shared++;
      pthread_join(thread, NULL);
      free(block);
      return block[count];
    }
    """.write(to: source, atomically: true, encoding: .utf8)
    for sanitizer in [Sanitizer.address, .thread] {
      try Scenario.compile(
        [source.path, "-g", "-o", "faulty"], in: folder, compilers: try sanitizer.compilers())
      let command = try Command.run([folder.appending(path: "faulty").path], in: folder)
      #expect(command.status != 0)
      #expect(command.errors.contains("Sanitizer"), "\(sanitizer)")
    }
  }
}
