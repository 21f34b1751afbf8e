import Foundation
import Testing

/// What keeps functions inside of modules from being replaced, outside of their files: nothing is
/// changed then, and the report says why.
extension InsideTests {
  private static let visible = "__attribute__((visibility(\"default\")))"
  private static let shared = ["-shared", "-fPIC", "-fvisibility=hidden"]

  /// A plug-in with the functions, and a function `work`.
  private func buildPlugIn(
    _ name: String = "plugin.so", family: String = Self.family, work: String = "work",
    _ flags: [String] = [], in folder: URL
  ) throws {
    try build(
      family + Self.use.replacing("int main", with: "\(Self.visible) int \(work)"), "\(name).c",
      Self.shared + flags, in: folder)
  }

  /// A program that opens the plug-in, after some statements.
  private func buildHost(_ before: String = "", in folder: URL) throws {
    try build(
      """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <elf.h>
      #include <fcntl.h>
      #include <link.h>
      #include <pthread.h>
      #include <stdio.h>
      #include <sys/mman.h>
      #include <time.h>
      #include <unistd.h>
      static void *open_plugin(void) { return dlopen("./plugin.so", RTLD_NOW); }
      int main(void) {
        \(before)
        void *plugin = open_plugin();
        return plugin ? ((int (*)(void))dlsym(plugin, "work"))() : 1;
      }
      """, "program.c", ["-ldl", "-lpthread"], in: folder)
  }

  // MARK: the code cannot be written to

  /// A program that refuses a system call with a certain argument to itself and what it starts, and
  /// starts a program.
  private func buildFilter(call: String, argument: Int, value: String, in folder: URL) throws {
    try build(
      """
      #define _GNU_SOURCE
      #include <errno.h>
      #include <fcntl.h>
      #include <linux/filter.h>
      #include <linux/seccomp.h>
      #include <stddef.h>
      #include <sys/prctl.h>
      #include <sys/syscall.h>
      #include <unistd.h>
      int main(int count, char **arguments) {
        struct sock_filter code[] = {
          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, \(call), 0, 3),
          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[\(argument)])),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, \(value), 0, 1),
          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog filter = {sizeof code / sizeof *code, code};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &filter)) return 9;
        execv(arguments[1], arguments + 1);
        return count > 0 ? 10 : 11;
      }
      """, "filter.c", in: folder)
  }

  /// A filter refuses to open /proc/self/mem, as that is opened, or to write the five bytes.
  @Test(arguments: [
    ("SYS_openat", 2, "(O_RDWR | O_CLOEXEC)"), ("SYS_pwrite64", 2, "5"),
  ])
  func theCodeCannotBeWritten(call: String, argument: Int, value: String) throws {
    let folder = try folder()
    try buildFilter(call: call, argument: argument, value: value, in: folder)
    try build(Self.family + Self.use, "program.c", ["-fvisibility=hidden"], in: folder)
    try expectRefusal(
      "the code could not be written to", isInFile: false, launcher: ["./filter"], in: folder)
  }

  /// Of three functions the first two can be written to: they are as before.
  @Test func notAllOfTheCodeCanBeWritten() throws {
    let folder = try folder()
    // The functions of other pages are at other addresses: the filter sees the lower half of one.
    try build(
      Self.family + Self.use, "program.c",
      ["-fvisibility=hidden", "-no-pie", "-fcf-protection=none"], in: folder)
    let symbols = try Command.run(["nm", "program"], in: folder).output
    let line = try #require(
      symbols.split(separator: "\n").first { $0.hasSuffix(" SysAllocStringLen") })
    let address = line.prefix { $0 != " " }
    try buildFilter(call: "SYS_pwrite64", argument: 3, value: "0x\(address)", in: folder)
    try expectRefusal(
      "the code could not be written to", isInFile: false, launcher: ["./filter"], in: folder)
  }

  // MARK: there is no room

  /// All that is near the plug-in is taken.
  @Test func thereIsNoRoomForJumps() throws {
    let folder = try folder()
    try buildPlugIn("plugin.so", ["-Wl,-z,max-page-size=4096"], in: folder)
    try buildHost(
      """
      static Elf64_Ehdr header;
      static Elf64_Phdr segments[32];
      int file = open("./plugin.so", O_RDONLY);
      if (pread(file, &header, sizeof header, 0) != sizeof header) return 2;
      size_t bytes = header.e_phnum * sizeof *segments, end = 0, half = 3ul << 30;
      if (pread(file, segments, bytes, header.e_phoff) != (ssize_t)bytes) return 3;
      close(file);
      for (int i = 0; i < header.e_phnum; i++)
        if (segments[i].p_type == PT_LOAD) end = segments[i].p_vaddr + segments[i].p_memsz;
      end = (end + 4095) & ~4095ul;
      int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
      char *all = mmap(0, 2 * half + end, PROT_NONE, flags, -1, 0);
      // Nor is there room for it between two other modules.
      while ((char *)mmap(0, end, PROT_NONE, flags, -1, 0) > all) {}
      if (all == MAP_FAILED || munmap(all + half, end) != 0) return 4;
      struct link_map *map = open_plugin();
      if (!map || (char *)map->l_addr != all + half) return 5;
      """, in: folder)
    let traced = try run(in: folder)
    #expect(traced.command.status == 0, "\(traced.command)")
    try expectRefusal(
      "there was no room for jumps near the module", isInFile: false, in: folder)
  }

  // MARK: the file is another one

  /// While it is relocated, a library puts another file in its own place.
  @Test func theFileIsReplaced() throws {
    let folder = try folder()
    let path = folder.appending(path: "libwork.so").path
    let resolver = """
      static long call(long number, const char *one, const char *other) {
        long result;
        __asm__ volatile("syscall" : "=a"(result)
          : "a"(number), "D"(one), "S"(other) : "rcx", "r11", "memory");
        return result;
      }
      static int zero(void) { return 0; }
      static void *resolve(void) {
        static const char path[] = "\(path)", other[] = "\(folder.path)/other.so";
        call(87, path, 0);
        call(86, other, path);
        return (void *)zero;
      }
      static int resolved(void) __attribute__((ifunc("resolve")));
      int (*volatile pointer)(void) = resolved;

      """
    let source =
      Self.family + resolver
      + Self.use.replacing("int main", with: "\(Self.visible) int work")
      .replacing("return 0", with: "return pointer()")
    try build(source, "libwork.so.c", Self.shared + ["-Wl,-z,now"], in: folder)
    let first = "int first(int n) { return n + 1; }\n"
    try build(first + source, "other.so.c", Self.shared, in: folder)
    try FileManager.default.copyItem(atPath: path, toPath: path + ".kept")
    try build(
      "extern int work(void);\nint main(void) { return work(); }\n", "program.c",
      ["-L.", "-Wl,-rpath,\(folder.path)", "-l:libwork.so"], in: folder)
    try expectRefusal("the file is not what was loaded", isInFile: false, in: folder) {
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.copyItem(atPath: path + ".kept", toPath: path)
    }
  }

  /// The loader has changed the code itself: it has relocations in it.
  @Test func theCodeWasRelocated() throws {
    let folder = try folder()
    try build(
      Self.family + Self.use.replacing("int main", with: "\(Self.visible) int work"),
      "libwork.so.c",
      [
        "-shared", "-fno-pic", "-mcmodel=large", "-fvisibility=hidden", "-Wl,-z,notext",
        "-Wno-error",
      ], in: folder)
    try build(
      "extern int work(void);\nint main(void) { return work(); }\n", "program.c",
      ["-L.", "-Wl,-rpath,\(folder.path)", "-l:libwork.so"], in: folder)
    try expectRefusal("the file is not what was loaded", isInFile: false, in: folder)
  }

  // MARK: there is no moment

  private static let noMoment =
    "it was opened later, and when nothing runs in it yet cannot be told"

  /// Nothing of the plug-in runs when it is opened.
  @Test func aPlugInWithoutConstructors() throws {
    let folder = try folder()
    try buildPlugIn("plugin.so", ["-nostartfiles"], in: folder)
    try buildHost(in: folder)
    try expectRefusal(Self.noMoment, isInFile: false, in: folder)
  }

  /// Seventeen plug-ins at once: one more than there is room for.
  @Test func tooManyPlugInsAtOnce() throws {
    let folder = try folder()
    let names = (0..<17).map { "libwork\($0).so" }
    for (index, name) in names.enumerated() {
      try buildPlugIn(name, work: "work\(index)", in: folder)
    }
    let declarations = names.indices.map { "extern int work\($0)(void);\n" }.joined()
    let calls = names.indices.map { "work\($0)()" }.joined(separator: " | ")
    try build(
      declarations + "int work(void) { return \(calls); }\n", "plugin.so.c",
      ["-shared", "-fPIC", "-L.", "-Wl,-rpath,\(folder.path)"] + names.map { "-l:\($0)" },
      in: folder)
    try buildHost(in: folder)
    let traced = try run(in: folder)
    let process = try #require(traced.report.processes.last)
    #expect(process.totals.allocations == 16 * 3)
    #expect(process.coverage.count == 1)
    #expect(
      process.coverage.first?.message.hasSuffix("They are not replaced: \(Self.noMoment).") == true)
    #expect(traced.report.findings.count == 16)
  }

  /// An executable that has a copy of the loader's list, made before the program starts.
  @Test func aCopyOfTheLoadersList() throws {
    let folder = try folder()
    try buildPlugIn(in: folder)
    try build(
      """
      #include <dlfcn.h>
      #include <link.h>
      int main(void) {
        void *plugin = dlopen("./plugin.so", RTLD_NOW);
        return _r_debug.r_map && plugin ? ((int (*)(void))dlsym(plugin, "work"))() : 1;
      }
      """, "program.c", ["-ldl", "-no-pie", "-fno-pic"], in: folder)
    let relocations = try Command.run(["readelf", "-rW", "program"], in: folder).output
    try #require(relocations.contains(/R_X86_64_COPY .* _r_debug/))
    expectLeak(try run(in: folder))
  }

  /// Where the loader does not tell of modules that are opened, the report says so.
  @Test func theLoaderIsNotWatched() throws {
    let folder = try folder()
    try buildFilter(call: "SYS_pwrite64", argument: 2, value: "5", in: folder)
    try buildPlugIn(in: folder)
    try buildHost(in: folder)
    let traced = try run(launcher: ["./filter"], in: folder)
    let process = try #require(traced.report.processes.last)
    #expect(process.totals.allocations == 0)
    #expect(process.coverage.map(\.reason) == ["own-copy"])
    let isNoted = process.notes.contains {
      $0.hasPrefix("Modules that it opened were not looked at for functions to replace: ")
    }
    #expect(isNoted, "\(process.notes)")
    let watched = try run(in: folder)
    #expect(watched.report.processes.last?.notes.isEmpty == true)
  }

  // MARK: they do something else

  private static let unanswered = "tried out, they did not do what a BSTR's functions do"

  private func expectUnanswered(_ family: String, in folder: URL) throws {
    try build(family + Self.use, "program.c", ["-fvisibility=hidden"], in: folder)
    try expectRefusal(Self.unanswered, isInFile: false, in: folder)
  }

  /// A function that stays, and reads a field of its own in front of the length.
  @Test(arguments: ["SysStringLen", "SysStringByteLen"]) func aReaderHasItsOwnField(
    reader: String
  ) throws {
    let field = reader == "SysStringLen" ? "count" : "bytes"
    let family = Self.family.replacing(
      "memcpy(block + OFFSET - 4", with: "memcpy(block, &\(field), 4); memcpy(block + OFFSET - 4")
    try expectUnanswered(
      family + "KEPT uint32_t \(reader)(BSTR text) { return ((uint32_t *)text)[-2]; }\n",
      in: try folder())
  }

  @Test(arguments: ["", "static"]) func readersThatStay(scope: String) throws {
    let folder = try folder()
    let readers = """
      KEPT uint32_t SysStringByteLen(BSTR text) { return text ? ((uint32_t *)text)[-1] : 0; }
      KEPT uint32_t SysStringLen(BSTR text) { return SysStringByteLen(text) / sizeof(CHARACTER); }

      """
    try build(
      Self.family + readers + Self.use, "program.c",
      ["-fvisibility=hidden"] + (scope.isEmpty ? [] : ["-DSCOPE=\(scope)"]), in: folder)
    expectLeak(try run(in: folder))
  }

  /// A text of nothing, no text, and no string.
  @Test(arguments: [
    "KEPT BSTR SysAllocString(const CHARACTER *t) { return SysAllocStringLen(t, t ? LENGTH : 0); }",
    "KEPT BSTR SysAllocString(const CHARACTER *t) { return t && *t ? SysAllocStringLen(t, LENGTH) : 0; }",
    "KEPT uint32_t SysStringLen(BSTR t) { return t ? ((uint32_t *)t)[-1] / sizeof *t : 7; }",
    // No address, for an empty text.
    "KEPT BSTR SysAllocString(const CHARACTER *t) { return t && !*t ? (BSTR)-8 : t ? SysAllocStringLen(t, LENGTH) : 0; }",
    // As an exception ends that nothing catches.
    "KEPT BSTR SysAllocString(const CHARACTER *t) { if (!t) abort(); return SysAllocStringLen(t, LENGTH); }",
    """
    KEPT BSTR SysAllocStringByteLen(const char *t, uint32_t n) {
      return n ? SysAllocStringLen((const CHARACTER *)t, n / sizeof(CHARACTER)) : 0;
    }
    """,
    """
    KEPT int SysReAllocStringLen(BSTR *s, const CHARACTER *t, uint32_t n) {
      if (!*s) return 0;
      SysFreeString(*s);
      *s = SysAllocStringLen(t, n);
      return 1;
    }
    """,
  ])
  func nothingIsTakenOtherwise(function: String) throws {
    let length = """
      static uint32_t length_of(const CHARACTER *t) { uint32_t n = 0; while (t[n]) n++; return n; }

      """
    try expectUnanswered(
      Self.family + length + function.replacing("LENGTH", with: "length_of(t)") + "\n",
      in: try folder())
  }

  /// What no caller gives them they need not take.
  @Test func nothingMayCrash() throws {
    let folder = try folder()
    let crashing = """
      KEPT BSTR SysAllocString(const CHARACTER *t) {
        uint32_t n = 0;
        while (t[n]) n++;
        if (!n) __builtin_trap();
        return SysAllocStringLen(t, n);
      }
      KEPT uint32_t SysStringLen(BSTR text) { return ((uint32_t *)text)[-1] / sizeof *text; }

      """
    try build(
      Self.family + crashing + Self.use, "program.c", ["-fvisibility=hidden"], in: folder)
    expectLeak(try run(in: folder))
  }

  /// While functions that do not end are tried out, the loader's lock is held for a second at most.
  @Test func trialsTakeASecondAtMost() throws {
    let folder = try folder()
    let hanging = Self.family.replacing(
      "memcpy(block + OFFSET, text, bytes);",
      with: "if (count > 6) pause(); memcpy(block + OFFSET, text, bytes);")
    try buildPlugIn(family: hanging, in: folder)
    try buildHost(
      """
      pthread_t thread;
      pthread_create(&thread, 0, (void *(*)(void *))(void *)pause, 0);
      struct timespec start, end;
      clock_gettime(CLOCK_MONOTONIC, &start);
      if (!open_plugin()) return 2;
      clock_gettime(CLOCK_MONOTONIC, &end);
      if (end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9 > 2) return 3;
      """, in: folder)
    try expectRefusal(Self.unanswered, isInFile: false, in: folder)
  }
}
