// The kernel's clocks, read together.

import Glibc

/// The time, by the clocks of stores and files.
struct MachineClocks {
  /// Nanoseconds that the machine has run, without suspended time: the clock of stores.
  var monotonic: UInt64
  /// Nanoseconds that it has been suspended.
  var suspended: UInt64
  /// Nanoseconds since 1970: the clock of files.
  var sinceEpoch: Int64

  /// The clocks now.
  static var now: MachineClocks {
    func time(_ clock: clockid_t) -> Int64 {
      var time = timespec()
      clock_gettime(clock, &time)
      return time.nanoseconds
    }
    let monotonic = time(CLOCK_MONOTONIC)
    return MachineClocks(
      monotonic: UInt64(clamping: monotonic),
      suspended: UInt64(clamping: time(CLOCK_BOOTTIME) - monotonic),
      sinceEpoch: time(CLOCK_REALTIME))
  }

  /// Converts a store's hundredths of a second to nanoseconds.
  static func nanoseconds(ofHundredths count: UInt32) -> UInt64 { UInt64(count) * 10_000_000 }

  /// Returns the nanoseconds since recording of a process began, suspended time included; `nil` for
  /// a store from before the machine was started again, or of another machine.
  func age(of process: RecordedProcess) -> Int64? {
    guard process.startTime <= monotonic else { return nil }
    let before = Self.nanoseconds(ofHundredths: process.suspended)
    let suspendedSince = suspended > before ? suspended - before : 0
    return Int64(clamping: (monotonic - process.startTime) &+ suspendedSince)
  }
}
