import CTracker
import Glibc
import Testing

/// The tables of callers' layouts, each in a process of its own: they are the process's.
@Suite struct CallerLayoutTableTests {
  /// Layouts of two kinds, as `StoredLayout` has them.
  private static let (one, other): (UInt8, UInt8) = (0x12, 0x34)

  private static func expect(_ layout: UInt8, of caller: UInt) {
    precondition(ct_layout_of_caller(caller) == layout, "\(ct_layout_of_caller(caller)), \(caller)")
  }

  /// The last of the loaded modules: none is newer.
  private static func lastModule() -> UnsafePointer<link_map> {
    var module = UnsafePointer(dlopen(nil, RTLD_LAZY)!.assumingMemoryBound(to: link_map.self))
    while let next = module.pointee.l_next { module = UnsafePointer(next) }
    return module
  }

  @Test func pagesHaveOneLayoutUntilCallsAreToldApart() async {
    await #expect(processExitsWith: .success) {
      typealias Tests = CallerLayoutTableTests
      ct_tell_pages_apart(Tests.lastModule())
      precondition(!ct_has_newer_module())
      ct_set_layout_of_caller(0x40_1123, Tests.one | UInt8(CT_GUESSED))
      // All modules have one layout: a guess is no other one.
      Tests.expect(Tests.one, of: 0x40_1123)
      Tests.expect(Tests.one, of: 0x40_1FFF)
      Tests.expect(0, of: 0x40_2000)
      // Another page in the same slot takes it.
      let far = 0x40_1123 + UInt(CT_PAGE_LAYOUTS) << 12
      ct_set_layout_of_caller(far, Tests.other)
      Tests.expect(Tests.other, of: far)
      Tests.expect(0, of: 0x40_1123)
      ct_forget_layouts()
      Tests.expect(0, of: far)

      ct_set_layout_of_caller(far, Tests.other)
      ct_tell_calls_apart()
      Tests.expect(0, of: far)
      // For good.
      ct_tell_pages_apart(Tests.lastModule())
      ct_set_layout_of_caller(far, Tests.other)
      Tests.expect(Tests.other, of: far)
      Tests.expect(0, of: far + 1)
    }
  }

  /// A module that was opened since makes calls be told apart by itself.
  @Test func aNewerModuleTellsCallsApart() async {
    await #expect(processExitsWith: .success) {
      typealias Tests = CallerLayoutTableTests
      let first = dlopen(nil, RTLD_LAZY)!.assumingMemoryBound(to: link_map.self)
      ct_tell_pages_apart(first)
      precondition(ct_has_newer_module())
      ct_set_layout_of_caller(0x40_1123, Tests.one)
      precondition(!ct_has_newer_module())
      Tests.expect(Tests.one, of: 0x40_1123)
      Tests.expect(0, of: 0x40_1124)
    }
  }

  @Test func callsOfOneSetKeepTheTwoLatest() async {
    await #expect(processExitsWith: .success) {
      typealias Tests = CallerLayoutTableTests
      ct_tell_calls_apart()
      // The set of an address is that of `address ^ address >> 12`.
      let callers: [UInt] = [1, 2, 3].map { 0x40_1000_0000 ^ $0 << 12 ^ $0 }
      ct_set_layout_of_caller(callers[0], Tests.one)
      ct_set_layout_of_caller(callers[1], Tests.other | UInt8(CT_GUESSED))
      Tests.expect(Tests.one, of: callers[0])
      Tests.expect(Tests.other | UInt8(CT_GUESSED), of: callers[1])
      // What is known of the latest replaces the guess, and drives nobody out.
      ct_set_layout_of_caller(callers[1], Tests.other)
      Tests.expect(Tests.other, of: callers[1])
      Tests.expect(Tests.one, of: callers[0])
      ct_set_layout_of_caller(callers[2], Tests.one)
      Tests.expect(Tests.one, of: callers[2])
      Tests.expect(Tests.other, of: callers[1])
      Tests.expect(0, of: callers[0])
      ct_forget_layouts()
      for caller in callers { Tests.expect(0, of: caller) }
    }
  }
}
