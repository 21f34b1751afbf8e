// The scope functions of bstrtrace.h, implemented, and scopes for Swift's tasks.

public import CBSTR
import CTracker
public import TraceStore

/// See `bstrtrace.h`.
@c @implementation
public func bstrtrace_begin_scope(_ name: UnsafePointer<CChar>?) -> UInt32 {
  unsafe ThreadScopes.begin(name, caller: CallSite(ct_return_address(), ct_frame_address()))
}

/// See `bstrtrace.h`.
@c @implementation
public func bstrtrace_change_scope(_ scope: UInt32, _ what: UInt32) {
  ThreadScopes.change(scope, what)
}

/// See `bstrtrace.h`.
@c @implementation
public func bstrtrace_end_scope(_ scope: UInt32) -> bstrtrace_scope_counts {
  ThreadScopes.end(scope)
}

/// The implementation of scopes, also for calls that another copy of this library passes on.
enum ThreadScopes {
  /// The call site of calls that record no stack.
  private static let nowhere = CallSite(0, 0)

  /// Implements `bstrtrace_begin_scope`.
  static func begin(_ name: UnsafePointer<CChar>?, caller: CallSite) -> UInt32 {
    guard let thread = unsafe ct_enter() else {
      guard ct_has_other_recorder() else { return 0 }
      let answer = BSTRFunctions.ask(
        CT_BEGIN_SCOPE, UInt(bitPattern: name), caller: caller)
      return UInt32(truncatingIfNeeded: answer.results.0)
    }
    defer { unsafe ct_leave(thread) }
    guard let name = unsafe name else { return 0 }
    return unsafe Tracker.current.pointee.beginScope(name, joins: true, caller: caller).rawValue
  }

  /// Implements `bstrtrace_change_scope`.
  static func change(_ scope: UInt32, _ what: UInt32) {
    guard let thread = unsafe ct_enter() else {
      if ct_has_other_recorder() {
        _ = BSTRFunctions.ask(CT_CHANGE_SCOPE, UInt(scope), UInt(what), caller: nowhere)
      }
      return
    }
    defer { unsafe ct_leave(thread) }
    let tracker = unsafe Tracker.current
    switch Int(what) {
    case BSTRTRACE_JOIN: unsafe tracker.pointee.joinScope(ScopeID(rawValue: scope))
    case BSTRTRACE_LEAVE: unsafe tracker.pointee.leaveScope(ScopeID(rawValue: scope))
    default: break
    }
  }

  /// Implements `bstrtrace_end_scope`.
  static func end(_ scope: UInt32) -> bstrtrace_scope_counts {
    guard let thread = unsafe ct_enter() else {
      var counts = bstrtrace_scope_counts()
      guard ct_has_other_recorder() else { return counts }
      let answer = BSTRFunctions.ask(CT_END_SCOPE, UInt(scope), caller: nowhere).results
      counts.bstrs = UInt64(answer.0)
      counts.bytes = UInt64(answer.1)
      counts.faults = UInt64(answer.2)
      return counts
    }
    defer { unsafe ct_leave(thread) }
    return unsafe Tracker.current.pointee.endScope(ScopeID(rawValue: scope), leaves: true)
  }
}

/// Scopes that belong to tasks rather than to threads.
public enum TaskScopes {
  /// Sets the function that returns the scope of the running task.
  ///
  /// - Parameter scope: returns a scope's id, or 0 for none; called during an allocation.
  public static func ask(_ scope: @convention(c) () -> UInt32) {
    ct_set_task_scope_provider(scope)
  }

  /// Begins a scope that no thread is in.
  ///
  /// - Returns: `.none` when nothing is recorded.
  @inline(never)
  public static func begin(_ name: String) -> ScopeID {
    let caller = CallSite(ct_return_address(), ct_frame_address())
    guard let thread = unsafe ct_enter() else { return .none }
    defer { unsafe ct_leave(thread) }
    return unsafe name.withCString { name in
      unsafe Tracker.current.pointee.beginScope(name, joins: false, caller: caller)
    }
  }

  /// Ends a scope, and returns the counts of its live strings and faults.
  ///
  /// - Parameter scope: `.none` is the whole process, which does not end.
  public static func end(_ scope: ScopeID) -> bstrtrace_scope_counts {
    guard let thread = unsafe ct_enter() else { return bstrtrace_scope_counts() }
    defer { unsafe ct_leave(thread) }
    return unsafe Tracker.current.pointee.endScope(scope, leaves: false)
  }
}
