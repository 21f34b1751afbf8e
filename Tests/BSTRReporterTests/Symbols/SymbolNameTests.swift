import Testing

@testable import BSTRReporter

/// One spelling for names from object files.
@Suite struct SymbolNameTests {
  @Test func namesAreDemangledWithoutVersionsAndThunks() {
    #expect(Symbol(rawName: "_ZN6Window5titleEv").name == "Window::title()")
    #expect(Symbol(rawName: "memcpy@@GLIBC_2.14").name == "memcpy")
    #expect(Symbol(rawName: "__libc_start_main@GLIBC_2.2.5").name == "__libc_start_main")
    #expect(Symbol(rawName: "main").name == "main")
    #expect(Symbol(rawName: "_ZThn16_N1C1gEi").name == "C::g(int)")
    #expect(Symbol(rawName: "_ZTv0_n24_N1V1gEi").name == "V::g(int)")
    #expect(
      Symbol(rawName: "_ZThn8_N12_GLOBAL__N_11C1gEv").name == "(anonymous namespace)::C::g()")
  }

  @Test func aThunkThatAMethodWasInlinedIntoIsNoCallerOfIt() {
    let method = Symbol(rawName: "_ZN1C1gEi", file: "c.cpp", line: 6, column: 3, inlined: true)
    let thunk = Symbol(rawName: "_ZThn16_N1C1gEi")
    let merged = [method, thunk].mergingThunks()
    #expect(merged.map(\.name) == ["C::g(int)"])
    #expect(merged.first?.line == 6)
    #expect(merged.first?.inlined == false)
    // A function that was inlined into itself is two activations.
    let recursive = [method, Symbol(rawName: "_ZN1C1gEi")]
    #expect(recursive.mergingThunks().count == 2)
    #expect([thunk].mergingThunks().count == 1)
  }

  @Test func whatIsNotKnownIsLeftOut() {
    let symbol = Symbol(rawName: "f", file: "", line: 0, column: 3)
    #expect(symbol.file == nil)
    #expect(symbol.line == nil)
    #expect(symbol.column == nil)
    // Code that the compiler has added to a file.
    #expect(Symbol(rawName: "f", file: "/src/a.swift").file == "/src/a.swift")
  }
}
