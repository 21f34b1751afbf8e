import Foundation
import Testing

/// Every scenario program finds what its first lines state, and nothing else.
@Suite struct ScenarioTests {
  @Test func thereAreScenarios() {
    #expect(Scenario.all.count >= 20)
  }

  @Test(arguments: Scenario.all) func findsWhatItStates(_ scenario: Scenario) throws {
    let (command, report) = try scenario.run()
    let found = report.findings.map { finding -> Scenario.Leak in
      let frame = finding.stacks.allocated.first
      let file = frame?.file.map { URL(filePath: $0).lastPathComponent }
      let place = file.map { "\($0):\(frame?.line ?? 0)" }
      return Scenario.Leak(
        count: finding.count, bytes: finding.bytes, function: frame?.function ?? "?",
        place: place ?? URL(filePath: frame?.module ?? "?").lastPathComponent)
    }
    #expect(found == scenario.leaks, "\(command.output)\(command.errors)")
    #expect(report.summary.findings == scenario.leaks.count)
    #expect(report.summary.leakedBstrs == scenario.leaks.reduce(0) { $0 + $1.count })
    let expected = scenario.status ?? (scenario.leaks.isEmpty ? 0 : 23)
    #expect(command.status == expected, "\(command.output)\(command.errors)")
    #expect(report.damage.isEmpty)
    if scenario.file.lastPathComponent.hasPrefix("three_from_two_places") {
      let valid = try ReportContractTests.validate(scenario.reportFile)
      #expect(valid.status == 0, "\(valid.errors)")
    }
  }
}
