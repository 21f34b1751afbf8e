import Testing

@testable import BSTRReporter

/// What many processes have takes memory once.
@Suite struct SharedStacksTests {
  @Test func findingsOfSeveralProcessesShareTheirFrames() {
    var stacks = SharedStacks()
    let processes = (1...3).map { pid in
      var process = SampleProcess.make(pid)
      stacks.share(&process)
      return process
    }
    let plain = (1...3).map { SampleProcess.make($0) }
    for index in processes.indices {
      #expect(
        processes[index].findings.map(\.allocated?.frames)
          == plain[0].findings.map(\.allocated?.frames))
    }
    #expect(Set(processes.map(Self.address)).count == 1)
    #expect(Set(plain.map(Self.address)).count == 3)
  }

  /// The address of the first finding's frames.
  private static func address(_ process: ProcessReport) -> UInt? {
    process.findings.first?.allocated?.frames.withUnsafeBufferPointer {
      $0.baseAddress.map { UInt(bitPattern: $0) }
    }
  }
}

private enum SampleProcess {
  static func make(_ pid: Int) -> ProcessReport {
    let frames = ["make", "main"].map { Frame(function: $0, module: "/bin/app", offset: 1) }
    let finding = Finding(
      kind: .leak, count: pid, bytes: 2, message: "", allocated: StackTrace(frames: frames),
      suppression: "leak:make")
    return ProcessReport(
      pid: pid, parentPid: 1, executable: "/bin/app", arguments: ["app"], end: .exit(0),
      totals: ProcessReport.Totals(
        allocations: 1, frees: 0, foreignFrees: 0, live: 1, liveBytes: 2, peakLive: 1,
        immortals: 0, ignored: 0, unrecorded: 0),
      findings: [finding], injectedFailures: [], notes: [])
  }
}
