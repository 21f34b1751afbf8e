// The parts of a process's memory in which holders are looked for. Finds them, and reads no more of
// them than that takes.

import CTracker
import Glibc
import TraceStore

/// A part of the process's memory.
struct ScanRegion: BitwiseCopyable {
  /// The kind of memory.
  enum Kind: UInt8 {
    /// The data of a module.
    case data
    /// The variables of one module in one thread.
    case threadLocal
    /// Chunks of glibc's heap, one after the other.
    case chunks
    /// One chunk of glibc's heap that is a mapping of its own.
    case mappedChunk
    /// The stack of a thread, above its stack pointer.
    case stack
  }

  /// The kind of place that its words are.
  var place: HolderPlace {
    switch kind {
    case .data: .data
    case .threadLocal: .threadLocal
    case .chunks, .mappedChunk: .heap
    case .stack: .stack
    }
  }

  var kind: Kind
  var start: UInt
  var end: UInt
  /// The thread of a stack or of thread-local variables.
  var thread: UInt32 = 0
  /// Of thread-local variables, an address in their module; of chunks, the address of their arena,
  /// 0 for the main one; of a stack the code that its lowest frame is of, 0 where it is unknown.
  var owner: UInt = 0
}

/// All parts that are looked at.
struct ScanRegions: ~Copyable {
  private(set) var regions: PrivateArray<ScanRegion>
  /// The writable data of libc, in which the main arena is.
  private(set) var libcData: PrivateArray<ScanRegion>
  private var threads: PrivateArray<Thread>
  private let isGlibcHeap: Bool
  private let knowsThreadLocals: Bool
  /// The tracker's store.
  private let own: Range<UInt>

  /// A thread of the process.
  struct Thread: BitwiseCopyable {
    var id: UInt32
    /// The lowest address of its stack that is in use; 0 where it is running.
    var stack: UInt
    /// The code that it is in.
    var code: UInt
    /// The address of its `struct pthread`, which follows its stack and static thread-local blocks
    /// (the ELF TLS ABI, variant II); 0 where that is unknown.
    var pointer: UInt
    /// Where its static thread-local blocks begin.
    var end: UInt
  }

  private static let maxRegions = 1 << 16
  private static let maxThreads = 1 << 12
  private static let maxModules = 1 << 10

  /// Finds the parts; `nil` when there is no memory.
  ///
  /// - Parameters:
  ///   - ownStack: the lowest address of the calling thread's stack that is the program's; 0 where
  ///     none is.
  ///   - asksLoader: whether the loader may be asked, whose lock a forked child may find held.
  ///   - store: the tracker's store, which is passed over.
  init?(
    ownStack: UInt, asksLoader: Bool, store: Range<UInt>, _ memory: borrowing MemoryReader
  ) {
    guard let regions = PrivateArray<ScanRegion>(capacity: Self.maxRegions),
      let libcData = PrivateArray<ScanRegion>(capacity: 64),
      let threads = PrivateArray<Thread>(capacity: Self.maxThreads)
    else { return nil }
    self.regions = regions
    self.libcData = libcData
    self.threads = threads
    isGlibcHeap = ct_heap_is_glibc()
    knowsThreadLocals = asksLoader
    own = store
    findThreads(ownStack)
    if asksLoader { addThreadLocal(memory) }
    var mappings = 0
    unsafe MemoryMap.forEach(in: "/proc/self/maps") { mapping in
      mappings += 1
      if mapping.isWritable, mapping.isPrivate { add(mapping, memory) }
      return mappings < Self.maxRegions
    }
  }

  /// Whether there may be references elsewhere: in registers of other threads, in thread-local
  /// variables, or in blocks of another heap.
  var areIncomplete: Bool { !isGlibcHeap || !knowsThreadLocals || threads.count != 1 }

  // MARK: threads

  private mutating func findThreads(_ ownStack: UInt) {
    guard var ids = PrivateArray<UInt32>(capacity: Self.maxThreads) else { return }
    unsafe ids.fill { unsafe ct_list_threads($0, $1) }
    let own = unsafe ct_thread().pointee.tid
    for index in 0..<ids.count {
      let id = ids[index]
      // Where `main` has returned, nothing on its stack is the program's.
      var thread = Thread(
        id: id, stack: .max, code: 0, pointer: ct_thread_pointer(id), end: 0)
      if id != own {
        thread.stack = unsafe ct_blocked_stack(id, &thread.code)
      } else if ownStack != 0 {
        thread.stack = ownStack
        // Behind the frame of the function that ends the process there is its return address.
        thread.code = UInt(ct_peek(ownStack - 8, 8))
      }
      threads.append(thread)
    }
  }

  /// Adds the thread-local blocks of each thread: its table of them is behind the first word of its
  /// `struct pthread`, an entry of 16 bytes for each module (dtv_t of glibc's dl-dtv.h), with the
  /// count of entries in front.
  private mutating func addThreadLocal(_ memory: borrowing MemoryReader) {
    guard var modules = PrivateArray<ct_tls_module>(capacity: Self.maxModules) else { return }
    unsafe modules.fill { unsafe ct_list_tls_modules($0, $1) }
    for index in 0..<threads.count {
      let pointer = threads[index].pointer
      guard pointer != 0, let (own, table) = memory.words(at: pointer), own == pointer,
        table > 16, let entries = memory.word(at: table - 16), entries < 1 << 20
      else {
        threads[index].pointer = 0
        continue
      }
      threads[index].end = pointer
      for module in 0..<modules.count {
        let id = UInt(modules[module].id)
        guard id <= entries, let block = memory.word(at: table + 16 * id), block % 8 == 0,
          !Page.isFirst(block), block < 1 << 47
        else { continue }
        let end = (block + UInt(modules[module].bytes)) & ~7
        if block < pointer, end <= pointer, pointer - block < 1 << 20 {
          threads[index].end = min(threads[index].end, block)
        }
        if ct_is_system_module(UInt(modules[module].address)) { continue }
        regions.append(
          ScanRegion(
            kind: .threadLocal, start: block, end: end, thread: threads[index].id,
            owner: UInt(modules[module].address)))
      }
    }
  }

  // MARK: mappings

  /// Adds what a mapping is used for.
  private mutating func add(_ mapping: MemoryMap.Mapping, _ memory: borrowing MemoryReader) {
    var start = mapping.start
    // The data of modules without initial values may share a mapping with what follows.
    while start < mapping.end {
      let module = unsafe ct_find_module(start)
      guard unsafe module.end != 0 else { break }
      let end = unsafe min(mapping.end, (UInt(module.end) + 7) & ~7)
      let region = ScanRegion(kind: .data, start: start, end: end)
      if ct_is_libc(start) { libcData.append(region) }
      if !ct_is_system_module(start) { regions.append(region) }
      start = end == mapping.end ? end : (end + Page.size - 1) & ~(Page.size - 1)
    }
    guard start < mapping.end else { return }
    if mapping.isHeap {
      if isGlibcHeap { addChunks(start..<mapping.end, owner: 0) }
      return
    }
    guard mapping.isAnonymous || mapping.isStack else { return }
    let rest = addStacks(in: start..<mapping.end, isMain: mapping.isStack, memory)
    if isGlibcHeap, mapping.isAnonymous, rest < mapping.end,
      mapping.end - rest <= Self.maxMapping, !own.contains(rest)
    {
      addHeap(in: rest..<mapping.end, memory)
    }
  }

  /// Adds a part of the main heap, behind the one before where that ends there.
  private mutating func addChunks(_ range: Range<UInt>, owner: UInt) {
    let last = regions.count - 1
    if last >= 0, regions[last].kind == .chunks, regions[last].end == range.lowerBound {
      regions[last].end = range.upperBound
    } else {
      regions.append(
        ScanRegion(
          kind: .chunks, start: range.lowerBound, end: range.upperBound, owner: owner))
    }
  }

  /// Adds the stacks in a mapping; returns the first page behind the last of them.
  ///
  /// - Parameter isMain: whether it is the main thread's.
  private mutating func addStacks(
    in range: Range<UInt>, isMain: Bool, _ memory: borrowing MemoryReader
  ) -> UInt {
    var rest = range.lowerBound
    for index in 0..<threads.count {
      var thread = threads[index]
      let isOwnEnded = thread.stack == .max
      // The main thread's `struct pthread` is not behind its stack.
      let isHere =
        thread.id == UInt32(getpid())
        ? isMain && !isOwnEnded
        : range.contains(thread.stack)
          || (thread.stack == 0 || isOwnEnded) && range.contains(thread.pointer)
      guard isHere else { continue }
      if !range.contains(thread.stack) { thread.stack = range.lowerBound }
      if !isMain, !range.contains(thread.pointer) {
        thread.pointer = threadPointer(from: thread.stack, to: range.upperBound, memory)
        thread.end = thread.pointer
      }
      let end =
        thread.end > thread.stack && thread.end < range.upperBound
        ? thread.end : range.upperBound
      rest = max(
        rest,
        thread.pointer == 0
          ? range.upperBound : (thread.pointer + Page.size) & ~(Page.size - 1))
      if isOwnEnded { continue }
      regions.append(
        ScanRegion(
          kind: .stack, start: (thread.stack + 7) & ~7, end: end & ~7, thread: thread.id,
          owner: thread.code))
    }
    return min(rest, range.upperBound)
  }

  /// Returns the `struct pthread` of a thread behind its stack: its first word and its third are
  /// its own address (tcbhead_t of glibc's x86-64 tls.h); 0 where there is none.
  private func threadPointer(
    from start: UInt, to end: UInt, _ memory: borrowing MemoryReader
  ) -> UInt {
    // From the end: it is in the last pages of the mapping.
    var page = end - Page.size
    while page >= start & ~(Page.size - 1), end - page <= 1 << 20 {
      if memory.isPresent(page) {
        for address in stride(from: page, to: page + Page.size, by: 64) {
          if let words = memory.words(at: address), words.0 == address,
            memory.word(at: address + 16) == address
          {
            return address
          }
        }
      }
      if page < Page.size { break }
      page -= Page.size
    }
    return 0
  }

  // MARK: the heap

  private static let arenaBytes: UInt = 1 << 26
  /// The limit in bytes of a mapping that chunks are looked for in: larger ones are reserved by
  /// programs that use a small part, and are no heap of glibc's.
  private static let maxMapping: UInt = 1 << 38

  /// Adds the parts of glibc's heap in a mapping without a name: the heaps of other arenas, which
  /// start at multiples of 64 MiB, and large chunks, which start a page each (malloc/arena.c and
  /// malloc.c of glibc).
  private mutating func addHeap(in range: Range<UInt>, _ memory: borrowing MemoryReader) {
    var known: Range<UInt> = 0..<0
    var next = range.lowerBound
    while next < range.upperBound,
      let page = memory.firstPage(in: next..<range.upperBound, &known)
    {
      next = page + Page.size
      if page % Self.arenaBytes == 0, let (first, end, arena) = chunks(ofArenaAt: page, memory),
        end <= range.upperBound
      {
        regions.append(ScanRegion(kind: .chunks, start: first, end: end, owner: arena))
        next = (end + Page.size - 1) & ~(Page.size - 1)
        continue
      }
      if let (before, size) = memory.words(at: page), before == 0,
        size & 7 == 2, size >= Page.size, size & ~7 & (Page.size - 1) == 0,
        size & ~7 <= range.upperBound - page
      {
        regions.append(
          ScanRegion(kind: .mappedChunk, start: page + 16, end: page + (size & ~7)))
        next = page + (size & ~7)
      }
    }
  }

  /// Returns the first chunk of an arena's heap, its end, and the arena; `nil` where there is none.
  ///
  /// A heap begins with its arena's address, the heap before it, and its bytes (heap_info of
  /// glibc's malloc/arena.c); in the first one the arena follows (malloc_state). Both have other
  /// sizes in other versions of glibc, so that the first chunk is searched for: all of them are
  /// marked as another arena's than the main one.
  private func chunks(
    ofArenaAt heap: UInt, _ memory: borrowing MemoryReader
  ) -> (first: UInt, end: UInt, arena: UInt)? {
    guard let (arena, before) = memory.words(at: heap),
      let (bytes, usable) = memory.words(at: heap + 16), bytes % Page.size == 0, bytes > 0,
      usable % Page.size == 0, bytes <= usable, usable <= Self.arenaBytes,
      before % Self.arenaBytes == 0, memory.word(at: arena) != nil
    else { return nil }
    let end = heap + bytes
    let isFirst = arena > heap && arena < heap + 0x80
    let candidates =
      isFirst
      ? stride(from: heap + 0x880, to: heap + 0x980, by: 16)
      : stride(from: heap + 0x20, to: heap + 0x60, by: 16)
    for first in candidates where areChunks(from: first, to: end, memory) {
      return (first, end, arena)
    }
    return nil
  }

  private func areChunks(
    from first: UInt, to end: UInt, _ memory: borrowing MemoryReader
  ) -> Bool {
    var chunk = first
    var before: UInt = 0
    for count in 0..<8 {
      guard chunk + 16 <= end, let word = memory.word(at: chunk + 8) else { return false }
      let size = word & ~7
      // The first chunk's predecessor counts as in use. Those that are have the mark.
      guard size >= 32, size % 16 == 0, size <= end - chunk, word & 2 == 0,
        count == 0 ? word & 1 == 1 : word & 1 == 0 || before & 4 != 0
      else { return false }
      if chunk + size == end { return true }
      before = word
      chunk += size
    }
    return true
  }
}
