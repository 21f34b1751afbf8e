import Foundation
import TestSupport
import Testing
import TraceStore

@testable import BSTRReporter

/// Processes that run while a report is made.
@Suite struct RunningProcessTests {
  private static func image(
    of pid: Int32, _ executable: String, began: UInt64, _ end: EndState = .none
  ) throws -> StoreImage {
    let writer = StoreWriter(in: try Region.anonymous())
    writer.header.pointee.pid = UInt32(pid)
    writer.header.pointee.startTime = began
    writer.header.pointee.endState = end.rawValue
    writer.header.pointee.executable = writer.add(executable)
    writer.publish()
    let image = try StoreImage(bytes: writer.bytes)
    writer.unmap()
    return image
  }

  /// The time since the machine started, in nanoseconds.
  private static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// The kernel shows the program's name in parentheses: it may have some itself, look like what
  /// follows it, and be no UTF-8.
  @Test(arguments: [#"plain"#, #"a) Z 1 1 ("#, #"\377\200) Z 1"#])
  func itIsAliveUntilItEnds(name: String) throws {
    let child = Process()
    let (input, output) = (Pipe(), Pipe())
    child.executableURL = URL(filePath: "/bin/sh")
    child.arguments = ["-c", "printf '\(name)' > /proc/self/comm; echo ready; read line"]
    (child.standardInput, child.standardOutput) = (input, output)
    try child.run()
    // Not by the end of its input, which children of other tests may have, and not by a signal that
    // it may have inherited as blocked.
    let pid = child.processIdentifier
    defer { if child.isRunning { kill(pid, SIGKILL) } }
    #expect(output.fileHandleForReading.availableData == Data("ready\n".utf8))
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe")
    let image = try Self.image(of: pid, program, began: Self.now)
    #expect(RunningProcess.isAlive(image))
    // Another program, one that has ended, and one that began before this one had its id.
    #expect(!RunningProcess.isAlive(try Self.image(of: pid, "/bin/other", began: Self.now)))
    #expect(!RunningProcess.isAlive(try Self.image(of: pid, program, began: Self.now, .exit)))
    #expect(!RunningProcess.isAlive(try Self.image(of: pid, program, began: 0)))
    kill(pid, SIGKILL)
    child.waitUntilExit()
    #expect(!RunningProcess.isAlive(image))
  }
}
