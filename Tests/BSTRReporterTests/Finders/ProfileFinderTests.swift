import Testing
import TraceStore

@testable import BSTRReporter

/// The strings of a process by their stacks.
@Suite struct ProfileFinderTests {
  private func evidence(isRunning: Bool) throws -> SymbolicatedStore {
    var names = SampleReport.names
    return SymbolicatedStore(
      try SampleReport.image(), with: &names, redact: false, wrappers: Wrappers(),
      isRunning: isRunning)
  }

  private func profile(isRunning: Bool, _ fate: LeakWording.Fate) throws -> AllocationProfile {
    ProfileFinder.profile(of: try evidence(isRunning: isRunning), fate: fate)
  }

  @Test func leaksHaveOwnersAndRules() throws {
    let profile = try profile(isRunning: false, .left)
    #expect(profile.samples.map(\.leaked.count).reduce(0, +) == 4)
    #expect(profile.samples.map(\.live.bytes).reduce(0, +) == 72)
    #expect(profile.samples.map(\.allocated.count).reduce(0, +) == 101)
    let owned = profile.samples.filter { $0.rule != nil }
    #expect(!owned.isEmpty && owned.allSatisfy { $0.rule == .out && $0.leaked.count > 0 })
    for sample in owned {
      let owner = try #require(sample.owner)
      #expect(sample.frames[owner].function == "ShowStatus(CMyClass&)")
    }
  }

  @Test func whoWasKilledLeaksWithoutABrokenRule() throws {
    let profile = try profile(isRunning: false, .killed)
    #expect(profile.samples.map(\.leaked.count).reduce(0, +) == 4)
    #expect(profile.samples.allSatisfy { $0.rule == nil })
  }

  /// What lives in a running process is named, and is no leak.
  @Test func aRunningProcessHasLiveStrings() throws {
    let profile = try profile(isRunning: true, .left)
    #expect(profile.samples.map(\.live.count).reduce(0, +) == 4)
    #expect(profile.samples.map(\.leaked.count).reduce(0, +) == 0)
    #expect(profile.samples.allSatisfy { $0.rule == nil })
    let functions = profile.samples.flatMap(\.frames).compactMap(\.function)
    #expect(functions.contains("CMyClass::get_StatusText(char16_t**)"))
    let live = profile.map.functions.filter { $0.freedBy == nil }
    #expect(live.map(\.count).reduce(0, +) == 4)
  }

  /// The first of a stack's strings is the one with the lowest serial number, wherever its record
  /// stands.
  @Test func liveStringsAreSummedUpByStack() throws {
    let live = LiveStrings.byStack(in: try SampleReport.image())
    #expect(live.count == 3)
    let first = try #require(live[StackID(rawValue: 1)])
    #expect(first.count == 2 && first.bytes == 44 && first.first == 1)
  }
}
