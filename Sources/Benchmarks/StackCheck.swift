// Whether the stacks are right: one leak, 18 frames of the program deep, reported by each tool.
// A tool that is quick because it records less should be seen to do so.

import FoundationEssentials

/// The count of the program's 18 frames that a tool shows of one leak.
struct StackCheck {
  let tool: Tool
  let frames: Frames
  /// `nil` when it reported nothing.
  let shown: Int?
}

extension BenchmarkRunner {
  /// Lets each tool report the same leak, and counts the frames that it shows.
  func checkStacks() -> [StackCheck] {
    note("stacks: one leak")
    return Frames.allCases.flatMap { frames in
      tools.filter { $0 != .plain && $0 != .linkedOff }.map { tool in
        StackCheck(
          tool: tool, frames: frames, shown: try? shownFrames(tool, frames))
      }
    }
  }

  /// Returns the count of frames of the program that a tool showed, or `nil` when it was not
  /// checked.
  func framesShown(_ tool: Tool, _ frames: Frames) -> Int? {
    stackChecks.first { $0.tool == tool && $0.frames == frames }?.shown
  }

  private func shownFrames(_ tool: Tool, _ frames: Frames) throws -> Int? {
    let program = try programs.path(of: "workload", for: tool.linkage, frames)
    var (prefix, environment) = (tool.prefix, tool.environment)
    // The reports of this project are discarded elsewhere.
    if let index = prefix.firstIndex(of: "/dev/null") { prefix[index] = "/dev/stderr" }
    environment["BSTRTRACE_OPTIONS"] = environment["BSTRTRACE_OPTIONS"]?
      .replacing(":output=/dev/null", with: "")
    let child = try Child(
      prefix + [program, "one", "depth=18"], environment: environment, in: temporary)
    if tool.name == Tool.heapCheckerName {
      // It prints addresses: those of the program, which is loaded low, and of libraries.
      let own = child.errors.split(separator: "\n")
        .count { $0.contains("@ ") && !$0.contains("@ 7f") }
      // The last is the program's start, before `main`.
      return max(0, own - 1)
    }
    let report = tool.name == Tool.heaptrackName ? try heaptrackReport() : child.errors
    let lines = report.split(separator: "\n")
    let named = lines.count { $0.contains("workload.c:") }
    // Without llvm-symbolizer there are offsets only, one of them of the sanitizer's own `malloc`.
    return named > 0 ? named : max(0, lines.count { $0.contains("/workload+0x") } - 1)
  }

  /// Returns heaptrack's report on the string that its last run leaked.
  private func heaptrackReport() throws -> String {
    let printer = Machine.find("heaptrack_print") ?? "/usr/bin/heaptrack_print"
    let names = try FileManager.default.contentsOfDirectory(atPath: temporary)
    guard let name = names.first(where: { $0.hasPrefix("heaptrack.") }) else { return "" }
    let text = try Child([printer, "\(temporary)/\(name)"], in: temporary).output
    let story = text.split(separator: "\n", omittingEmptySubsequences: false)
      .drop { $0 != "SysAllocStringLen" }.prefix { !$0.isEmpty }
    return story.joined(separator: "\n")
  }
}
