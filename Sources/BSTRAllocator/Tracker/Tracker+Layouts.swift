// How the strings of each caller are laid out: learnt at a module's first call, declared, set or taught.

import CTracker
import TraceOptions
import TraceStore

extension Tracker {
  /// The layout of the copy of the functions that a caller would reach without the tracker, with what the tracker
  /// adds; it is then known for the page of the caller's code.
  ///
  /// Takes the loader's lock and calls the program's own functions at a module's first call: the caller
  /// holds no lock.
  @inline(never)
  func layout(for caller: CallSite) -> StoredLayout {
    let found = entry(for: caller).layout
    let layout = found.with(guard: setsGuards && isRecording)
    ct_set_layout_of_caller(caller.returnAddress, layout.rawValue)
    if note(found) { updateFastPath() }
    return layout
  }

  private func entry(for caller: CallSite) -> LayoutTable.Entry {
    let module = unsafe ct_find_module(caller.returnAddress)
    if let known = unsafe layouts.entry(ofModule: module.start) { return known }
    var entry = unsafe LayoutTable.Entry(start: module.start, end: module.end)
    if options.olechar == nil || options.payloadOffset == nil {
      entry.copy = ProfileProbe.copy(for: caller)
    }
    if entry.copy != 0, let known = layouts.entry(ofModule: entry.start, copy: entry.copy) {
      entry.layout = known.layout
    } else {
      let probed = entry.copy == 0 ? nil : ProfileProbe.layout(ofCopy: entry.copy, for: caller)
      entry.layout = set(probed ?? layouts.assumed)
    }
    layouts.add(entry)
    return entry
  }

  /// A layout with what the user has set of it, which is certain.
  private func set(_ layout: StoredLayout) -> StoredLayout {
    StoredLayout(
      olecharBytes: options.olechar ?? layout.olecharBytes,
      payloadOffset: options.payloadOffset ?? layout.payloadOffset,
      isCertain: options.payloadOffset != nil || layout.isCertain)
  }

  /// Notes what a module says of itself, which is weaker than what the user has set.
  func declareLayout(_ profile: Profile, of caller: CallSite) {
    let module = unsafe ct_find_module(caller.returnAddress)
    layouts.declare(
      unsafe LayoutTable.Entry(
        start: module.start, end: module.end, layout: set(profile.stored), isDeclared: true))
    ct_forget_page_layouts()
    updateFastPath()
  }

  /// Notes what the release of a string by a private copy says of the payload offset, where nothing was certain.
  func learnLayout(payloadOffset: Int) {
    guard layouts.learn(payloadOffset: payloadOffset) else { return }
    ct_forget_page_layouts()
    updateFastPath()
    withStore { store in
      unsafe store.header.pointee.payloadOffset = UInt32(payloadOffset)
      unsafe store.header.pointee.learntOffset = UInt32(payloadOffset)
    }
  }

  /// Whether the code at an address has declared how it lays strings out; and then how.
  func declaredLayout(of caller: CallSite) -> StoredLayout? {
    let module = unsafe ct_find_module(caller.returnAddress)
    let entry = unsafe layouts.entry(ofModule: module.start)
    return entry.flatMap { $0.isDeclared ? $0.layout : nil }
  }

  /// The start of the block of a string that is known; of another that of the layout that is assumed.
  func block(ofString bstr: UInt, in store: borrowing StoreWriter) -> UInt {
    registry.block(ofString: bstr, Profile(layouts.assumed), in: store)
  }

  /// Enables the untracked fast path while nothing is recorded or pinned.
  ///
  /// Only where the library is linked, whose callers have one layout unless they say otherwise; where it is
  /// preloaded, each module may have a copy of its own.
  func updateFastPath() {
    guard !isRecording, pins.isEmpty, !ct_has_other_recorder(),
      ct_role == RecorderRole.linked.rawValue, let only = layouts.only
    else { return ct_set_plain_layout(0) }
    ct_set_plain_layout(only.with(guard: false).rawValue)
  }

  /// Notes in the store how the process's strings are laid out: by the first that has one.
  ///
  /// - Returns: whether that is the first.
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
