// Starts and ends the linked tracker, which reports on its own process. Implements CLinked.h.

import BSTRAllocator
import BSTRReporter
import BSTRScopes
import CBSTR
import CLinked
import CTracker
import Glibc
import TraceOptions
import TraceStore

/// Starts the tracker; see `CLinked.h`.
@c @implementation
public func bstrtrace_linked_started() {
  ct_remove_swift_crash_handlers()
  if Tracker.isElsewhere { return }
  _ = LinkedReport.start
  let tracker = unsafe Tracker.current
  unsafe Tracker.beforeHalt = {
    let tracker = unsafe Tracker.current
    if unsafe !tracker.pointee.isUnderRun {
      _ = unsafe LinkedReport.write(tracker.pointee.options, tracker.pointee.image())
    }
  }
  for problem in unsafe tracker.pointee.problems where unsafe !tracker.pointee.isUnderRun {
    ReportOutput.write("bstrtrace: \(Printable.escaped("\(problem)"))\n", to: STDERR_FILENO)
  }
}

/// Records the end of the process and reports; see `CLinked.h`.
@c @implementation
public func bstrtrace_linked_ending() {
  if Tracker.isElsewhere { return }
  let tracker = unsafe Tracker.current
  unsafe tracker.pointee.recordEnd()
  // Under `bstrtrace run` the report is made there, when every process has ended.
  guard unsafe !tracker.pointee.isUnderRun, let image = unsafe tracker.pointee.image() else {
    return
  }
  let options = unsafe tracker.pointee.options
  let callCounters: [StoreCounter] = [.allocations, .foreignFrees]
  // No report on a program without BSTRs, unless an output was set.
  if options.outputs.isEmpty && image.events.isEmpty
    && !callCounters.contains(where: { image.count($0) > 0 })
  {
    return
  }
  let found = unsafe tracker.pointee.withoutRecording { LinkedReport.write(options, image) }
  let status = Int32(options.errorExitcode)
  // An exit status is replaced only where it is known, and 0.
  let endedWell = image.header.endState == EndState.exit.rawValue && image.header.exitStatus == 0
  if found && status != 0 && endedWell {
    // As `exit` would still have done.
    fflush(nil)
    _exit(status)
  }
}

/// Renders the report of a scope; see `bstrtrace.h`.
@c @implementation
public func bstrtrace_report_scope(_ scope: UInt32) -> UnsafeMutablePointer<CChar>? {
  let report = InProcessReport.make(scope: scope == 0 ? nil : ScopeID(rawValue: scope))
  guard let report, !report.findings.isEmpty else { return nil }
  return unsafe strdup(TextRenderer().render(report.merged()))
}

/// The report of a process on itself.
private enum LinkedReport {
  /// When the process began, by the clock of files.
  static let start = ReportFile.fileTime

  /// Writes the report to the outputs of the options.
  ///
  /// - Parameter image: what was recorded, for outputs that are stores.
  /// - Returns: whether there are findings.
  static func write(_ options: TraceOptions, _ image: StoreImage?) -> Bool {
    guard let report = InProcessReport.make() else { return false }
    // A failure to write cannot be reported any more.
    try? sinks(options)?.write(report) { image?.packed() ?? [] }
    return !report.findings.isEmpty
      || options.strictSuppressions && report.hasStaleSuppressions
  }

  /// Opens the outputs that the options name, or standard error where one cannot be opened.
  private static func sinks(_ options: TraceOptions) -> ReportSinks? {
    do throws(ReportOutput.Failure) {
      return try ReportSinks(options, start: start)
    } catch {
      ReportOutput.write(
        "bstrtrace: \(Printable.escaped("cannot write \(error)"))\n", to: STDERR_FILENO)
      var options = options
      options.outputs = []
      return try? ReportSinks(options, start: start)
    }
  }
}
