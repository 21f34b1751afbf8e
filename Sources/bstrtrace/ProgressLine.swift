// The line on a terminal that says how far a report is, while it takes long.

import BSTRReporter
import Glibc
import Synchronization

/// A line on standard error that is shown after a second and erased at the end; none where that is
/// no terminal.
struct ProgressLine: ~Copyable {
  /// What the thread that shows the line reads.
  private final class Shared: Sendable {
    let progress = Mutex((done: 0, total: 0))
    /// The end of a pipe that is readable when the line is over.
    let over: Int32

    init(over: Int32) { self.over = over }
  }

  private static let delayMilliseconds: Int32 = 1000
  private static let pauseMilliseconds: Int32 = 200

  private var shared: Shared?
  private var thread = pthread_t()
  private var pipeEnd: Int32 = -1

  /// Begins to count the second.
  init() {
    var ends: [Int32] = [-1, -1]
    guard ReportOutput.isTerminal(STDERR_FILENO), pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let shared = Shared(over: ends[0])
    let context = Unmanaged.passRetained(shared)
    let failure = pthread_create(
      &thread, nil,
      { context in
        ProgressLine.show(Unmanaged<Shared>.fromOpaque(context!).takeRetainedValue())
        return nil
      }, context.toOpaque())
    if failure != 0 {
      context.release()
      ends.forEach { close($0) }
      return
    }
    pipeEnd = ends[1]
    self.shared = shared
  }

  deinit {
    guard let shared else { return }
    close(pipeEnd)
    pthread_join(thread, nil)
    close(shared.over)
  }

  /// Takes over how far the report is.
  func note(_ done: Int, of total: Int) {
    shared?.progress.withLock { $0 = (done, total) }
  }

  /// Shows the line until the pipe is closed.
  private static func show(_ shared: Shared) {
    var pause = delayMilliseconds
    var isShown = false
    while true {
      var over = pollfd(fd: shared.over, events: Int16(POLLIN), revents: 0)
      let count = poll(&over, 1, pause)
      if count > 0 { break }
      if count < 0, errno == EINTR { continue }
      let (done, total) = shared.progress.withLock { $0 }
      let extent = total > 1 ? ": \(done) of \(total) processes" : ""
      // To the line's start, and erase it.
      ReportOutput.write("\r\u{1B}[Kbstrtrace: making the report\(extent)", to: STDERR_FILENO)
      isShown = true
      pause = pauseMilliseconds
    }
    if isShown { ReportOutput.write("\r\u{1B}[K", to: STDERR_FILENO) }
  }
}
