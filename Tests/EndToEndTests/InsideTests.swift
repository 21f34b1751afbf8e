import Foundation
import Testing

/// Functions inside of modules are replaced where that is certain to be right; where it is not,
/// nothing is changed, and the report says why.
@Suite(.overAllProducts, .namingProducts) struct InsideTests {
  /// The functions, in a program of one file, with a `SCOPE`, an `OFFSET` and a `CHARACTER`.
  static let family = """
    #include <stdint.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <unistd.h>
    #ifndef SCOPE
    #define SCOPE
    #endif
    #ifndef OFFSET
    #define OFFSET 8
    #endif
    #define KEPT __attribute__((noinline, used)) SCOPE
    #ifndef CHARACTER
    #define CHARACTER uint16_t
    #endif
    typedef CHARACTER *BSTR;
    KEPT BSTR SysAllocStringLen(const CHARACTER *text, uint32_t count) {
      uint32_t bytes = count * sizeof(CHARACTER);
      char *block = (char *)calloc(1, OFFSET + bytes + sizeof(CHARACTER));
      memcpy(block + OFFSET - 4, &bytes, 4);
      memcpy(block + OFFSET, text, bytes);
      return (BSTR)(block + OFFSET);
    }
    KEPT void SysFreeString(BSTR text) {
      if (text) free((char *)text - OFFSET);
    }

    """
  /// Forgets one string of three.
  static let use = """
    __attribute__((noinline)) static BSTR make(uint32_t count) {
      static const CHARACTER text[] = {'s', 't', 'r', 'i', 'n', 'g'};
      return SysAllocStringLen(text, count);
    }
    __attribute__((noinline)) static void forget(void) { printf("%c\\n", (char)make(4)[3]); }
    int main(void) {
      SysFreeString(make(6));
      forget();
      SysFreeString(make(5));
      return 0;
    }

    """

  func build(
    _ source: String, _ name: String = "program.c", _ flags: [String] = [], in folder: URL
  ) throws {
    let path = URL(filePath: name)
    try source.write(to: folder.appending(path: name), atomically: false, encoding: .utf8)
    try Scenario.compile(
      [name, "-g", "-o", path.deletingPathExtension().relativePath] + flags, in: folder)
  }

  func folder() throws -> URL { try Built.folder("inside-\(UUID().uuidString.prefix(8))") }

  /// Runs the program with and without the tracker: it does the same.
  ///
  /// - Parameters:
  ///   - launcher: a program that starts it, and its arguments.
  ///   - prepare: what is done before each of the two.
  func run(
    flags: [String] = ["--inside"], launcher: [String] = [], in folder: URL,
    prepare: () throws -> Void = {}
  ) throws -> Traced {
    let words = launcher + [folder.appending(path: "program").path]
    try prepare()
    let alone = try Command.run(words, in: folder)
    try prepare()
    let traced = try Traced.run(words, flags: flags, in: folder)
    #expect(traced.command.output == alone.output)
    let status = traced.report.findings.isEmpty ? alone.status : 23
    #expect(traced.command.status == status, "\(traced.command)")
    #expect(traced.command.errors == alone.errors)
    return traced
  }

  /// Nothing is replaced, the program is not disturbed, and report and `check` give the reason.
  func expectRefusal(
    _ reason: String, isInFile: Bool = true, launcher: [String] = [], in folder: URL,
    prepare: () throws -> Void = {}
  ) throws {
    let traced = try run(launcher: launcher, in: folder, prepare: prepare)
    let process = try #require(traced.report.processes.last)
    #expect(process.totals.allocations == 0)
    let sentence = "They are not replaced: \(reason)."
    #expect(process.coverage.count == 1)
    #expect(process.coverage.first?.message.hasSuffix(sentence) == true, "\(process.coverage)")
    let checked = try Command.run([Built.tool, "check", "--inside", "./program"], in: folder)
    #expect(checked.output.contains(sentence) == isInFile, "\(checked.output)")
    #expect(checked.status == (isInFile ? 23 : 0))
  }

  func expectLeak(_ traced: Traced, bytes: Int = 8, allocations: Int = 3) {
    let process = traced.report.processes.last
    #expect(process?.totals.allocations == allocations)
    #expect(process?.coverage.isEmpty == true, "\(process.debugDescription)")
    #expect(traced.report.findings.map(\.kind) == ["leak"])
    #expect(traced.report.findings.map(\.bytes) == [bytes])
    #expect(traced.report.findings.first?.stacks.allocated.isEmpty == false)
  }

  // MARK: replaced

  @Test(arguments: [
    ["-fvisibility=hidden"], ["-DSCOPE=static"], ["-rdynamic"],
    ["-fvisibility=hidden", "-DOFFSET=4", "-DCHARACTER=uint32_t"],
    ["-fvisibility=hidden", "-O2", "-flto"],
  ])
  func aProgramsOwn(flags: [String]) throws {
    let folder = try folder()
    try build(Self.family + Self.use, "program.c", flags, in: folder)
    let isWide = flags.contains("-DOFFSET=4")
    expectLeak(try run(in: folder), bytes: isWide ? 16 : 8)
  }

  /// Static C++ functions have names of their own.
  @Test(arguments: [false, true]) func staticCxx(usesNew: Bool) throws {
    let folder = try folder()
    let heap =
      usesNew
      ? "#define calloc(n, size) memset(new char[size], 0, size)\n#define free(block) delete[] (block)\n"
      : ""
    let family = Self.family.replacing("typedef", with: heap + "typedef")
    try build(
      family + Self.use, "program.cpp", ["-DSCOPE=static", "-DCHARACTER=wchar_t"], in: folder)
    expectLeak(try run(in: folder), bytes: 16)
  }

  /// Each module's strings have its own layout.
  @Test func twoLayouts() throws {
    let folder = try folder()
    let hidden = ["-fvisibility=hidden"]
    try build(
      Self.family + Self.use.replacing("int main", with: "int work"), "libwork.so.c",
      hidden + [
        "-shared", "-fPIC", "-DOFFSET=4", "-DCHARACTER=uint32_t",
        "-Dwork=__attribute__((visibility(\"default\"))) work",
      ],
      in: folder)
    try build(
      Self.family + Self.use.replacing("return 0", with: "extern int work(void); return work()"),
      "program.c", hidden + ["-L.", "-Wl,-rpath,\(folder.path)", "-l:libwork.so"], in: folder)
    let traced = try run(in: folder)
    #expect(traced.report.processes.last?.totals.allocations == 6)
    #expect(traced.report.processes.last?.coverage.isEmpty == true)
    #expect(traced.report.findings.map(\.bytes).sorted() == [8, 16])
  }

  /// A library that is bound to itself, whose functions others use through the dynamic linker.
  @Test func boundToItself() throws {
    let folder = try folder()
    try build(
      Self.family + Self.use.replacing("int main", with: "int work"), "libwork.so.c",
      ["-shared", "-fPIC", "-Wl,-Bsymbolic"], in: folder)
    try build(
      """
      #include <stdint.h>
      extern uint16_t *SysAllocStringLen(const uint16_t *, uint32_t);
      extern void SysFreeString(uint16_t *);
      extern int work(void);
      int main(void) {
        uint16_t text[] = {'t'};
        SysFreeString(SysAllocStringLen(text, 1));
        return work();
      }
      """, "program.c", ["-L.", "-Wl,-rpath,\(folder.path)", "-l:libwork.so"], in: folder)
    expectLeak(try run(in: folder), allocations: 4)
  }

  /// A forked child goes on with what was replaced.
  @Test func aForkedChild() throws {
    let folder = try folder()
    let fork = "#include <sys/wait.h>\nint child = fork(); if (child) { wait(0); return 0; }"
    try build(
      Self.family
        + Self.use.replacing("int main(void) {", with: "int main(void) {\n\(fork)"),
      "program.c", ["-fvisibility=hidden", "-include", "sys/wait.h"], in: folder)
    let traced = try run(in: folder)
    let processes = traced.report.processes.filter { $0.executable.hasSuffix("/program") }
    #expect(processes.map(\.totals.allocations).sorted() == [0, 3])
    #expect(processes.allSatisfy { $0.coverage.isEmpty }, "\(processes)")
    #expect(traced.report.findings.map(\.kind) == ["leak"])
  }

  /// Callers that saw the functions rely on what those leave alone: every register is kept.
  @Test(arguments: [Scenario.gcc.c, Scenario.clang.c]) func registersAreKept(
    compiler: [String]
  ) throws {
    let folder = try folder()
    let sources = Built.root.appending(path: "Tests/Scenarios")
    try Scenario.compile(
      [sources.appending(path: "layouts/registers.c").path]
        + [sources.appending(path: "support/plain_bstr.c").path, "-g", "-O1", "-o", "program"]
        + ["-fvisibility=hidden", "-I\(Built.headers)"], in: folder, compilers: (compiler, []))
    let traced = try Traced.run(
      [folder.appending(path: "program").path], flags: ["--inside"], in: folder)
    #expect(traced.command.output == "kept\n")
    #expect(traced.report.processes.last?.totals.allocations == 8)
    #expect(traced.report.findings.isEmpty)
  }

  // MARK: opened later

  /// A plug-in, by the way in which the loader initialises it, opened again and again.
  @Test(arguments: [[], ["-nostartfiles"]]) func aPlugIn(flags: [String]) throws {
    let folder = try folder()
    let constructors = """
      static BSTR early;
      __attribute__((constructor)) static void first(void) { early = make(3); }
      __attribute__((destructor)) static void last(void) { SysFreeString(early); }

      """
    let exported = "__attribute__((visibility(\"default\"))) int work"
    try build(
      Self.family
        + Self.use.replacing("int main", with: constructors + exported), "plugin.so.c",
      ["-shared", "-fPIC", "-fvisibility=hidden"] + flags, in: folder)
    try build(
      """
      #include <dlfcn.h>
      int main(void) {
        for (int i = 0; i < 20; i++) {
          void *plugin = dlopen("./plugin.so", RTLD_NOW);
          if (!plugin || ((int (*)(void))dlsym(plugin, "work"))() != 0) return 1;
          dlclose(plugin);
        }
        return 0;
      }
      """, "program.c", ["-ldl"], in: folder)
    let traced = try run(in: folder)
    #expect(traced.report.processes.last?.totals.allocations == 80)
    #expect(traced.report.processes.last?.totals.frees == 60)
    #expect(traced.report.processes.last?.coverage.isEmpty == true)
    #expect(traced.report.findings.map(\.kind) == ["leak"])
    #expect(traced.report.findings.map(\.count) == [20])
  }

  /// Other threads allocate while plug-ins are opened and closed.
  @Test func aPlugInBesideThreads() throws {
    let folder = try folder()
    let exported = "__attribute__((visibility(\"default\"))) int work"
    try build(
      Self.family + Self.use.replacing("int main", with: exported), "plugin.so.c",
      ["-shared", "-fPIC", "-fvisibility=hidden"], in: folder)
    try build(
      Self.family + """
        #include <dlfcn.h>
        #include <pthread.h>
        static volatile int isOver;
        static void *loop(void *nothing) {
          static const CHARACTER text[] = {'t', 'e', 'x', 't'};
          while (!isOver) SysFreeString(SysAllocStringLen(text, 4));
          return nothing;
        }
        int main(void) {
          // Not flushed yet.
          printf("begins\\n");
          pthread_t threads[2];
          for (int i = 0; i < 2; i++) pthread_create(&threads[i], 0, loop, 0);
          for (int i = 0; i < 100; i++) {
            void *plugin = dlopen("./plugin.so", RTLD_NOW);
            if (!plugin || ((int (*)(void))dlsym(plugin, "work"))() != 0) return 1;
            dlclose(plugin);
          }
          isOver = 1;
          for (int i = 0; i < 2; i++) pthread_join(threads[i], 0);
          return 0;
        }

        """, "program.c", ["-ldl", "-lpthread", "-fvisibility=hidden"], in: folder)
    let traced = try run(in: folder)
    #expect(traced.report.processes.last?.coverage.isEmpty == true)
    #expect(traced.report.findings.map(\.kind) == ["leak"])
    #expect(traced.report.findings.map(\.count) == [100])
  }

  /// A program with two hundred modules, each with functions of its own.
  @Test func twoHundredModules() throws {
    let folder = try folder()
    let exported = "__attribute__((visibility(\"default\"))) int work"
    try build(
      Self.family + Self.use.replacing("int main", with: exported), "libwork0.so.c",
      ["-shared", "-fPIC", "-fvisibility=hidden", "-Wl,--build-id=none"], in: folder)
    let names = (0..<200).map { "libwork\($0).so" }
    for name in names.dropFirst() {
      try FileManager.default.copyItem(
        at: folder.appending(path: names[0]), to: folder.appending(path: name))
    }
    try build(
      """
      #include <dlfcn.h>
      #include <stdio.h>
      int main(void) {
        for (int i = 0; i < 200; i++) {
          char name[32];
          snprintf(name, sizeof name, "libwork%d.so", i);
          if (((int (*)(void))dlsym(dlopen(name, RTLD_NOW), "work"))() != 0) return 1;
        }
        return 0;
      }
      """, "program.c",
      ["-L.", "-Wl,-rpath,\(folder.path)", "-Wl,--no-as-needed"] + names.map { "-l:\($0)" },
      in: folder)
    for _ in 0..<5 {
      let traced = try run(in: folder)
      #expect(traced.report.processes.last?.totals.allocations == 600)
      #expect(traced.report.processes.last?.coverage.isEmpty == true)
      #expect(traced.report.findings.map(\.count).reduce(0, +) == 200)
    }
  }

  /// Its functions end the child, with what the program has not written yet in its buffers.
  @Test func aPlugInThatExits() throws {
    let folder = try folder()
    let exported = "__attribute__((visibility(\"default\"))) int work"
    let exits = Self.family.replacing(
      "memcpy(block + OFFSET, text, bytes);",
      with: "if (count > 6) exit(3); memcpy(block + OFFSET, text, bytes);")
    try build(
      exits + Self.use.replacing("int main", with: exported), "plugin.so.c",
      ["-shared", "-fPIC", "-fvisibility=hidden"], in: folder)
    try build(
      """
      #include <dlfcn.h>
      #include <stdio.h>
      int main(void) {
        printf("begins\\n");
        return ((int (*)(void))dlsym(dlopen("./plugin.so", RTLD_NOW), "work"))();
      }
      """, "program.c", ["-ldl"], in: folder)
    let traced = try run(in: folder)
    #expect(traced.report.processes.last?.totals.allocations == 0)
    #expect(
      traced.report.processes.last?.coverage.first?.message.contains("tried out") == true)
  }

  /// A plug-in that cannot be relocated leaves nothing behind.
  @Test func aPlugInThatCannotBeOpened() throws {
    let folder = try folder()
    let exported = "__attribute__((visibility(\"default\"))) int work"
    let source = Self.family + Self.use.replacing("int main", with: exported)
    let shared = ["-shared", "-fPIC", "-fvisibility=hidden"]
    try build(source, "plugin.so.c", shared, in: folder)
    try build(
      source.replacing("return 0", with: "extern int missing(void); return missing()"),
      "broken.so.c", shared, in: folder)
    try build(
      """
      #include <dlfcn.h>
      int main(void) {
        for (int i = 0; i < 40; i++) if (dlopen("./broken.so", RTLD_NOW)) return 1;
        return ((int (*)(void))dlsym(dlopen("./plugin.so", RTLD_NOW), "work"))();
      }
      """, "program.c", ["-ldl"], in: folder)
    expectLeak(try run(in: folder))
  }

  // MARK: refused

  @Test func oneIsShorterThanAJump() throws {
    let folder = try folder()
    try build(
      Self.family.replacing("if (text) free((char *)text - OFFSET);", with: "") + Self.use,
      "program.c", ["-fvisibility=hidden", "-O2"], in: folder)
    try expectRefusal("one is shorter than a jump", in: folder)
  }

  @Test func anotherFunctionIsThere() throws {
    let folder = try folder()
    let folded = "void release(BSTR text) __attribute__((alias(\"SysFreeString\")));\n"
    try build(Self.family + folded + Self.use, "program.c", ["-fvisibility=hidden"], in: folder)
    try expectRefusal("another function is at the address of one", in: folder)
  }

  @Test func oneIsCloned() throws {
    let folder = try folder()
    let clone = """
      BSTR five(const CHARACTER *text) __asm__("SysAllocStringLen.constprop.0");
      KEPT BSTR five(const CHARACTER *text) { return SysAllocStringLen(text, 5); }

      """
    try build(Self.family + clone + Self.use, "program.c", ["-fvisibility=hidden"], in: folder)
    try expectRefusal(
      "a compiler made a clone of one, which is called in its own way", in: folder)
  }

  @Test func thereAreSeveralOfOneName() throws {
    let folder = try folder()
    try build(
      Self.family + "int other(void) { return (int)(uintptr_t)SysAllocStringLen; }\n",
      "other.o.c", ["-c", "-DSCOPE=static"], in: folder)
    try build(Self.family + Self.use, "program.c", ["-DSCOPE=static", "other.o"], in: folder)
    try expectRefusal("there are several of one name", in: folder)
  }

  @Test func theyAreOverloads() throws {
    let folder = try folder()
    let overload = """
      KEPT wchar_t *SysAllocStringLen(const wchar_t *, uint32_t) { return 0; }

      """
    try build(
      Self.family + overload + Self.use, "program.cpp",
      ["-fvisibility=hidden", "-DCHARACTER=char16_t"], in: folder)
    try expectRefusal("they are overloads", in: folder)
  }

  /// A static family of which only the function that allocates was not inlined.
  @Test func onlySomeAreLeft() throws {
    let folder = try folder()
    let family = Self.family.replacing(
      "KEPT void SysFree", with: "static inline __attribute__((always_inline)) void SysFree")
    // The name is somewhere, as in debug information.
    let name = "int SysFreeStringCalls;\n"
    try build(
      family + name + Self.use, "program.cpp",
      ["-DSCOPE=static", "-DCHARACTER=char16_t", "-O2"], in: folder)
    try expectRefusal("a compiler left only some of them", in: folder)
  }

  /// Tried out in a child, they harm nobody: no length in front, another heap, a crash, no end.
  @Test(arguments: [
    ("memcpy(block + OFFSET - 4, &bytes, 4);", ""),
    ("free((char *)text - OFFSET);", "memset((char *)text - OFFSET, 0, OFFSET);"),
    (
      "memcpy(block + OFFSET, text, bytes);",
      "if (count > 6) *(volatile int *)8 = 0; memcpy(block + OFFSET, text, bytes);"
    ),
    (
      "memcpy(block + OFFSET, text, bytes);",
      "if (count > 6) pause(); memcpy(block + OFFSET, text, bytes);"
    ),
    (
      "memcpy(block + OFFSET, text, bytes);",
      "if (count > 6) exit(3); memcpy(block + OFFSET, text, bytes);"
    ),
  ])
  func theyDoSomethingElse(part: String, other: String) throws {
    let folder = try folder()
    try build(
      Self.family.replacing(part, with: other) + Self.use, "program.c", ["-fvisibility=hidden"],
      in: folder)
    try expectRefusal(
      "tried out, they did not do what a BSTR's functions do", isInFile: false, in: folder)
  }

  /// A parameter that the compiler has dropped without another name for the function.
  @Test func aParameterIsDropped() throws {
    let folder = try folder()
    let family = Self.family.replacing("noinline, used", with: "noinline")
    let use = Self.use.replacing(
      "SysAllocStringLen(text, count)", with: "SysAllocStringLen(text, 4)")
    try build(
      family + use, "program.c", ["-DSCOPE=static", "-O2"], in: folder)
    try Scenario.compile(
      ["program.c", "-g", "-o", "program", "-DSCOPE=static", "-O2"], in: folder,
      compilers: Scenario.clang)
    let traced = try run(in: folder)
    #expect(traced.report.processes.last?.totals.allocations == 0)
    #expect(traced.report.findings.isEmpty)
  }

  /// A library's constructor has started a thread, which may be anywhere.
  @Test func thereAreThreads() throws {
    let folder = try folder()
    try build(
      """
      #include <pthread.h>
      #include <unistd.h>
      static void *wait(void *nothing) { pause(); return nothing; }
      __attribute__((constructor)) static void start(void) {
        pthread_t thread;
        pthread_create(&thread, 0, wait, 0);
      }
      int started;
      """, "libthread.so.c", ["-shared", "-fPIC"], in: folder)
    try build(
      Self.family + Self.use.replacing("return 0", with: "extern int started; return started"),
      "program.c",
      ["-fvisibility=hidden", "-L.", "-Wl,-rpath,\(folder.path)", "-l:libthread.so"], in: folder)
    try expectRefusal(
      "the process had several threads when they were looked at", isInFile: false, in: folder)
  }
}
