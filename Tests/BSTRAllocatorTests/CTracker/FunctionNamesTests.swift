import CTracker
import CTrackerTesting
import Glibc
import Testing

/// The names of the BSTR functions, and whose definition comes first.
@Suite struct FunctionNamesTests {
  @Test func namesAreFoundByWhatTheyAreOf() {
    var symbols: Set<String> = []
    for function in 0..<ctt_function_count() {
      for linkage in 1..<ctt_linkage_count() {
        guard let symbol = ctt_symbol(function, linkage) else { continue }
        symbols.insert(String(cString: symbol))
        var (found, with): (Int32, Int32) = (-1, -1)
        let isFound = ctt_find_name(symbol, &found, &with)
        #expect(isFound && found == function && with == linkage, "\(String(cString: symbol))")
      }
      // C's comes first, and is what the function is called in texts.
      let name = String(cString: ctt_symbol(function, 1)!)
      #expect(ctt_function_named(name) == function)
      #expect(ctt_symbol(function, 0) == nil)
    }
    // Of one function the C++ name has no character in it.
    #expect(symbols.count == 10 + 3 * 9 + 1)
    #expect(symbols.isSuperset(of: ["SysFreeString", "_Z13SysFreeStringPDs"]))
    #expect(symbols.contains("_Z21SysAllocStringByteLenPKcj"))
  }

  @Test(arguments: [
    "", "S", "Sys", "_", "_Z", "_Z1", "_Z13", "_Z13Sys", "SysFreeStrings", "SysFreeStrin",
    "_Z13SysFreeStringPi", "sysfreestring", "free",
  ])
  func othersAreNone(name: String) {
    var (function, linkage): (Int32, Int32) = (-1, -1)
    #expect(!ctt_find_name(name, &function, &linkage))
    #expect(ctt_function_named(name) == ctt_function_count())
  }

  /// Every module is looked through by its hash table; copies of this library are passed over.
  @Test func definitionsAreFoundInModules() throws {
    let real = try #require(dlsym(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), "getpid"))
    #expect(ctt_first_definition("getpid") == UnsafeRawPointer(real))
    #expect(ctt_definitions("getpid") == 1)
    #expect(ctt_first_definition("no_such_function") == nil)
    #expect(ctt_definitions("no_such_function") == 0)
    for symbol in ["SysFreeString", "_Z13SysFreeStringPDs"] {
      #expect(ctt_first_definition(symbol) == nil && ctt_definitions(symbol) == 0)
    }
  }

  @Test func aModuleWithoutTheFunctionsHasNoCopy() throws {
    let code = UInt(bitPattern: try #require(dlsym(nil, "getpid")))
    let uses = ct_uses_functions(code)
    #expect(!uses)
    #expect(ct_named_olechar_bytes(code) == 0)
    #expect(ct_function_of_copy(code, "SysAllocString") == nil)
    #expect(ct_original_function(code, "SysAllocString") == nil)
    // In no module at all.
    #expect(ct_named_olechar_bytes(64) == 0)
    #expect(ct_function_of_copy(64, "SysAllocString") == nil)
    #expect(ct_original_function(64, "SysAllocString") == nil)
    #expect(ct_only_copy() == 0)
  }
}
