import Foundation
import Testing
import TraceOptions

/// Docs/Options.md says what the table of settings says.
///
/// `BSTRTRACE_UPDATE_GOLDEN=1` writes the page.
@Suite struct OptionsPageTests {
  private static func values(of setting: Setting) -> String {
    switch setting.values {
    case .integer(let range) where range.upperBound == .max: "from \(range.lowerBound)"
    case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
    case .oneOf(let numbers): numbers.map(String.init).joined(separator: ", ")
    case .onOff: "on, off"
    case .format: "text, json"
    case .path: "a path"
    case .reportOrIgnore: "report, ignore"
    case .failures: "N, N+, P%, P%SEED"
    case .level: "leaks, full"
    case .patterns: "names, with * for any characters, separated by commas"
    }
  }

  private static var page: String {
    let rows = Setting.allCases.map { setting in
      "| `\(setting.name)` | \(values(of: setting)) | \(setting.defaultText) | \(setting.help) |"
    }
    return """
      # Options

      Each is a long flag of `bstrtrace run` (`--depth 20`, `--no-follow-children`, `--redact`), those
      that concern recording, and `--error-exitcode`, also of `bstrtrace sweep`, and a key of the environment variable `BSTRTRACE_OPTIONS` (`depth=20:follow-children=off:redact=on`),
      which linked programs and the command line read. A flag overrules the variable. What cannot be
      understood in the variable is named on standard error and ignored.

      `track` is for the variable only; `--keep-store FILE`, `--baseline FILE`,
      `--update-baseline` (Docs/Suppressions.md) and `--symbolizer auto|runtime|PATH` (Docs/Limits.md, "Names")
      are for the command line only.

      | option | values | default | meaning |
      |---|---|---|---|
      \(rows.joined(separator: "\n"))

      """
  }

  @Test func thePageIsTheTable() throws {
    let file = ImportRulesTests.root.appending(path: "Docs/Options.md")
    if ProcessInfo.processInfo.environment["BSTRTRACE_UPDATE_GOLDEN"] == "1" {
      try Self.page.write(to: file, atomically: true, encoding: .utf8)
    }
    let found = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    #expect(found == Self.page, "Docs/Options.md should read:\n\(Self.page)")
  }

  @Test func everySettingCanBeParsed() {
    var settings = Settings()
    let problems = settings.parse(
      "depth=20:olechar=4:payload-offset=4:follow-children=off:track=on:redact=on:format=json:"
        + "output=x:error-exitcode=0:halt-on-error=on:foreign=report:guards=off:quarantine=0:"
        + "quarantine-blocks=7:fail-allocation=3+:wrappers=A*,b:fill=on:break-on=9:"
        + "suppressions=s.txt:strict-suppressions=on:print-suppressions=on:level=leaks:verify-stacks=on"
    )
    #expect(problems.isEmpty)
    #expect(settings.depth == 20)
    #expect(settings.olechar == 4)
    #expect(settings.payloadOffset == 4)
    #expect(settings.followChildren == false)
    #expect(settings.track == true)
    #expect(settings.redact == true)
    #expect(settings.json == true)
    #expect(settings.output == "x")
    #expect(settings.errorExitcode == 0)
    #expect(settings.haltOnError == true)
    #expect(settings.reportForeign == true)
    #expect(settings.guards == false)
    #expect(settings.fill == true)
    #expect(settings.breakOn == 9)
    #expect(settings.quarantine == 0)
    #expect(settings.quarantineBlocks == 7)
    #expect(settings.failAllocation == .from(3))
    #expect(settings.wrappers == ["A*", "b"])
    #expect(settings.leaksOnly == true)
    #expect(settings.verifyStacks == true)
    #expect(settings.suppressions == "s.txt")
    #expect(settings.strictSuppressions == true)
    #expect(settings.printSuppressions == true)
    var again = Settings()
    #expect(again.parse(settings.recordingText).isEmpty)
    #expect(again.depth == 20)
    #expect(again.redact == true)
    #expect(again.leaksOnly == true)
    #expect(again.verifyStacks == true)
    #expect(again.haltOnError == true)
    #expect(again.reportForeign == true)
    #expect(again.guards == false)
    #expect(again.fill == true)
    #expect(again.quarantine == 0)
    #expect(again.quarantineBlocks == 7)
    #expect(again.failAllocation == .from(3))
  }

  @Test(arguments: [
    ("depth", "expected key=value"), ("depth=0", "expected a number from 1 to 256"),
    ("olechar=3", "expected 2 or 4"), ("track=yes", "expected on or off"),
    ("format=xml", "expected text or json"), ("output=", "expected a path"),
    ("foreign=yes", "expected report or ignore"),
    ("fail-allocation=0", "expected a number from 1 (N or N+) or a percentage (P% or P%SEED)"),
    ("fail-allocation=101%", "expected a number from 1 (N or N+) or a percentage (P% or P%SEED)"),
  ])
  func whatIsWrongIsNamed(part: String, reason: String) {
    var settings = Settings()
    #expect(settings.parse("\(part):depth=7").map(\.reason) == [reason])
    // The rest still applies.
    #expect(settings.depth == 7)
  }
}
