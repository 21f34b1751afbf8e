// The state of the process that a store is of: running or not. Reads /proc.

import FoundationEssentials
import Glibc
import TraceStore

/// The process that wrote a store, as the kernel shows it now.
enum RunningProcess {
  /// Returns whether a process that recorded no end is still running.
  ///
  /// Another process may have its id by now: one that began after the recording, or runs another
  /// program. The reporting process itself does not count: it reports on its own end.
  static func isAlive(_ image: StoreImage) -> Bool {
    let pid = image.header.pid
    guard EndState(rawValue: image.header.endState) == EndState.none, pid != getpid(),
      let start = startTime(of: pid), start <= recordingBegan(image.header) &+ 2 * tickNanoseconds
    else { return false }
    // Of other users' processes the link cannot be read: that one of them has the id proves
    // nothing.
    let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
    guard let link else { return false }
    return link == image.executable || link == "\(image.executable) (deleted)"
  }

  private static let tickNanoseconds = 1_000_000_000 / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))

  /// Returns the time when recording began, in nanoseconds since the machine started, suspended
  /// time included.
  private static func recordingBegan(_ header: StoreHeader) -> UInt64 {
    header.startTime &+ MachineClocks.nanoseconds(ofHundredths: header.suspended)
  }

  /// Returns the time when a process that has not ended began, in nanoseconds since the machine
  /// started; `nil` without such a process.
  private static func startTime(of pid: UInt32) -> UInt64? {
    guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/stat"),
      // The program's name is in parentheses, and may have some itself.
      let name = bytes.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    let fields = bytes[(name + 1)...].split(separator: UInt8(ascii: " "))
    // proc_pid_stat(5) counts from 1, the name is the second: state is the third, starttime the
    // 22nd.
    guard fields.count > 19, fields[0].first != UInt8(ascii: "Z"),
      let ticks = UInt64(String(decoding: fields[19], as: UTF8.self))
    else { return nil }
    return ticks &* tickNanoseconds
  }
}
