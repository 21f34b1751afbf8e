// The string layout of each caller: detected at a module's first call, declared, set by an option,
// or adopted from a free.

import CTracker
import TraceOptions
import TraceStore

extension Tracker {
  /// Returns the layout of the strings that a caller allocates: that of the copy of the functions
  /// that it would reach without the tracker, with the guard that the tracker adds.
  ///
  /// May take the loader's lock, and calls the program's own functions at a copy's first
  /// allocation: the caller holds no lock.
  @inline(never)
  func layoutForAllocation(by caller: CallSite) -> StoredLayout {
    let origin = Origin(of: caller)
    var entry = entry(for: origin, probes: true)
    if !entry.usesFunctions { entry.layout = layoutOfOnlyCopy() }
    remember(entry.layout, of: caller, isGuess: !origin.isCertain || !entry.usesFunctions)
    if note(entry.layout) { updateFastPath() }
    return withGuard(entry.layout)
  }

  /// Returns the layout of the copy of the functions through which a caller frees a string.
  ///
  /// For a live string nothing is probed, and its own layout is returned where that of the copy is
  /// a guess.
  ///
  /// Takes shard locks, one at a time; may take the loader's lock and call the program's own
  /// functions, as the free is about to do: the caller holds no lock.
  @inline(never)
  func layoutForFree(of bstr: UInt, by caller: CallSite) -> StoredLayout {
    let live = layout(ofString: bstr)
    let origin = Origin(of: caller)
    let entry = entry(for: origin, probes: live == nil)
    let isGuess = !origin.isCertain || !entry.usesFunctions || !entry.isSettled
    let layout = isGuess ? live ?? entry.layout : entry.layout
    remember(layout, of: caller, isGuess: isGuess)
    return isGuess ? layout.uncertain : layout
  }

  /// Returns the count of a string's characters, as the caller's own SysStringLen counts them.
  ///
  /// Takes shard locks, one at a time; may take the loader's lock. Does not probe, because it only
  /// reads.
  @inline(never)
  func characterCount(ofString bstr: UnsafeRawPointer, by caller: CallSite) -> Int {
    let bytes = unsafe BSTRFunctions.byteLength(of: bstr)
    if let live = layout(ofString: UInt(bitPattern: bstr)) { return bytes / live.olecharBytes }
    let origin = Origin(of: caller)
    let entry = entry(for: origin, probes: false)
    if entry.isSettled {
      remember(entry.layout, of: caller, isGuess: !origin.isCertain || !entry.usesFunctions)
      return bytes / entry.layout.olecharBytes
    }
    return unsafe LayoutProbe.characterCount(of: bstr, ofCopy: entry.copy, for: origin.address)
      ?? bytes / entry.layout.olecharBytes
  }

  /// Replaces the functions inside of the modules that the program was started with, if the options
  /// ask for it and the process is recorded.
  ///
  /// The process has one thread yet. Tries the program's functions out, in a child.
  public func replaceFunctionsInside() {
    guard options.inside || !options.functions.isEmpty, isRecording,
      ct_role == RecorderRole.preloaded.rawValue
    else { return }
    let thread = unsafe ct_enter()
    defer { unsafe ct_leave(thread) }
    guard unsafe thread != nil else { return }
    for function in options.functions {
      unsafe ct_give_function(function.module, function.name, function.offset)
    }
    ct_replace_families(
      UInt32(options.olechar ?? 0), UInt32(options.payloadOffset ?? 0), options.inside)
    withStore { store in
      unsafe store.header.pointee.areOpenedUnseen = ct_misses_opened_modules() ? 1 : 0
      depotLock.acquire()
      defer { depotLock.release() }
      unsafe depot.pointee.recordReplacements(in: store)
    }
  }

  /// Returns a layout with the guard that new strings get, and records it in the store if it is the
  /// first.
  func noted(_ layout: StoredLayout) -> StoredLayout {
    withStore { store in
      guard unsafe store.header.pointee.olecharBytes == 0 else { return }
      _ = note(layout)
    }
    return withGuard(layout)
  }

  /// The origin of a call.
  private struct Origin {
    /// An address in the code that called, or that jumped here when it was called itself.
    var address: UInt
    /// Whether it is certain that the code there called.
    var isCertain: Bool

    /// Finds the origin of the call that returns to `caller`.
    ///
    /// A tail call is a jump: the call that returns to `caller` was one of the function that
    /// jumped.
    init(of caller: CallSite) {
      let called = ct_called_function(caller.returnAddress)
      address = caller.returnAddress
      isCertain = called != 0 || !ct_decodes_calls
      if unsafe called != 0 && !ct_is_in_copy(UnsafeRawPointer(bitPattern: called)) {
        address = called
      }
    }

    init(address: UInt, isCertain: Bool) {
      self.address = address
      self.isCertain = isCertain
    }
  }

  /// Keeps a layout for the next call that returns to the same address, unless code may be unloaded
  /// unseen.
  private func remember(_ layout: StoredLayout, of caller: CallSite, isGuess: Bool) {
    guard ct_sees_unloads() else { return }
    let layout = withGuard(layout)
    ct_set_layout_of_caller(caller.returnAddress, (isGuess ? layout.guess : layout).rawValue)
  }

  /// Returns a layout with the guard that new strings get.
  private func withGuard(_ layout: StoredLayout) -> StoredLayout {
    layout.with(guard: setsGuards && isRecording)
  }

  /// Whether the user's options leave anything of a layout to be detected.
  private var detectsLayouts: Bool { options.olechar == nil || options.payloadOffset == nil }

  /// Returns the entry of the module that a call comes from, and makes it if there is none.
  ///
  /// - Parameter probes: whether its copy of the functions is to be probed, if it has one.
  private func entry(for origin: Origin, probes: Bool) -> LayoutTable.Entry {
    let module = unsafe ct_find_module(origin.address)
    if let known = unsafe layouts.entry(ofModule: module.start),
      known.isSettled || !probes
    {
      return known
    }
    var entry = unsafe LayoutTable.Entry(
      start: module.start, end: module.end, identity: ct_module_identity(origin.address))
    entry.usesFunctions = entry.start == 0 || ct_uses_functions(origin.address)
    entry.layout = set(assumedLayout(at: origin.address))
    if entry.usesFunctions, detectsLayouts {
      entry.copy = LayoutProbe.copy(for: origin.address)
    }
    entry.isSettled = entry.copy == 0
    if let known = entry.copy == 0 ? nil : layoutOfKnown(copy: entry.copy) {
      entry.layout = known
      entry.isSettled = true
    } else if entry.copy != 0, probes {
      if let probed = LayoutProbe.layout(ofCopy: entry.copy, assuming: entry.layout) {
        entry.layout = set(probed)
      }
      entry.isSettled = true
    }
    layouts.set(entry)
    return entry
  }

  /// Returns the layout of a copy that was probed, or replaced; `nil` of others.
  private func layoutOfKnown(copy: UInt) -> StoredLayout? {
    if let known = layouts.entry(ofCopy: copy) { return known.layout }
    let replaced = ct_replaced_layout_of(copy)
    guard replaced.olecharBytes != 0 else { return nil }
    return StoredLayout(
      olecharBytes: Int(replaced.olecharBytes), payloadOffset: Int(replaced.payloadOffset),
      isCertain: true)
  }

  /// Returns the layout that is assumed of a module while none was detected: with the width that
  /// the functions' names in it tell.
  private func assumedLayout(at address: UInt) -> StoredLayout {
    let named = Int(ct_named_olechar_bytes(address))
    return named == 0 ? LayoutTable.assumed : LayoutTable.assumed.with(olecharBytes: named)
  }

  /// Returns the layout for code that does not use the functions, and yet calls them through a
  /// pointer or a jump: that of the only copy in the process, if there is one.
  private func layoutOfOnlyCopy() -> StoredLayout {
    let copy = detectsLayouts ? ct_only_copy() : 0
    guard copy != 0 else { return set(LayoutTable.assumed) }
    if let known = layouts.entry(ofCopy: copy) { return known.layout }
    return entry(for: Origin(address: copy, isCertain: true), probes: true).layout
  }

  /// Returns a layout with the values that the user has set, which are certain.
  private func set(_ layout: StoredLayout) -> StoredLayout {
    StoredLayout(
      olecharBytes: options.olechar ?? layout.olecharBytes,
      payloadOffset: options.payloadOffset ?? layout.payloadOffset,
      isCertain: options.payloadOffset != nil || layout.isCertain)
  }

  /// Sets the layout that a module declares of itself, which the user's options override.
  func declareLayout(_ stringLayout: StringLayout, of caller: CallSite) {
    let module = unsafe ct_find_module(caller.returnAddress)
    layouts.declare(
      unsafe LayoutTable.Entry(
        start: module.start, end: module.end, identity: ct_module_identity(caller.returnAddress),
        isSettled: true, layout: set(stringLayout.stored), isDeclared: true))
    ct_forget_layouts()
    updateFastPath()
  }

  /// Adopts the payload offset that the free of a string by a private copy shows, where nothing was
  /// certain.
  func adoptLayout(payloadOffset: Int) {
    guard layouts.adopt(payloadOffset: payloadOffset) else { return }
    ct_forget_layouts()
    updateFastPath()
    withStore { store in
      unsafe store.header.pointee.payloadOffset = UInt32(payloadOffset)
      unsafe store.header.pointee.adoptedOffset = UInt32(payloadOffset)
    }
  }

  /// Returns the string layout that the caller's module has declared; `nil` when it has not.
  func declaredLayout(of caller: CallSite) -> StoredLayout? {
    let module = unsafe ct_find_module(caller.returnAddress)
    let entry = unsafe layouts.entry(ofModule: module.start)
    return entry.flatMap { $0.isDeclared ? $0.layout : nil }
  }

  /// Returns the start of the block of a string: if it is not known, by the assumed layout.
  ///
  /// Takes shard locks, one at a time.
  func block(ofString bstr: UInt, in store: borrowing StoreWriter) -> UInt {
    registry.block(ofString: bstr, StringLayout(LayoutTable.assumed), in: store)
  }

  /// Enables the untracked fast path while nothing is recorded or pinned.
  ///
  /// Only in a linked library, whose callers have one layout unless they declare another; with a
  /// preloaded one each module may have a copy of its own.
  func updateFastPath() {
    guard !isRecording, pins.isEmpty, !ct_has_other_recorder(),
      ct_role == RecorderRole.linked.rawValue, let only = layouts.only
    else { return ct_set_fast_path_layout(0) }
    ct_set_fast_path_layout(only.with(guard: false).rawValue)
  }

  /// Records in the store the process's string layout: the first that is found.
  ///
  /// - Returns: whether this is the first.
  private func note(_ layout: StoredLayout) -> Bool {
    withStore { store in
      let isFirst = unsafe store.header.pointee.olecharBytes == 0
      if isFirst {
        unsafe store.header.pointee.olecharBytes = UInt32(layout.olecharBytes)
        unsafe store.header.pointee.payloadOffset = UInt32(layout.payloadOffset)
      }
      return isFirst
    } ?? true
  }
}
