// The tracker's store: its creation, its image for reports, and the end of the process.

import CInterpose
import CTracker
import Glibc
import TraceOptions
public import TraceStore

extension Tracker {
  /// Makes the store and publishes it; nothing is recorded if that fails.
  ///
  /// No other thread uses the tracker yet.
  func openStore() {
    guard let region = makeRegion() else { return }
    let writer = StoreWriter(in: region)
    let header = unsafe writer.header
    unsafe header.pointee.role = ct_role
    unsafe header.pointee.pid = UInt32(getpid())
    unsafe header.pointee.pidNamespace = StoreHeader.pidNamespaceOfProcess
    unsafe header.pointee.parentPid = UInt32(getppid())
    unsafe header.pointee.startTime = ct_now()
    unsafe header.pointee.suspended = ct_suspended()
    unsafe header.pointee.depth = UInt32(depth)
    unsafe header.pointee.firstScope = scopes.firstScope
    unsafe header.pointee.isFreeUnwatched = ct_is_free_watched() ? 0 : 1
    unsafe header.pointee.areOpenedUnseen = ct_misses_opened_modules() ? 1 : 0
    if options.holders {
      unsafe header.pointee.holderScan = HolderScan.awaited.rawValue
    }
    ProcessFacts.write(to: writer)
    writer.publish()
    unsafe store.pointee = consume writer
  }

  private func makeRegion() -> Region? {
    guard let directory = unsafe directory else { return try? Region.anonymous() }
    var path = InlineArray<4096, CChar>(repeating: 0)
    var span = path.mutableSpan
    return unsafe span.withUnsafeMutableBufferPointer { buffer -> Region? in
      guard let base = buffer.baseAddress else { return nil }
      // A process that executes another program, or holds two recorders, has several stores.
      for attempt in 0..<10_000 {
        guard unsafe ct_store_path(base, buffer.count, directory, Int32(attempt)) else {
          return nil
        }
        do throws(Region.Failure) {
          return try unsafe Region.file(at: base)
        } catch {
          if error != .file(EEXIST) { return nil }
        }
      }
      return nil
    }
  }

  /// Returns the store as it is now, for a report made by this process.
  public func image() -> StoreImage? {
    withoutRecording {
      withStore { store in try? unsafe StoreImage(bytes: store.bytes) } ?? nil
    }
  }

  /// Runs `body`, the tracker's own work, with the recursion guard held, so that nothing of it is
  /// recorded.
  public func withoutRecording<Result>(_ body: () -> Result) -> Result {
    let thread = unsafe ct_enter()
    defer { unsafe ct_leave(thread) }
    return body()
  }

  /// Registers a handler that records the status that `exit` is called with.
  ///
  /// Called at the start, for processes without BSTRs, and again at the first allocation: a handler
  /// that is registered before `main` runs after the libraries' destructors, in which a linked
  /// program reports.
  func noteStatusAtExit() {
    unsafe on_exit(
      { status, _ in unsafe Tracker.current.pointee.noteEnd(.exit, status: status) }, nil)
  }

  /// Records that the process calls `_exit`, and all that is recorded at its end, in the copy of
  /// this library that records.
  public static func noteImmediateExit(status: Int32) {
    if ct_has_other_recorder() {
      _ = BSTRFunctions.ask(
        CT_EXIT_NOW, UInt(bitPattern: Int(status)), caller: CallSite(0, 0))
      return
    }
    unsafe current.pointee.noteEnd(.immediateExit, status: status)
    unsafe current.pointee.recordEnd(isImmediate: true)
  }

  /// Records the way in which the process ends, and its status.
  ///
  /// A no-op in a child of `vfork`, which is still its parent.
  public func noteEnd(_ state: EndState, status: Int32) {
    withStore { store in
      guard unsafe store.header.pointee.pid == UInt32(getpid()) else { return }
      unsafe store.header.pointee.exitStatus = status
      unsafe store.header.pointee.endState = state.rawValue
    }
  }
}
