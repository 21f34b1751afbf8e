import CBSTR
import Glibc
import Testing
import TraceStore

@testable import BSTRAllocator

/// The exported functions in this process: what only they do, and that they record.
///
/// One at a time: the counters they are judged by are the process's.
@Suite(.serialized) struct ExportedFunctionsTests {
  private func count(_ counter: KeyPath<Totals, UInt64>, during body: () -> Void) -> UInt64 {
    let before = Totals.now()[keyPath: counter]
    body()
    return Totals.now()[keyPath: counter] - before
  }

  struct Totals {
    var allocations: UInt64
    var frees: UInt64
    var invalid: UInt64
    var foreign: UInt64

    static func now() -> Totals {
      guard let image = Tracker.current.pointee.image() else { return Totals(0) }
      return Totals(
        allocations: image.count(.allocations), frees: image.count(.frees),
        invalid: UInt64(image.events.count), foreign: image.count(.foreignFrees))
    }

    private init(_ all: UInt64) {
      self.init(allocations: all, frees: all, invalid: all, foreign: all)
    }

    private init(allocations: UInt64, frees: UInt64, invalid: UInt64, foreign: UInt64) {
      self.allocations = allocations
      self.frees = frees
      self.invalid = invalid
      self.foreign = foreign
    }
  }

  @Test func allocationsAndReleasesAreCounted() {
    let allocations = count(\.allocations) {
      let frees = count(\.frees) {
        let text: [UInt16] = [0x61, 0]
        var bstr = SysAllocString(text)
        #expect(SysStringLen(bstr) == 1)
        #expect(SysStringByteLen(bstr) == 2)
        #expect(SysReAllocStringLen(&bstr, nil, 10) == 1)
        SysFreeString(bstr)
        SysFreeString(nil)
      }
      #expect(frees == 2)
    }
    #expect(allocations == 2)
  }

  @Test func varBstrCatRefusesNoResult() {
    #expect(VarBstrCat(nil, nil, nil) == HRESULT(bitPattern: 0x8007_0057))
    var result: BSTR?
    #expect(VarBstrCat(nil, nil, &result) == 0)
    #expect(result != nil)
    #expect(SysStringByteLen(result) == 0)
    SysFreeString(result)
  }

  @Test func varBstrCmpAnswersAsOnWindows() {
    let a = SysAllocString([0x61, 0] as [UInt16])
    #expect(VarBstrCmp(nil, a, 0, 0) == 0)
    #expect(VarBstrCmp(a, a, 0, 0) == 1)
    #expect(VarBstrCmp(a, nil, 0, 0) == 2)
    SysFreeString(a)
    SetOaNoCache()
  }

  @Test func pinnedStringsOutliveTheirRelease() {
    let bstr = SysAllocString([0x61, 0] as [UInt16])
    #expect(SysAddRefString(nil) == 0)
    #expect(SysAddRefString(bstr) == 0)
    #expect(SysAddRefString(bstr) == 0)
    #expect(count(\.frees) { SysFreeString(bstr) } == 0)
    #expect(bstr?[0] == 0x61)
    #expect(count(\.frees) { SysReleaseString(bstr) } == 0)
    #expect(count(\.frees) { SysReleaseString(bstr) } == 1)
    // Unpinned without a release: nothing is freed.
    let kept = SysAllocString([0x62, 0] as [UInt16])
    #expect(SysAddRefString(kept) == 0)
    #expect(count(\.frees) { SysReleaseString(kept) } == 0)
    #expect(count(\.frees) { SysFreeString(kept) } == 1)
  }

  @Test func whatIsNoBSTRIsCountedAndNotFreed() {
    var onStack: (UInt64, UInt64, UInt64) = (4 << 32, 0x0062_0061, 0)
    withUnsafeMutableBytes(of: &onStack) { bytes in
      let pointer = (bytes.baseAddress! + 8).assumingMemoryBound(to: OLECHAR.self)
      #expect(count(\.invalid) { SysFreeString(pointer) } == 1)
    }
    let wild = UnsafeMutablePointer<OLECHAR>(bitPattern: 0xDEAD_0008)
    #expect(count(\.invalid) { SysFreeString(wild) } == 1)
  }

  @Test func foreignStringsAreReleased() {
    // As another copy of SysAllocString would make it in the same layout.
    let block = malloc(64)!
    (block + 4).storeBytes(of: 4, as: UInt32.self)
    (block + 8).storeBytes(of: 0x0062_0061, as: UInt32.self)
    (block + 12).storeBytes(of: 0, as: UInt32.self)
    let bstr = (block + 8).assumingMemoryBound(to: OLECHAR.self)
    #expect(count(\.foreign) { SysFreeString(bstr) } == 1)
    // In quarantine it reads as an empty string; what only may be a foreign one is left as it was.
    #expect((block + 4).load(as: UInt32.self) == 0)
  }
}
