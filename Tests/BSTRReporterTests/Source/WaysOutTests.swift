import Testing

@testable import BSTRReporter

/// Which statements lead out of which blocks, in C, C++ and Swift.
@Suite struct WaysOutTests {
  @Test func macrosMayBeAnything() throws {
    try expectWaysOut(
      "a.cpp",
      """
      int f(List *list) {
        BSTR text = make(list); // owner
        BEGIN_ALLOW_THREADS
        if (!text) return 1;
        LIST_FOREACH(item, list) { if (item->bad) break; }
        __try { list->use(); } __finally { list->end(); }
        if (!text) return 2;
        if (list->bad) return 3; // way
        release(text); // free
        return 0;
      }
      COM_TRY_END }
      int g(int way) {
        BSTR text = make(way); // owner 2
        release(text);
      }
      """)
  }

  @Test func innerLoopsWithoutBracesAreLeftThemselves() throws {
    try expectWaysOut(
      "a.c",
      """
      int f(List *list) {
        while (list) {
          BSTR text = make(list); // owner
          for (int i = 0; i < 3; i++) if (list->n == i) { list->found = 1; break; }
          for (int i = 0; i < 3; i++) if (list->n == i) list->m++; else break;
          for (int i = 0; i < 3; i++) switch (i) { case 1: continue; }
          if (list->found) break; // way
          release(text); // free
        }
        return 0;
      }
      """)
  }

  @Test func breaksAndContinuesLeaveTheLoopThatHasTheFree() throws {
    try expectWaysOut(
      "a.c",
      """
      int f(List *list) {
        BSTR name;
        while ((name = next(list)) != NULL) { // owner
          for (int i = 0; i < 3; i++) if (i == list->end) break;
          for (int i = 0; i < 3; i++) {
            if (i == 1) continue;
          }
          if (list->skip) continue; // way
          switch (list->kind) {
            case 1: break;
            default: if (list->end) continue; // way
          }
          if (list->end) break; // way
          SysFreeString(name); // free
        }
        return 0;
      }
      """)
    try expectWaysOut(
      "a.c",
      """
      int f(List *list) {
        BSTR name;
        for (;;) {
          name = next(list); // owner
          if (list->found) break;
          SysFreeString(name); // free
        }
        keep(list, name);
        return 0;
      }
      """)
    try expectWaysOut(
      "a.c",
      """
      int f(List *list) {
        BSTR name = NULL;
        for (;;) {
          if (list->end) break;
          name = next(list); // owner
          if (list->found) break;
        }
        if (list->bad) return 1; // way
        SysFreeString(name); // free
        return 0;
      }
      """)
  }

  @Test func aGotoLeadsPastTheFreeOrToIt() throws {
    try expectWaysOut(
      "a.c",
      """
      int f(int way) {
        BSTR text = SysAllocString(L"x"); // owner
        if (way == 1) goto done;
        if (way == 2) goto failed; // way
        if (way == 3) goto released;
        if (way == 4) goto nowhere;
      done:
        SysFreeString(text); // free
        return 0;
      released:
        release(&text);
      failed:
        return 1;
      }
      """)
  }

  @Test func casesOfASwitchAreApart() throws {
    try expectWaysOut(
      "a.c",
      """
      int f(int way) {
        BSTR text = NULL;
        switch (way) {
          case 1:
            text = SysAllocString(L"x"); // owner
            if (way == 9) return 9; // way
            break;
          case 2:
            return 2;
          default:
            return 3;
        }
        SysFreeString(text); // free
        return 0;
      }
      """)
  }

  @Test func aThrowIsCaughtOrLeaves() throws {
    try expectWaysOut(
      "a.cpp",
      """
      int f(int way) {
        BSTR text = SysAllocString(L"x"); // owner
        try {
          if (way == 1) throw 1;
          if (way == 2) return 1; // way
        } catch (...) {
          log();
        }
        if (way == 3) throw Error("bad"); // way
        if (way == 4) std::terminate(); // way
        if (way == 5) program.exit(1);
        SysFreeString(text); // free
        return 0;
      }
      """)
    try expectWaysOut(
      "a.cpp",
      """
      int f(int way) {
        try {
          BSTR text = SysAllocString(L"x"); // owner
          if (way == 1) throw 1; // way
          SysFreeString(text); // free
        } catch (...) {
          return 1;
        }
        return 0;
      }
      """)
  }

  @Test func lambdasAndLocalFunctionsLeaveThemselves() throws {
    try expectWaysOut(
      "a.cpp",
      """
      namespace n {
      class C : public Base<int> {
        C(int a) : Base{a}, b_{a}, c_(a) { return; }
        template <typename T> auto f(T way) const -> int {
          BSTR text = make(); // owner
          auto g = [&, this](int v) mutable noexcept -> std::vector<int> { return {v}; };
          struct L { int operator()() { return 1; } };
          std::map<int, int> m = {{1, 2}, {3, 4}};
          run([] { return; }, [=](auto x) { throw x; });
          auto h = []<typename U>(U v) noexcept(true) -> std::pair<U, U> { return {v, v}; };
          auto k = [&](int v) -> decltype(v) { return v; };
          int nested(int v) { return v; }
          if (g(1).size() > way) return 1; // way
          return_to(way);
          release(text); // free
          return 0;
        }
        int b_{1}, c_ = 2;
      };
      }
      """)
  }

  @Test func swiftHasClosuresGuardsAndDefer() throws {
    try expectWaysOut(
      "a.swift",
      """
      struct S {
        var count: Int { words.filter { $0.isEmpty }.count }
        func save(_ way: Int) throws -> Int {
          let text = make() // owner
          guard let text else { return 0 }
          guard way > 0
          else {
            return 1 // way
          }
          let found = words.first { word in
            return word == "}"
          }
          if way == 2 { throw Failure() } // way
          repeat { if way == 3 { break } } while way > 3
          for word in words where !word.isEmpty { if way == 4 { continue } }
          do { try expectWaysOut(); throw Failure() } catch { return 2 } // way
          outer: for word in words { break outer }
          let multi = \"\"\"
            return "\\(found ?? "{")" {
            \"\"\"
          switch way {
          case 5: return 5 // way
          case .return: log(.throw, return: 1)
      #if os(Windows)
          case 6: return 6
      #endif
          case .min ..< 0: fatalError("no") // way
          default: break
          }
          SysFreeString(text) // free
          return multi.count
        }
      }
      """)
    try expectWaysOut(
      "a.swift",
      """
      func save(_ way: Int) -> Int {
        let text = make() // owner
        defer { SysFreeString(text) } // free
        if way == 2 { return 3 }
        return 1
      }
      """)
  }

  @Test func branchesOfThePreprocessorAreChosen() throws {
    try expectWaysOut(
      "a.c",
      """
      #ifdef __cplusplus
      extern "C" {
      #endif
      #define BEGIN if (1) {
      int f(int way) {
      #ifdef _WIN32
        if (way) {
      #else
        if (!way) {
      #endif
          way++;
        }
        BSTR text = SysAllocString(L"x"); // owner
      #if (0) // old
        return 1;
      #elif defined(_WIN32) && LEVEL > 1
        return 2;
      #else
        if (way == 3) return 3; // way
      #endif
      #if LEVEL > 1
        if (way == 4) return 4; // way
      #else
        return 5;
      #endif
      #ifdef OLD
        free_all(text);
      #else
        SysFreeString(text); // free
      #endif
        return 0;
      }
      #ifdef __cplusplus
      }
      #endif
      """)
  }

  /// Where it is not sure, nothing is proposed.
  @Test func whatDoesNotFitGivesNothing() throws {
    // Nothing in common between the two statements.
    try expectWaysOut(
      "a.c", "int f(int w) {\n get(); // owner\n if (w) return 1;\n put(); // free\n}")
    // Another function.
    try expectWaysOut(
      "a.c", "void f() { a = get(); // owner\n return; }\nvoid g() { put(a); // free\n}")
    // The free is in front.
    try expectWaysOut(
      "a.c", "int f(int w) {\n put(a); // free\n a = get(); // owner\n return 1;\n}")
    // Outside of functions.
    try expectWaysOut("a.swift", "let a = get() // owner\nif w { exit(1) }\nput(a) // free")
  }

  @Test func bracesThatDoNotMatchGiveNoBlocks() throws {
    for text in ["{", "int f() { } {", "int f() { if (x) { }", String(repeating: "{", count: 300)] {
      #expect(SourceBlocks(SourceScanner.tokens(of: Array(text.utf8), .cxx), .cxx) == nil)
    }
  }
}
