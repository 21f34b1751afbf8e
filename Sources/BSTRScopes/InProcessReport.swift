// The report of a running process on itself: the same code over the same store as `bstrtrace
// report`.

import BSTRAllocator
public import BSTRReporter
import Glibc
import Synchronization
import TraceOptions
public import TraceStore

/// Reports on this process.
public enum InProcessReport {
  /// Locations that were named once are not looked up again: a suite has many scopes.
  ///
  /// With the runtime's symbolizer only: tracing does not make a program start others.
  private static let symbolicator = Mutex(
    CachingSymbolicator(PerfMapSymbolicator(RuntimeSymbolicator())))

  /// The output of reports that no caller takes.
  static let sink = ReportSink(STDERR_FILENO, colour: false)

  /// Returns the report on the current state, by this process's options.
  ///
  /// - Parameter scope: the scope that is reported on; `nil` for the whole process.
  /// - Returns: `nil` when nothing is recorded.
  /// - Complexity: linear in what is recorded.
  public static func make(scope: ScopeID? = nil) -> Report? {
    let tracker = unsafe Tracker.current
    guard let image = unsafe tracker.pointee.image() else { return nil }
    let options = unsafe tracker.pointee.options
    let reporter = Reporter(
      redact: options.redact, wrappers: Wrappers(adding: options.wrappers),
      hasProfile: scope == nil && options.showProfiles,
      sources: SourceFiles(root: options.sourceRoot))
    return unsafe tracker.pointee.withoutRecording {
      var report = symbolicator.withLock {
        reporter.report(on: [image], symbolicator: &$0, scope: scope)
      }
      suppressions.apply(to: &report, today: Suppressions.today)
      // In one scope it is normal that most rules match nothing.
      if scope != nil { report.suppressions.removeAll { $0.findings == 0 } }
      return report
    }
  }

  /// The rules of the file that the options name; its errors are reported once.
  private static let suppressions: Suppressions = {
    var suppressions = Suppressions()
    guard let path = unsafe Tracker.current.pointee.options.suppressions else {
      return suppressions
    }
    var problems: [String] = []
    do throws(Suppressions.Unreadable) {
      try suppressions.addFile(at: path)
    } catch {
      problems.append("\(error)")
    }
    for problem in problems + suppressions.problems {
      ReportOutput.write("bstrtrace: \(Printable.escaped("\(problem)"))\n", to: STDERR_FILENO)
    }
    return suppressions
  }()

  /// Returns the frames of stacks, innermost first.
  static func frames(of stacks: Set<StackID>, in image: StoreImage) -> [StackID: [Frame]] {
    symbolicator.withLock { Reporter().frames(of: stacks, in: image, symbolicator: &$0) }
  }
}
