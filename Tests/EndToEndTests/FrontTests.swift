import Foundation
import Testing

/// The library in front of the tracker: it has loaded it wherever a string is made, and is in the way
/// of nothing.
@Suite(.overAllProducts, .namingProducts) struct FrontTests {
  private let folder: URL

  init() throws { folder = try Built.folder("front-\(UUID().uuidString.prefix(8))") }

  private func write(_ text: String, to name: String) throws {
    try text.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
  }

  private func compile(_ words: [String]) throws {
    try Scenario.compile(["-g", "-O1", "-I\(Built.headers)"] + words, in: folder)
  }

  /// Builds `libplain.so`, which has plain BSTR functions.
  private func buildProvider() throws {
    let source = Built.root.appending(path: "Tests/Scenarios/support/plain_bstr.c").path
    try compile([source, "-shared", "-fPIC", "-o", "libplain.so"])
  }

  /// Builds `plugin.so`, which makes a string in `use` and forgets it.
  private func buildPlugin(_ flags: [String] = ["-L.", "-Wl,-rpath,.", "-lplain"]) throws {
    try write(
      "#include <bstr.h>\nvoid use(void) { SysAllocString(u\"plugged\"); }\n", to: "plugin.c")
    try compile(["plugin.c", "-shared", "-fPIC", "-o", "plugin.so"] + flags)
  }

  private func build(_ text: String, _ flags: [String] = []) throws {
    try write(text, to: "main.c")
    try compile(["main.c", "-o", "program"] + flags + ["-lpthread", "-ldl"])
  }

  private var plain: [String] { ["-L.", "-Wl,-rpath,.", "-lplain"] }

  /// Runs the program, and expects one leak of a string, allocated in `function`.
  private func expectLeak(
    of value: String, in function: String, environment: [String: String] = [:]
  ) throws {
    let traced = try Traced.run(["./program"], environment: environment, in: folder)
    #expect(traced.command.status == 23, "\(traced.command)")
    #expect(traced.report.findings.map(\.kind) == ["leak"])
    #expect(traced.report.findings.first?.values == [value])
    #expect(traced.report.findings.first?.stacks.allocated.first?.function == function)
  }

  private static let opening = """
    #include <dlfcn.h>
    int main(void) {
      void *plugin = dlopen("./plugin.so", FLAGS);
      if (!plugin) return 1;
      ((void (*)(void))dlsym(plugin, "use"))();
      return 0;
    }
    """

  @Test func aPluginIsTraced() throws {
    try buildProvider()
    try buildPlugin()
    try build(Self.opening.replacing("FLAGS", with: "RTLD_NOW"))
    try expectLeak(of: "plugged", in: "use")
  }

  /// What is looked up from its caller's place, by RUNPATH, is found as without the library.
  @Test func aPluginIsFoundWhereItsCallerLooks() throws {
    try buildProvider()
    try FileManager.default.createDirectory(
      at: folder.appending(path: "plugins"), withIntermediateDirectories: true)
    try buildPlugin()
    try FileManager.default.moveItem(
      at: folder.appending(path: "plugin.so"), to: folder.appending(path: "plugins/plugin.so"))
    try build(
      Self.opening.replacing("FLAGS", with: "RTLD_NOW").replacing("./plugin.so", with: "plugin.so"),
      ["-Wl,-rpath,$ORIGIN/plugins"])
    try expectLeak(of: "plugged", in: "use")
  }

  /// A library that finds its own scope first calls the copy that it needs itself, and one that needs
  /// none calls the tracker.
  @Test(arguments: [true, false]) func aPluginWithItsOwnScopeWorks(needsProvider: Bool) throws {
    try buildProvider()
    try buildPlugin(needsProvider ? plain : [])
    try build(Self.opening.replacing("FLAGS", with: "RTLD_NOW | RTLD_DEEPBIND"))
    guard needsProvider else { return try expectLeak(of: "plugged", in: "use") }
    let traced = try Traced.run(["./program"], in: folder)
    #expect(traced.command.status == 0, "\(traced.command)")
    #expect(traced.report.findings.isEmpty)
  }

  @Test func functionsThatAreBoundAtTheStartAreTraced() throws {
    try buildProvider()
    try build(
      "#include <bstr.h>\nint main(void) { SysAllocString(u\"bound\"); return 0; }\n", plain)
    try expectLeak(of: "bound", in: "main", environment: ["LD_BIND_NOW": "1"])
  }

  /// The library's thread-local storage is static and the tracker has none: it loads where an opened
  /// library could not get any.
  @Test func needsNoStaticStorageOfThreads() throws {
    try buildProvider()
    try buildPlugin()
    try build(Self.opening.replacing("FLAGS", with: "RTLD_NOW"))
    try expectLeak(
      of: "plugged", in: "use",
      environment: ["GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=0:glibc.rtld.nns=1"])
  }

  /// Of a function that only `dlsym` finds no module says that it is used.
  @Test func aFunctionThatIsLookedUpIsTraced() throws {
    try build(
      """
      #include <dlfcn.h>
      #include <stdlib.h>
      int main(void) {
        void *(*make)(const unsigned short *) = dlsym(RTLD_DEFAULT, "SysAllocString");
        if (!make) return 1;
        make((const unsigned short[]){'a', 0});
        return 0;
      }
      """)
    try expectLeak(of: "a", in: "main")
  }

  /// The loader may start a library first that does not depend on the preloaded one.
  @Test func aConstructorsStringIsTraced() throws {
    try buildProvider()
    try write(
      """
      #include <bstr.h>
      static __attribute__((constructor)) void early(void) { SysAllocString(u"early"); }
      """, to: "early.c")
    try compile(["early.c", "-shared", "-fPIC", "-o", "libearly.so"] + plain)
    try build(
      "int main(void) { return 0; }\n", ["-L.", "-Wl,-rpath,.", "-Wl,--no-as-needed", "-learly"])
    try expectLeak(of: "early", in: "early")
  }

  /// The thread's call would wait for the loader's lock, which the constructor's thread holds.
  @Test func aConstructorMayWaitForAThreadThatMakesAString() throws {
    try buildProvider()
    try write(
      """
      #include <bstr.h>
      #include <pthread.h>
      static void *work(void *unused) { SysAllocString(u"waited for"); return unused; }
      static __attribute__((constructor)) void wait(void) {
        pthread_t thread;
        pthread_create(&thread, 0, work, 0);
        pthread_join(thread, 0);
      }
      void use(void) {}
      """, to: "plugin.c")
    try compile(["plugin.c", "-shared", "-fPIC", "-o", "plugin.so"] + plain)
    try build(Self.opening.replacing("FLAGS", with: "RTLD_NOW"))
    try expectLeak(of: "waited for", in: "work")
  }

  /// An executable's own heap is behind the library's `free`, and comes before libc's.
  @Test func aProgramMayBringItsOwnMalloc() throws {
    try buildProvider()
    try build(
      """
      #include <bstr.h>
      #include <errno.h>
      #include <string.h>
      #include <stddef.h>
      static _Alignas(16) char memory[1 << 24];
      static size_t used;
      static long live;
      void *malloc(size_t bytes) {
        size_t size = (bytes + 31) & ~(size_t)15;
        size_t at = __atomic_fetch_add(&used, size, __ATOMIC_RELAXED);
        if (at + size > sizeof memory) return NULL;
        *(size_t *)(memory + at) = bytes;
        __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
        return memory + at + 16;
      }
      size_t malloc_usable_size(void *block) { return block ? *(size_t *)((char *)block - 16) : 0; }
      void free(void *block) {
        if (!block) return;
        if ((char *)block < memory || (char *)block >= memory + sizeof memory) __builtin_trap();
        __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
      }
      void *calloc(size_t count, size_t bytes) { return malloc(count * bytes); }
      void *realloc(void *block, size_t bytes) {
        void *moved = malloc(bytes);
        size_t old = malloc_usable_size(block);
        if (moved && block) memcpy(moved, block, old < bytes ? old : bytes);
        free(block);
        return moved;
      }
      void *memalign(size_t alignment, size_t bytes) { return alignment > 16 ? NULL : malloc(bytes); }
      void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }
      int posix_memalign(void **block, size_t alignment, size_t bytes) {
        return (*block = memalign(alignment, bytes)) ? 0 : ENOMEM;
      }
      int main(void) {
        for (int i = 0; i < 1000; i++) SysFreeString(SysAllocString(u"freed"));
        SysAllocString(u"own heap");
        return 0;
      }
      """, ["-rdynamic"] + plain)
    try expectLeak(of: "own heap", in: "main")
  }

  /// Handlers of forks are called with the library's own around them, whether the tracker is loaded
  /// before or after they are registered, and children record.
  @Test(arguments: ["before", "after"]) func forksAreWatched(loaded: String) throws {
    try buildProvider()
    try buildPlugin()
    try build(
      """
      #include <dlfcn.h>
      #include <pthread.h>
      #include <string.h>
      #include <sys/wait.h>
      #include <unistd.h>
      static void (*use)(void);
      static int calls;
      static void handler(void) { calls++; if (use && calls == 1) use(); }
      static void load(void) {
        use = (void (*)(void))dlsym(dlopen("./plugin.so", RTLD_NOW), "use");
      }
      int main(void) {
        if (LOADED_BEFORE) load();
        pthread_atfork(handler, handler, handler);
        if (!LOADED_BEFORE) load();
        alarm(20);
        pid_t child = fork();
        if (child == 0) { use(); _exit(0); }
        waitpid(child, 0, 0);
        child = vfork();
        if (child == 0) { execl("/bin/true", "true", (char *)0); _exit(1); }
        waitpid(child, 0, 0);
        return 0;
      }
      """.replacing("LOADED_BEFORE", with: loaded == "before" ? "1" : "0"))
    let traced = try Traced.run(["./program"], in: folder)
    #expect(traced.command.status == 23, "\(traced.command)")
    let live = traced.report.processes.map { $0.findings.map(\.count).reduce(0, +) }
    // The handler's in the parent, the child's own, and none of `true`.
    #expect(live.sorted() == [0, 1, 1])
  }

  /// A process that loads the tracker after all leaves a store in place of its note.
  @Test func aProcessHasANoteOrAStore() throws {
    try buildProvider()
    try buildPlugin()
    try build(Self.opening.replacing("FLAGS", with: "RTLD_NOW"))
    let traced = try Traced.run(["./program"], in: folder)
    #expect(traced.report.processes.count == 1)
    try write("int main(void) { return 3; }\n", to: "none.c")
    try compile(["none.c", "-o", "none"])
    let none = try Traced.run(["./none", "word"], in: folder)
    let process = try #require(none.report.processes.first)
    #expect(none.report.processes.count == 1)
    #expect(none.command.status == 3)
    #expect(process.ended == "exit" && process.status == 3)
    #expect(process.arguments == ["./none", "word"])
    #expect(process.totals.allocations == 0)
    #expect(none.report.explanation?.contains("neither imports nor exports") == true)
  }

  /// Of the processes without the tracker a report has one for each executable.
  @Test func untracedProcessesAreListedOnce() throws {
    let traced = try Traced.run(
      ["/bin/sh", "-c", "for i in 1 2 3; do /bin/true; /bin/false; done; exit 0"], in: folder)
    #expect(traced.command.status == 0, "\(traced.command)")
    let names = traced.report.processes.map { URL(filePath: $0.executable).lastPathComponent }
    #expect(names.sorted() == ["dash", "false", "true"])
    #expect(traced.report.processes.count { $0.ended == "exit" } == 1)
  }

  /// A process that cannot load the tracker when it opens a module goes on as without it.
  @Test func aProcessWithoutTheTrackerGoesOn() throws {
    try buildProvider()
    try buildPlugin()
    try build(Self.opening.replacing("FLAGS", with: "RTLD_NOW"))
    let alone = folder.appending(path: "libbstrtrace-preload.so")
    try FileManager.default.copyItem(
      at: Built.products.appending(path: "libbstrtrace-preload.so"), to: alone)
    let command = try Command.run(
      ["./program"], environment: ["LD_PRELOAD": alone.path], in: folder)
    #expect(command.status == 0, "\(command)")
    #expect(command.errors.hasPrefix("bstrtrace: nothing is recorded: "), "\(command.errors)")
    #expect(command.errors.contains("libbstrtrace-tracker.so: cannot open"), "\(command.errors)")
  }

  /// Two traced runs of two installations, one inside the other: the inner one's libraries come first,
  /// and the outer ones' leave all to them.
  @Test func aRunMayStartTheRunOfAnotherInstallation() throws {
    try buildProvider()
    try build(
      """
      #include <bstr.h>
      #include <stdio.h>
      int main(void) {
        char line[4096];
        FILE *maps = fopen("/proc/self/maps", "r");
        while (fgets(line, sizeof line, maps)) fputs(line, stdout);
        SysAllocString(u"inner");
        return 0;
      }
      """, plain)
    let other = folder.appending(path: "other")
    try FileManager.default.createDirectory(at: other, withIntermediateDirectories: true)
    for name in ["bstrtrace", "libbstrtrace-preload.so", "libbstrtrace-tracker.so"] {
      try FileManager.default.copyItem(
        at: Built.products.appending(path: name), to: other.appending(path: name))
    }
    let traced = try Traced.run(
      [other.appending(path: "bstrtrace").path, "run", "--", "./program"], in: folder)
    #expect(traced.command.status == 23, "\(traced.command)")
    #expect(traced.command.errors.contains("1 finding in 1 allocation"), "\(traced.command.errors)")
    #expect(!traced.command.errors.contains("nothing is recorded"), "\(traced.command.errors)")
    #expect(traced.report.findings.isEmpty)
    let trackers = traced.command.output.split(separator: "\n")
      .filter { $0.hasSuffix("/libbstrtrace-tracker.so") }
    #expect(!trackers.isEmpty)
    #expect(trackers.allSatisfy { $0.contains("/other/") }, "\(trackers)")
  }

  /// A program that becomes another one: the status is the last one's, and so is the explanation.
  @Test(arguments: ["exec ./none", "./none; exec ./none"])
  func theLastProgramHasTheStatus(script: String) throws {
    try write("int main(void) { return 3; }\n", to: "none.c")
    try compile(["none.c", "-o", "none"])
    for _ in 0..<5 {
      let traced = try Traced.run(["/bin/sh", "-c", script], in: folder)
      #expect(traced.command.status == 3)
      let ended = traced.report.processes.filter { $0.ended == "exit" }
      #expect(ended.map(\.status) == [3])
      #expect(ended.map { URL(filePath: $0.executable).lastPathComponent } == ["none"])
      #expect(
        traced.report.explanation?.hasPrefix("none ") == true, "\(traced.report.explanation ?? "")")
    }
  }

  /// Every child that leaks and becomes a program without the tracker did become it.
  @Test func programsThatReplaceTracedOnesAreSeen() throws {
    let (program, folder) = try LifecycleTests.build("ending")
    let traced = try Traced.run(
      ["/bin/sh", "-c", "\(program) exec; \(program) exec; exit 0"], in: folder)
    let leaking = traced.report.processes.filter { !$0.findings.isEmpty }
    #expect(leaking.count == 2)
    let text = try Command.run(
      [
        Built.tool, "run", "--per-process", "--", "/bin/sh", "-c",
        "\(program) exec; \(program) exec",
      ],
      in: folder
    ).errors
    #expect(text.components(separatedBy: "It became another program.").count == 3, "\(text)")
    #expect(!text.contains("its end was not seen"), "\(text)")
  }

  /// C promises that it is 0 when the program starts.
  @Test func errnoIsAsItWas() throws {
    try build("#include <errno.h>\nint main(void) { return errno; }\n")
    let command = try Command.run(
      [Built.tool, "run", "--", "/bin/sh", "-c", "./program && ./program && ./program"], in: folder)
    #expect(command.status == 0, "\(command)")
  }

  /// Handlers and other threads use the functions while the tracker is loaded.
  @Test func itIsLoadedBesideThreads() throws {
    try buildProvider()
    try buildPlugin()
    try build(
      """
      #include <dlfcn.h>
      #include <pthread.h>
      #include <stdlib.h>
      static volatile int stop;
      static void *work(void *unused) {
        void *block = NULL;
        for (size_t i = 1; !stop; i++) {
          block = realloc(block, i % 4000 + 1);
          if (!block) abort();
        }
        free(block);
        return unused;
      }
      static void *open_plugin(void *unused) {
        void *plugin = dlopen("./plugin.so", RTLD_NOW);
        if (!plugin) abort();
        ((void (*)(void))dlsym(plugin, "use"))();
        return unused;
      }
      int main(void) {
        pthread_t workers[3], openers[2];
        for (int i = 0; i < 3; i++) pthread_create(&workers[i], 0, work, 0);
        for (int i = 0; i < 2; i++) pthread_create(&openers[i], 0, open_plugin, 0);
        for (int i = 0; i < 2; i++) pthread_join(openers[i], 0);
        stop = 1;
        for (int i = 0; i < 3; i++) pthread_join(workers[i], 0);
        return 0;
      }
      """)
    for _ in 0..<10 {
      let traced = try Traced.run(["./program"], in: folder)
      #expect(traced.command.status == 23, "\(traced.command)")
      #expect(traced.report.findings.map(\.count) == [2])
    }
  }

  /// What libc itself has opened, by the name service, comes before the tracker.
  @Test func modulesThatLibcOpensAreNoMatter() throws {
    try buildProvider()
    try buildPlugin()
    try build(
      Self.opening.replacing("FLAGS", with: "RTLD_NOW").replacing(
        "int main(void) {",
        with: "#include <iconv.h>\nint main(void) {\n  iconv_open(\"UTF-16\", \"KOI8-R\");"))
    try expectLeak(of: "plugged", in: "use")
  }
}
