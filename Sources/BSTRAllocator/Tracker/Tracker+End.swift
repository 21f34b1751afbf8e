// The recording at the end of a process, of facts that are certain only then, or too costly before.

import CTracker
import Glibc
import Synchronization
import TraceOptions
import TraceStore

extension Tracker {
  /// Records the loaded modules, the corrupted blocks, the pins, and the values of live strings.
  ///
  /// A no-op in a child of `vfork`, which is still its parent, and the second time.
  ///
  /// - Parameter isImmediate: whether the process ends by `_exit`, which a signal handler may call.
  public func recordEnd(isImmediate: Bool = false) {
    guard let thread = unsafe ct_enter() else { return }
    defer { unsafe ct_leave(thread) }
    withStore { store in
      guard unsafe store.header.pointee.pid == UInt32(getpid()), isFirstEnd else { return }
      // A signal handler's stack is small, often 8 KiB, of which the kernel and the dynamic linker
      // take half.
      let hasRoom = !isImmediate || ct_handler_stack_has(12 << 10)
      let areAllNamed = hasRoom ? unsafe recordModules(in: store) : false
      unsafe store.header.pointee.areModulesNamed = areAllNamed ? 1 : 0
      recordCorruption(scope: nil, in: store)
      writePins(in: store)
      guard !options.redact else { return }
      depotLock.acquire()
      defer { depotLock.release() }
      LiveValues.write(to: store)
    }
  }

  /// Records the modules that are loaded.
  ///
  /// Takes the depot lock.
  ///
  /// - Parameter handle: a handle of `dlopen`, to record only its module and those that were loaded
  ///   later.
  /// - Returns: whether the store names all modules that were ever loaded.
  @discardableResult
  func recordModules(
    from handle: UnsafeRawPointer? = nil, in store: borrowing StoreWriter
  ) -> Bool {
    depotLock.acquire()
    defer { depotLock.release() }
    return unsafe depot.pointee.recordLoadedModules(from: handle, in: store)
  }

  /// Records the module of a handle, which may be unloaded now.
  ///
  /// A no-op in a child of `vfork`, and for handles that the tracker closes itself.
  func recordUnload(of handle: UnsafeRawPointer) {
    guard let thread = unsafe ct_enter() else { return }
    defer { unsafe ct_leave(thread) }
    withStore { store in
      guard unsafe store.header.pointee.pid == UInt32(getpid()) else { return }
      unsafe recordModules(from: handle, in: store)
    }
  }

  /// Whether the end is not recorded yet: true once, for the first that asks.
  private var isFirstEnd: Bool {
    hasEnded.exchange(true, ordering: .relaxed) == false
  }

  /// Records corruption that is not reported yet.
  ///
  /// Takes shard locks and the depot lock, one at a time.
  ///
  /// - Parameter scope: the scope of the strings that are checked; `nil` for all.
  func recordCorruption(scope: ScopeID?, in store: borrowing StoreWriter) {
    recordCorruptionOfLive(scope, in: store)
    recordCorruptionInQuarantine(scope, in: store)
  }

  /// Records corruption of live blocks.
  ///
  /// Other threads may still run: each block is checked under its shard's lock.
  private func recordCorruptionOfLive(_ scope: ScopeID?, in store: borrowing StoreWriter) {
    // The memory of a string that was freed unseen may be another block's.
    guard unsafe store.header.pointee.isFreeUnwatched == 0 else { return }
    let records = unsafe store.start(of: .blocks).assumingMemoryBound(to: BlockRecord.self)
    var readable = ReadablePages()
    for index in 0..<store.used(of: .blocks) / MemoryLayout<BlockRecord>.stride {
      let record = unsafe records[index]
      guard record.serial != 0, !Page.isFirst(UInt(record.address)),
        scope == nil || scope == record.scope
      else { continue }
      let layout = BlockLayout(record.layout)
      let block = UInt(record.address) &- UInt(layout.stringLayout.payloadOffset)
      let bytes = layout.blockBytes(forPayload: Int(record.byteLength))
      // A program that freed the block unseen may have unmapped it; a sanitizer knows.
      if ct_heap_is_sanitizers(), ct_sanitizer_block_bytes(block) == 0 { continue }
      guard readable.contain(block, bytes),
        let found = registry.inspect(block, serial: record.serial, in: store)
      else { continue }
      found.corruption.forEach { corruption in
        var event = EventRecord(corruption.kind)
        event.setBlock(found.record)
        event.setCorruption(corruption)
        write(event, preview: TextPreview(of: found.record), in: store)
      }
    }
  }

  /// Records corruption of quarantined blocks.
  private func recordCorruptionInQuarantine(_ scope: ScopeID?, in store: borrowing StoreWriter) {
    var position = Registry.QuarantinePosition()
    while let (freed, corruption) = registry.nextCorrupted(from: &position, in: scope) {
      write(EventRecord(corruption, in: freed), preview: freed.preview, in: store)
    }
  }
}
