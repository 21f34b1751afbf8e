import CTracker
import CTrackerTesting
import Glibc
import Testing
import TraceStore

@testable import BSTRAllocator

/// Images of glibc's heap chunks: which of them hold a BSTR of another implementation.
@Suite struct ForeignBlockTests {
  /// Three chunks in a row, of which the second has the block that is asked about (malloc/malloc.c
  /// of glibc, "malloc_chunk details").
  private final class Heap {
    static let bytes = 1 << 16
    private let memory: UnsafeMutableRawPointer
    /// The bytes of the chunk in front.
    let before = 64
    /// Where the chunk starts that is asked about: not at the start of a page.
    private var chunk: UnsafeMutableRawPointer { memory + 4096 + before }
    var block: UnsafeMutableRawPointer { chunk + 16 }
    var bstr: UnsafeMutableRawPointer { block + 8 }

    /// A live chunk of `bytes` between two live ones, with a BSTR in it.
    init(chunk bytes: Int, text: String, padding: UInt8 = 0) throws {
      memory = try #require(PrivateMemory.map(Self.bytes))
      memset(memory, Int32(padding), Self.bytes)
      set(-before + 8, UInt(before) | 1)
      set(8, UInt(bytes) | 1)
      set(bytes + 8, 0x40 | 1)
      let characters = Array(text.utf16)
      set(length: 2 * characters.count)
      for (index, character) in characters.enumerated() {
        bstr.storeBytes(of: character, toByteOffset: 2 * index, as: UInt16.self)
      }
      bstr.storeBytes(of: 0, toByteOffset: 2 * characters.count, as: UInt16.self)
    }

    deinit { munmap(memory, Self.bytes) }

    /// Writes a word of a chunk's head, counted from the start of the chunk.
    func set(_ offset: Int, _ word: UInt) {
      chunk.storeBytes(of: word, toByteOffset: offset, as: UInt.self)
    }

    func set(length: Int) {
      block.storeBytes(of: UInt32(length), toByteOffset: 4, as: UInt32.self)
    }

    /// The record of a string that was in this block.
    func record(byteLength: Int) -> BlockRecord {
      BlockRecord(
        address: UInt64(UInt(bitPattern: bstr)),
        layout: StoredLayout(olecharBytes: 2, payloadOffset: 8, hasGuard: true), serial: 1,
        byteLength: UInt32(byteLength), stack: .none, thread: 1, milliseconds: 0)
    }

    func protect(_ offset: Int, _ bytes: Int) { mprotect(memory + offset, bytes, PROT_NONE) }

    func judge(at bstr: UnsafeMutableRawPointer? = nil) -> ForeignBlock.Judgement {
      ForeignBlock.judge(bstr ?? self.bstr, .windows, remembered: nil)
    }
  }

  private static let chunkBytes = 64

  private func judge(_ text: String = "Status Text", _ change: (Heap) -> Void) throws
    -> ForeignBlock.Judgement
  {
    let heap = try Heap(chunk: Self.chunkBytes, text: text)
    change(heap)
    return heap.judge()
  }

  @Test func aBSTRInALiveChunkIsForeign() throws {
    #expect(try judge { _ in } == .foreign)
    let live = try Heap(chunk: Self.chunkBytes, text: "Status Text")
    #expect(ForeignBlock.isLiveChunk(UInt(bitPattern: live.block)))
    #expect(ForeignBlock.hasLength(UInt(bitPattern: live.bstr), .windows))
  }

  /// What makes of the same image none.
  static let changes: [(name: String, change: @Sendable (Int) -> [(offset: Int, word: UInt)])] = [
    ("the following chunk says that it is free", { [($0 + 8, 0x40)] }),
    ("its size is no multiple of 16", { [(8, UInt($0) + 8 | 1)] }),
    ("it is smaller than any chunk", { _ in [(8, 16 | 1)] }),
    ("it is larger than the address space", { _ in [(8, 1 << 47 | 1)] }),
    ("there is nothing behind it", { _ in [(8, 1 << 30 | 1)] }),
    ("it has no size", { _ in [(8, 0)] }),
    ("the chunk in front is free and has no size", { [(8, UInt($0)), (0, 0)] }),
    ("the chunk in front is free and has another size", { [(8, UInt($0)), (0, 48)] }),
    ("the chunk in front is free and odd", { [(8, UInt($0)), (0, 56), (-48, 57)] }),
    ("it is a mapping of its own that starts within a page", { [(8, UInt($0) | 2)] }),
  ]

  @Test(arguments: changes.indices) func aChunkThatIsNotAliveHoldsNone(index: Int) throws {
    let (name, change) = Self.changes[index]
    let judgement = try judge { heap in
      for (offset, word) in change(Self.chunkBytes) { heap.set(offset, word) }
    }
    #expect(judgement == .none, "\(name)")
  }

  @Test func aFreeChunkInFrontIsRightWithItsSize() throws {
    let judgement = try judge { heap in
      heap.set(8, UInt(Self.chunkBytes))
      heap.set(0, UInt(heap.before))
    }
    #expect(judgement == .foreign)
  }

  @Test func aChunkInAThreadsCacheHoldsNone() throws {
    // Not known where this thread's heap has free blocks of just these sizes: it is asked again.
    let key = try #require((0..<4).lazy.map { _ in ct_tcache_key() }.first { $0 != 0 })
    // The second word of the block: the characters start there.
    let judgement = try judge { heap in heap.set(24, UInt(key)) }
    #expect(judgement == .none)
  }

  /// What the heap takes for a block that was asked for may be larger, and its size's cache be
  /// full.
  @Test func theMarkOfCachesIsFoundWhereOneIsFull() {
    #expect(ctt_key_with_full_caches() == ct_tcache_key())
  }

  @Test func aLengthMustFitItsChunk() throws {
    // Characters and terminator in 56 bytes, from the eighth on.
    let longest = String(repeating: "x", count: 23)
    #expect(try judge(longest) { _ in } == .foreign)
    #expect(try judge { $0.set(length: 48) } == .none)
    #expect(try judge { $0.set(length: 1 << 20) } == .none)
    #expect(try judge { $0.set(length: -1 & 0xFFFF_FFFF) } == .none)
  }

  @Test func aTextMustEndWhereItsLengthDoes() throws {
    #expect(try judge { $0.set(length: 20) } == .none)
  }

  /// Where a string was freed before, the memory is more likely to be somebody's who was given it
  /// since.
  @Test func whereAStringWasFreedMoreIsAsked() throws {
    func judge(_ text: String, chunk: Int, length: Int? = nil) throws -> ForeignBlock.Judgement {
      let heap = try Heap(chunk: chunk, text: text)
      if let length { heap.set(length: length) }
      let freed = FreedBlock(
        block: UInt(bitPattern: heap.block), record: heap.record(byteLength: 40))
      return ForeignBlock.judge(heap.bstr, .windows, remembered: freed)
    }
    #expect(try judge("Status Text", chunk: 64) == .foreign)
    // In a large chunk the length must end where the text does.
    #expect(try judge("Status Text", chunk: 512) == .foreign)
    #expect(try judge("Status\0Text", chunk: 64) == .foreign)
    #expect(try judge("Status\0Text", chunk: 512) == .none)
    #expect(try judge("Status Text", chunk: 512, length: 23) == .none)
    #expect(try judge("", chunk: 512) == .none)
  }

  /// What was written into a freed string is still there.
  @Test(arguments: [8, 40, 400]) func aPoisonedBlockIsStillFree(byteLength: Int) throws {
    let heap = try Heap(chunk: 512, text: "")
    let record = heap.record(byteLength: byteLength)
    heap.set(length: byteLength)
    let layout = BlockLayout(record.layout)
    layout.setGuard(of: heap.bstr, byteLength)
    layout.poison(record)
    // The heap's link to no other block of a list (PROTECT_PTR).
    heap.set(16, UInt(bitPattern: heap.block) >> 12)
    let freed = FreedBlock(block: UInt(bitPattern: heap.block), record: record)
    #expect(ForeignBlock.isStillFree(freed))
    #expect(ForeignBlock.judge(heap.bstr, .windows, remembered: freed) == .none)
    // Somebody was given the memory, and has written a string of their own.
    memset(heap.block, 0x41, byteLength + 8)
    heap.set(length: byteLength)
    #expect(!ForeignBlock.isStillFree(freed))
  }

  /// Zeros look like an empty string: only the smallest chunks hold one.
  @Test(arguments: [(32, true), (48, true), (64, false), (512, false)])
  func anEmptyStringIsInASmallChunk(bytes: Int, isForeign: Bool) throws {
    let heap = try Heap(chunk: bytes, text: "")
    #expect(heap.judge() == (isForeign ? .foreign : .none))
  }

  @Test func aBlockStartsAtAMultipleOfSixteen() throws {
    let heap = try Heap(chunk: 512, text: String(repeating: "x", count: 100))
    for offset in [-8, -4, 2, 4, 8] { #expect(heap.judge(at: heap.bstr + offset) == .none) }
  }

  @Test func nothingIsReadThatCannotBeRead() throws {
    for offset in stride(from: 0, to: Heap.bytes, by: 4096) {
      let heap = try Heap(chunk: 8192, text: "Status Text")
      heap.protect(offset, 4096)
      // The chunk's own head, or the following chunk's; the rest is not asked for.
      let isNeeded = offset == 4096 || offset == 3 * 4096
      #expect((heap.judge() == .none) == isNeeded, "\(offset)")
    }
    #expect(
      ForeignBlock.judge(UnsafeMutableRawPointer(bitPattern: 24)!, .windows, remembered: nil)
        == .none)
    #expect(
      ForeignBlock.judge(
        UnsafeMutableRawPointer(bitPattern: 1 << 60 | 24)!, .windows, remembered: nil)
        == .none)
  }

  /// A large block is a mapping of its own, which starts with its chunk.
  @Test func aMappedChunkStartsAPage() throws {
    let memory = try #require(PrivateMemory.map(1 << 16))
    defer { munmap(memory, 1 << 16) }
    memory.storeBytes(of: 1 << 16 | 2, toByteOffset: 8, as: UInt.self)
    memory.storeBytes(of: 6, toByteOffset: 20, as: UInt32.self)
    for index in 0..<3 {
      memory.storeBytes(of: 0x41, toByteOffset: 24 + 2 * index, as: UInt16.self)
    }
    #expect(ForeignBlock.judge(memory + 24, .windows, remembered: nil) == .foreign)
  }

  @Test func realBlocksAreJudgedAlike() throws {
    for bytes in [24, 100, 1000, 5000, 1 << 20] {
      let block = try #require(malloc(bytes))
      memset(block, 0x41, bytes)
      (block + 4).storeBytes(of: UInt32(bytes - 10) & ~1, as: UInt32.self)
      (block + 8).storeBytes(of: 0, toByteOffset: (bytes - 10) & ~1, as: UInt16.self)
      #expect(ForeignBlock.judge(block + 8, .windows, remembered: nil) == .foreign, "\(bytes)")
      #expect(ForeignBlock.judge(block + 24, .windows, remembered: nil) == .none, "\(bytes)")
      free(block)
      #expect(ForeignBlock.judge(block + 8, .windows, remembered: nil) == .none, "\(bytes)")
    }
  }

  @Test func staticsAndStacksAreNoHeap() {
    withUnsafeTemporaryAllocation(byteCount: 64, alignment: 16) { local in
      memset(local.baseAddress!, 0, 64)
      #expect(ForeignBlock.judge(local.baseAddress! + 8, .windows, remembered: nil) == .none)
    }
  }
}
