// The report of a running process on itself. The same code over the same store as `bstrtrace report`.

import BSTRAllocator
public import BSTRReporter
import Synchronization
import TraceOptions
public import TraceStore

/// Reports on this process.
public enum OwnReport {
  /// What was named once is not looked up again: a suite has many scopes.
  private static let symbolicator = Mutex(CachingSymbolicator(RuntimeSymbolicator()))

  /// The report as things are now, by this process's settings.
  ///
  /// - Parameter scope: the scope that it is about; `nil` for the whole process.
  /// - Returns: `nil` when nothing is recorded.
  /// - Complexity: linear in what is recorded.
  public static func make(scope: ScopeID? = nil) -> Report? {
    let tracker = unsafe Tracker.current
    guard let image = unsafe tracker.pointee.image() else { return nil }
    let settings = unsafe tracker.pointee.settings
    let reporter = Reporter(
      redact: settings.redact == true, wrappers: Wrappers(adding: settings.wrappers ?? []))
    return unsafe tracker.pointee.withoutRecording {
      symbolicator.withLock { reporter.report(on: [image], symbolicator: &$0, scope: scope) }
    }
  }

  /// The frames of stacks, innermost first.
  static func frames(of stacks: Set<StackID>, in image: StoreImage) -> [StackID: [Frame]] {
    symbolicator.withLock { Reporter().frames(of: stacks, in: image, symbolicator: &$0) }
  }
}
