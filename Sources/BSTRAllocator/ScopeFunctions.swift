// What bstrtrace.h calls for scopes, implemented; and the same for Swift's tasks.

public import CBSTR
import CTracker
public import TraceStore

/// See `bstrtrace.h`.
@c @implementation
public func bstrtrace_begin_scope(_ name: UnsafePointer<CChar>?) -> UInt32 {
  let caller = CallSite(ct_return_address(), ct_frame_address())
  guard let place = unsafe ct_enter() else { return 0 }
  defer { unsafe ct_leave(place) }
  guard let name = unsafe name else { return 0 }
  return unsafe Tracker.current.pointee.beginScope(name, joins: true, caller: caller).rawValue
}

/// See `bstrtrace.h`.
@c @implementation
public func bstrtrace_change_scope(_ scope: UInt32, _ what: UInt32) {
  guard let place = unsafe ct_enter() else { return }
  defer { unsafe ct_leave(place) }
  let tracker = unsafe Tracker.current
  switch Int(what) {
  case BSTRTRACE_JOIN: unsafe tracker.pointee.joinScope(ScopeID(rawValue: scope))
  case BSTRTRACE_LEAVE: unsafe tracker.pointee.leaveScope(ScopeID(rawValue: scope))
  default: break
  }
}

/// See `bstrtrace.h`.
@c @implementation
public func bstrtrace_end_scope(_ scope: UInt32) -> bstrtrace_scope_counts {
  guard let place = unsafe ct_enter() else { return bstrtrace_scope_counts() }
  defer { unsafe ct_leave(place) }
  return unsafe Tracker.current.pointee.endScope(ScopeID(rawValue: scope), leaves: true)
}

/// Scopes that tasks carry with them, rather than threads.
public enum TaskScopes {
  /// Says how to ask for the scope of the running task.
  ///
  /// - Parameter scope: answers with a scope's number or 0; called in the middle of an allocation.
  public static func ask(_ scope: @convention(c) () -> UInt32) {
    ct_ask_tasks(scope)
  }

  /// Begins a scope that no thread is in.
  ///
  /// - Returns: `.none` when nothing is recorded.
  @inline(never)
  public static func begin(_ name: String) -> ScopeID {
    let caller = CallSite(ct_return_address(), ct_frame_address())
    guard let place = unsafe ct_enter() else { return .none }
    defer { unsafe ct_leave(place) }
    return unsafe name.withCString { name in
      unsafe Tracker.current.pointee.beginScope(name, joins: false, caller: caller)
    }
  }

  /// Ends a scope, and says what is left of it.
  ///
  /// - Parameter scope: `.none` is the whole process, which does not end.
  public static func end(_ scope: ScopeID) -> bstrtrace_scope_counts {
    guard let place = unsafe ct_enter() else { return bstrtrace_scope_counts() }
    defer { unsafe ct_leave(place) }
    return unsafe Tracker.current.pointee.endScope(scope, leaves: false)
  }
}
