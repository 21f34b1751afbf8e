// Stores every distinct stack once, by its id. Does not unwind stacks and does not name frames.

import CTracker
import Glibc
import TraceStore

/// The ids of all distinct stacks, each of which is written to the store once.
///
/// A stack is looked up by its raw addresses. Those mean something else after an unload, so that
/// index is then emptied; a second one, by module and address, keeps a stack that is still the same
/// from being written again.
struct StackDepot: ~Copyable {
  private var byAddress = StackHashTable()
  private var byFrame = StackHashTable()
  private var modules = ModuleTable()
  private var unloads: UInt32 = 0

  /// Returns the id of a stack, and stores it if it is new; `.none` when it is empty or the store
  /// is full.
  ///
  /// Caller holds the depot lock. Allocates nothing from the heap.
  mutating func intern(
    _ stack: StackCapture.Stack, in store: borrowing StoreWriter
  ) -> StackID {
    let addresses = unsafe stack.addresses
    guard addresses.count > 0 else { return .none }
    let unloads = ct_unload_count()
    if unloads != self.unloads {
      byAddress.removeAll()
      self.unloads = unloads
    }
    let words = unsafe store.start(of: .stacks).assumingMemoryBound(to: UInt64.self)
    let addressHash = unsafe Self.hash(addresses) { UInt64($0) }
    let known = byAddress.find(addressHash) { id in
      unsafe Self.isSame(words + Int(id.rawValue), stack) { index, word in
        unsafe FrameWord(rawValue: word).address == UInt64(addresses[index])
      }
    }
    if let known { return known }

    for index in addresses.indices {
      let address = unsafe addresses[index]
      // A call may be a module's last instruction: the byte before the return address is in the
      // module.
      let module = modules.module(at: address &- 1, unloads: unloads, in: store)
      unsafe stack.words[index] = FrameWord(module: module, address: UInt64(address)).rawValue
    }
    // A new module may have loaded others; the process may be killed before its end is recorded.
    if modules.hasNewModules { unsafe modules.recordLoaded(in: store) }
    let frames = unsafe UnsafeMutableBufferPointer(start: stack.words, count: addresses.count)
    let frameHash = unsafe Self.hash(frames) { $0 }
    let same = byFrame.find(frameHash) { id in
      unsafe Self.isSame(words + Int(id.rawValue), stack) { index, word in
        unsafe word == stack.words[index]
      }
    }
    guard let id = unsafe same ?? write(frames, frameHash, stack.truncated, to: store) else {
      return .none
    }
    if same == nil { byFrame.add(frameHash, id) }
    byAddress.add(addressHash, id)
    return id
  }

  /// Returns an address with the module that it is in.
  ///
  /// Caller holds the depot lock.
  mutating func frame(at address: UInt, in store: borrowing StoreWriter) -> FrameWord {
    let module = modules.module(at: address, unloads: ct_unload_count(), in: store)
    return FrameWord(module: module, address: UInt64(address))
  }

  /// Records the loaded modules; of a handle only its module and those that were loaded later.
  ///
  /// - Returns: whether the store names all that were loaded.
  ///
  /// Caller holds the depot lock.
  @discardableResult
  mutating func recordLoadedModules(
    from handle: UnsafeRawPointer? = nil, in store: borrowing StoreWriter
  ) -> Bool {
    unsafe modules.recordLoaded(from: handle, in: store)
  }

  /// Records what became of the functions inside of the recorded modules.
  ///
  /// Caller holds the depot lock.
  mutating func recordReplacements(in store: borrowing StoreWriter) {
    modules.recordReplacements(in: store)
  }

  /// Forgets every stack.
  ///
  /// Only in a forked child, whose store is new.
  mutating func removeAll() {
    byAddress.removeAll()
    byFrame.removeAll()
    modules.removeAll()
  }

  private func write(
    _ frames: UnsafeMutableBufferPointer<UInt64>, _ hash: UInt32, _ truncated: Bool,
    to store: borrowing StoreWriter
  ) -> StackID? {
    // Word 0 belongs to no stack, so that 0 can be no id.
    let padding = store.used(of: .stacks) == 0 ? 1 : 0
    let bytes = (frames.count + 1 + padding) * 8
    guard let room = unsafe store.room(for: bytes, in: .stacks) else { return nil }
    let index = store.used(of: .stacks) / 8 + padding
    guard index + frames.count < UInt32.max, let source = frames.baseAddress else {
      return nil
    }
    let head = StackHead(hash: hash, count: frames.count, truncated: truncated)
    unsafe (room + padding * 8).storeBytes(of: head.rawValue, as: UInt64.self)
    unsafe (room + (padding + 1) * 8).copyMemory(from: source, byteCount: frames.count * 8)
    store.commit(bytes, in: .stacks)
    return StackID(rawValue: UInt32(index))
  }

  private static func hash<Element>(
    _ elements: UnsafeMutableBufferPointer<Element>, _ bits: (Element) -> UInt64
  ) -> UInt32 {
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
    for index in elements.indices {
      unsafe hash = (hash ^ bits(elements[index])) &* 0xD6E8_FEB8_6659_FD93
      hash ^= hash >> 32
    }
    // 0 with stack 0 would be a free slot; stack 0 does not exist, so any hash will do.
    return UInt32(truncatingIfNeeded: hash)
  }

  private static func isSame(
    _ record: UnsafePointer<UInt64>, _ stack: StackCapture.Stack,
    _ matches: (Int, UInt64) -> Bool
  ) -> Bool {
    let head = unsafe StackHead(rawValue: record[0])
    guard unsafe head.count == stack.addresses.count && head.truncated == stack.truncated else {
      return false
    }
    for index in 0..<head.count where unsafe !matches(index, record[index + 1]) { return false }
    return true
  }
}
