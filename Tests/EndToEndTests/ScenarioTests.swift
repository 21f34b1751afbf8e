import Foundation
import Testing

/// Every scenario program finds what its first lines state, and nothing else.
///
/// `BSTRTRACE_SCENARIOS=TEXT` runs those only whose names have the text in them.
@Suite(.overAllProducts, .namingProducts) struct ScenarioTests {
  static let chosen = Scenario.all.filter { scenario in
    guard let text = ProcessInfo.processInfo.environment["BSTRTRACE_SCENARIOS"] else { return true }
    return scenario.testDescription.contains(text)
  }

  @Test func thereAreScenarios() {
    #expect(Scenario.files.count >= 200)
  }

  /// A scenario is known by its file's name, wherever it is: so are the folder that it is built in,
  /// and its name in the documentation.
  @Test func namesAreUnique() {
    let names = Scenario.files.map { $0.deletingPathExtension().lastPathComponent }
    for name in Set(names) { #expect(names.count { $0 == name } == 1, "\(name)") }
  }

  @Test(arguments: chosen) func findsWhatItStates(_ scenario: Scenario) throws {
    if let pending = scenario.pending {
      withKnownIssue(pending) {
        let (command, report) = try scenario.run()
        scenario.expect(report, command)
      }
      return
    }
    let (command, report) = try scenario.run()
    scenario.expect(report, command)
    if scenario.file.lastPathComponent.hasPrefix("three_from_two_places"),
      Client.jsonSchema.isInstalled
    {
      let valid = try ReportContractTests.validate(scenario.reportFile)
      #expect(valid.status == 0, "\(valid.errors)")
    }
  }
}
