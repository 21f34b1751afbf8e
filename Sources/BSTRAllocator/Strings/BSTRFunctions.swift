// The BSTR functions over any layout, on raw memory. SysFunctions.swift exports them. Source of
// each rule: the oleauto.h reference and Docs/Functions.md.

import CInterpose
import CTracker
import Glibc
import TraceOptions
import TraceStore

/// The BSTR functions for one string layout.
///
/// `caller` is always the return address, and the frame, of the exported function's caller.
@safe
struct BSTRFunctions {
  /// The layout of new strings, with the guard that the tracker adds.
  let layout: StoredLayout
  /// The tracker that records the calls; `nil` for functions that record nothing.
  let tracker: UnsafeMutablePointer<Tracker>?

  @inline(__always)
  init(layout: StoredLayout, tracker: UnsafeMutablePointer<Tracker>?) {
    self.layout = layout
    unsafe self.tracker = unsafe tracker
  }

  /// The width of a character and the payload offset.
  @inline(__always)
  var stringLayout: StringLayout { StringLayout(layout) }

  // MARK: allocating

  /// Implements SysAllocString.
  @inline(__always)
  func allocate(zeroTerminated text: UnsafeRawPointer?, caller: CallSite)
    -> UnsafeMutableRawPointer?
  {
    guard let text = unsafe text else { return nil }
    return unsafe allocate(characters: characterCount(of: text), from: text, caller: caller)
  }

  /// Implements SysAllocStringLen.
  @_transparent  // Where `@inline(__always)` leaves a call.
  func allocate(
    characters count: Int, from text: UnsafeRawPointer?, caller: CallSite
  ) -> UnsafeMutableRawPointer? {
    guard count < stringLayout.characterLimit else { return nil }
    let byteCount = count &* stringLayout.olecharBytes
    return unsafe allocate(byteCount, copying: text, available: byteCount, caller: caller)
  }

  /// Implements SysAllocStringByteLen.
  @inline(__always)
  func allocate(
    bytes byteCount: Int, from bytes: UnsafeRawPointer?, caller: CallSite
  ) -> UnsafeMutableRawPointer? {
    guard byteCount < StringLayout.byteLimit else { return nil }
    return unsafe allocate(byteCount, copying: bytes, available: byteCount, caller: caller)
  }

  /// Allocates a BSTR of `byteCount` bytes, the first `available` copied and the rest zero, and
  /// records it if the process is recorded.
  @_transparent  // As above.
  private func allocate(
    _ byteCount: Int, copying source: UnsafeRawPointer?, available: Int, caller: CallSite
  ) -> UnsafeMutableRawPointer? {
    guard let watcher = unsafe watcher else {
      let layout = BlockLayout(stringLayout: stringLayout, hasGuard: false)
      return unsafe allocate(byteCount, copying: source, available: available, layout)
    }
    if unsafe watcher.pointee.failsAllocation(caller: caller) { return nil }
    let watched = BlockLayout(layout)
    var memory = unsafe allocate(byteCount, copying: source, available: available, watched)
    if unsafe memory == nil {
      // The program needs the memory that is in quarantine.
      unsafe watcher.pointee.emptyQuarantine()
      unsafe memory = allocate(byteCount, copying: source, available: available, watched)
    }
    guard let bstr = unsafe memory else { return nil }
    if unsafe source == nil && watcher.pointee.options.fill {
      unsafe memset(bstr, 0xCD, byteCount)
    }
    unsafe watcher.pointee.recordAllocation(
      block: stringLayout.block(ofString: UInt(bitPattern: bstr)),
      bstr: UInt(bitPattern: bstr), layout, byteLength: UInt32(truncatingIfNeeded: byteCount),
      caller: caller)
    return unsafe bstr
  }

  /// Allocates a block, and writes a BSTR to it.
  @inline(__always)
  private func allocate(
    _ byteCount: Int, copying source: UnsafeRawPointer?, available: Int, _ layout: BlockLayout
  ) -> UnsafeMutableRawPointer? {
    // From the program's own heap, so that a private copy of SysFreeString may free it. calloc gets
    // fresh pages already zeroed: it is used unless the payload is copied whole.
    let blockBytes = layout.blockBytes(forPayload: byteCount)
    let isWhole = unsafe source != nil && available >= byteCount
    let memory = unsafe isWhole ? malloc(blockBytes) : calloc(1, blockBytes)
    guard let block = unsafe memory else { return nil }
    let bstr = unsafe block + stringLayout.payloadOffset
    // In front of the prefix, or where the prefix is.
    unsafe block.storeBytes(of: 0, as: UInt32.self)
    unsafe setPrefix(of: bstr, to: byteCount)
    if let source = unsafe source { unsafe memcpy(bstr, source, min(available, byteCount)) }
    unsafe layout.terminate(bstr, byteCount)
    unsafe layout.setGuard(of: bstr, byteCount)
    return unsafe bstr
  }

  /// The tracker, when it records anything.
  @inline(__always)
  private var watcher: UnsafeMutablePointer<Tracker>? {
    guard let tracker = unsafe tracker, unsafe tracker.pointee.isRecording else { return nil }
    return unsafe tracker
  }

  // MARK: freeing

  /// Implements SysFreeString.
  @inline(__always)
  func free(_ bstr: UnsafeMutableRawPointer?, caller: CallSite) {
    guard let bstr = unsafe bstr else { return }
    if let tracker = unsafe tracker, unsafe !tracker.pointee.pins.isEmpty,
      unsafe tracker.pointee.deferFree(of: UInt(bitPattern: bstr), caller: caller)
    {
      return
    }
    unsafe freeUnpinned(bstr, caller: caller)
  }

  /// Frees the block of a string without pins, unless it is certain that there is none.
  @inline(__always)
  private func freeUnpinned(_ bstr: UnsafeMutableRawPointer, caller: CallSite) {
    let block = stringLayout.block(ofString: UInt(bitPattern: bstr))
    if let watcher = unsafe watcher {
      switch unsafe watcher.pointee.free(block: block, stringLayout, caller: caller) {
      case .own, .unrecorded, .inherited: return
      case .unwatched: break
      case .unknown: return unsafe freeUnknown(bstr, watcher, caller: caller)
      }
    }
    unsafe ct_heap_free(UnsafeMutableRawPointer(bitPattern: block))
  }

  /// Frees what is no live block of the registry at this layout: a live one of another layout, or a
  /// foreign one.
  ///
  /// Anything else is a fault, which is recorded.
  private func freeUnknown(
    _ bstr: UnsafeMutableRawPointer, _ watcher: UnsafeMutablePointer<Tracker>, caller: CallSite
  ) {
    if unsafe watcher.pointee.free(ofOtherLayout: UInt(bitPattern: bstr), layout, caller: caller) {
      return
    }
    let verdict = unsafe watcher.pointee.judgeFree(bstr, stringLayout, caller: caller)
    guard verdict == .foreign else { return }
    unsafe watcher.pointee.free(
      foreign: UInt(bitPattern: bstr - stringLayout.payloadOffset), UInt(bitPattern: bstr),
      stringLayout,
      byteLength: UInt32(Self.byteLength(of: bstr)), caller: caller)
  }

  // MARK: reallocating

  /// Implements SysReAllocString.
  ///
  /// The copy is made before the old string is freed: `text` may point into it.
  func reallocate(
    _ variable: UnsafeMutablePointer<UnsafeMutableRawPointer?>,
    zeroTerminated text: UnsafeRawPointer?,
    caller: CallSite
  ) -> Bool {
    let old = unsafe variable.pointee
    // Judged first: a fault is reported even if there is no memory for the copy.
    let isString = unsafe isString(old, frees: true, caller: caller)
    var copy: UnsafeMutableRawPointer?
    if let text = unsafe text {
      unsafe copy = allocate(zeroTerminated: text, caller: caller)
      if unsafe copy == nil { return false }
    }
    unsafe variable.pointee = copy
    if isString { unsafe free(old, caller: caller) }
    return true
  }

  /// Implements SysReAllocStringLen.
  func reallocate(
    _ variable: UnsafeMutablePointer<UnsafeMutableRawPointer?>, characters count: Int,
    from text: UnsafeRawPointer?, caller: CallSite
  ) -> Bool {
    guard count < stringLayout.characterLimit else { return false }
    guard let old = unsafe variable.pointee else {
      let new = unsafe allocate(characters: count, from: text, caller: caller)
      unsafe variable.pointee = new
      return unsafe new != nil
    }
    let isString = unsafe isString(old, frees: true, caller: caller)
    let byteCount = count * stringLayout.olecharBytes
    let oldBytes = unsafe isString ? bytesInside(old, caller: caller) : bytesOfText(old, byteCount)
    if isString, byteCount <= oldBytes, unsafe hasOwnLayout(old) {
      unsafe shorten(old, to: byteCount, from: text)
      return true
    }
    // Characters copied from the old string end where it ends: its terminator is the last one read.
    let source = unsafe text ?? UnsafeRawPointer(old)
    let distance = UInt(bitPattern: source) &- UInt(bitPattern: old)
    let available =
      distance <= UInt(oldBytes) ? oldBytes - Int(distance) : byteCount
    let new = unsafe allocate(byteCount, copying: source, available: available, caller: caller)
    guard let new = unsafe new else { return false }
    unsafe variable.pointee = new
    if isString { unsafe free(old, caller: caller) }
    return true
  }

  /// Shortens a string in place, and records that.
  private func shorten(
    _ bstr: UnsafeMutableRawPointer, to byteCount: Int, from text: UnsafeRawPointer?
  ) {
    if let text = unsafe text { unsafe memmove(bstr, text, byteCount) }
    unsafe setPrefix(of: bstr, to: byteCount)
    unsafe BlockLayout(stringLayout: stringLayout, hasGuard: false).terminate(bstr, byteCount)
    if let watcher = unsafe watcher {
      unsafe watcher.pointee.recordShortening(
        block: UInt(bitPattern: bstr - stringLayout.payloadOffset), to: byteCount)
    }
  }

  /// Returns whether a string has the layout of these functions, as far as its layout is known.
  private func hasOwnLayout(_ bstr: UnsafeMutableRawPointer) -> Bool {
    guard let watcher = unsafe watcher else { return true }
    let known = unsafe watcher.pointee.layout(ofString: UInt(bitPattern: bstr))
    return known.map { StringLayout($0) == stringLayout } ?? true
  }

  /// Returns the string's length in bytes: that of its prefix, but at most what was allocated, if
  /// that is known.
  private func bytesInside(_ bstr: UnsafeMutableRawPointer, caller: CallSite) -> Int {
    let allocated = unsafe watcher.flatMap {
      unsafe $0.pointee.inspect(string: UInt(bitPattern: bstr), stringLayout, caller: caller)
    }
    return unsafe min(Self.byteLength(of: bstr), allocated ?? .max)
  }

  /// Returns the bytes of characters that have no prefix, at most `limit`.
  private func bytesOfText(_ text: UnsafeMutableRawPointer, _ limit: Int) -> Int {
    var count = 0
    while count < limit,
      ct_is_readable(UInt(bitPattern: text) + UInt(count), stringLayout.olecharBytes),
      ct_peek(UInt(bitPattern: text) + UInt(count), stringLayout.olecharBytes) != 0
    {
      count += stringLayout.olecharBytes
    }
    return count
  }

  /// Returns whether something may be used as a BSTR; true when nothing is recorded, as without the
  /// tracker.
  private func isString(_ bstr: UnsafeMutableRawPointer?, frees: Bool, caller: CallSite) -> Bool {
    guard let bstr = unsafe bstr, let watcher = unsafe watcher else { return true }
    return unsafe watcher.pointee.judgeUse(bstr, stringLayout, frees: frees, caller: caller)
  }

  // MARK: pinning

  /// Implements SysAddRefString; returns false when the pin cannot be remembered.
  func pin(_ bstr: UnsafeMutableRawPointer, caller: CallSite) -> Bool {
    // What is no BSTR is not pinned: a later BSTR may have its address.
    guard unsafe isString(bstr, frees: false, caller: caller) else { return true }
    return unsafe tracker?.pointee.pin(UInt(bitPattern: bstr), caller: caller) ?? true
  }

  /// Implements SysReleaseString.
  func unpin(_ bstr: UnsafeMutableRawPointer, caller: CallSite) {
    if let tracker = unsafe tracker, unsafe tracker.pointee.pins.unpin(UInt(bitPattern: bstr)) {
      unsafe freeUnpinned(bstr, caller: caller)
    }
  }

  // MARK: reading

  /// Implements SysStringByteLen: reads the prefix and nothing else, so that any memory with a
  /// prefix will do.
  static func byteLength(of bstr: UnsafeRawPointer?) -> Int {
    guard let bstr = unsafe bstr else { return 0 }
    return unsafe Int((bstr - 4).loadUnaligned(as: UInt32.self))
  }

  /// Returns the length in the prefix of a block, in bytes.
  static func byteLength(ofBlock block: UInt, _ stringLayout: StringLayout) -> Int {
    unsafe byteLength(of: UnsafeRawPointer(bitPattern: block + UInt(stringLayout.payloadOffset)))
  }

  /// Implements SysStringLen.
  func characterCount(ofString bstr: UnsafeRawPointer?) -> Int {
    unsafe Self.byteLength(of: bstr) / stringLayout.olecharBytes
  }

  // MARK: VarBstr

  /// Implements VarBstrCat; returns `nil` when memory is exhausted or the lengths overflow.
  func concatenate(
    _ left: UnsafeRawPointer?, _ right: UnsafeRawPointer?, caller: CallSite
  ) -> UnsafeMutableRawPointer? {
    let (leftBytes, rightBytes) = unsafe (Self.byteLength(of: left), Self.byteLength(of: right))
    guard leftBytes + rightBytes < StringLayout.byteLimit,
      let result = unsafe allocate(
        leftBytes + rightBytes, copying: left, available: leftBytes, caller: caller)
    else { return nil }
    if let right = unsafe right {
      unsafe (result + leftBytes).copyMemory(from: right, byteCount: rightBytes)
    }
    return unsafe result
  }

  /// Implements VarBstrCmp; returns a negative value, zero or a positive one.
  static func compare(_ left: UnsafeRawPointer?, _ right: UnsafeRawPointer?) -> Int {
    let (leftBytes, rightBytes) = unsafe (byteLength(of: left), byteLength(of: right))
    if let left = unsafe left, let right = unsafe right {
      let order = unsafe memcmp(left, right, min(leftBytes, rightBytes))
      if order != 0 { return Int(order) }
    }
    return leftBytes - rightBytes
  }

  // MARK: the block's parts

  @inline(__always)
  private func setPrefix(of bstr: UnsafeMutableRawPointer, to byteCount: Int) {
    unsafe (bstr - 4).storeBytes(of: UInt32(truncatingIfNeeded: byteCount), as: UInt32.self)
  }

  @inline(__always)
  private func characterCount(of text: UnsafeRawPointer) -> Int {
    var count = 0
    if stringLayout.olecharBytes == 2 {
      let characters = unsafe text.assumingMemoryBound(to: UInt16.self)
      while unsafe characters[count] != 0 { count += 1 }
    } else {
      let characters = unsafe text.assumingMemoryBound(to: UInt32.self)
      while unsafe characters[count] != 0 { count += 1 }
    }
    return count
  }
}
