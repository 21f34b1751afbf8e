import Foundation
import Testing

/// Every scenario program finds what its first lines state, and nothing else.
@Suite(.overAllProducts, .namingProducts) struct ScenarioTests {
  @Test func thereAreScenarios() {
    #expect(Set(Scenario.all.map(\.file)).count >= 120)
  }

  @Test(arguments: Scenario.all) func findsWhatItStates(_ scenario: Scenario) throws {
    if let pending = scenario.pending {
      withKnownIssue(pending) {
        let (command, report) = try scenario.run()
        scenario.expect(report, command)
      }
      return
    }
    let (command, report) = try scenario.run()
    scenario.expect(report, command)
    if scenario.file.lastPathComponent.hasPrefix("three_from_two_places") {
      let valid = try ReportContractTests.validate(scenario.reportFile)
      #expect(valid.status == 0, "\(valid.errors)")
    }
  }
}
