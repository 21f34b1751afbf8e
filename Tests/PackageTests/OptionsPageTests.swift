import Foundation
import Testing
import TraceOptions

/// Docs/Options.md says what the table of settings says.
@Suite struct OptionsPageTests {
  private static func values(of setting: Setting) -> String {
    switch setting.values {
    case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
    case .oneOf(let numbers): numbers.map(String.init).joined(separator: ", ")
    case .onOff: "on, off"
    case .format: "text, json"
    case .path: "a path"
    }
  }

  private static var page: String {
    let rows = Setting.allCases.map { setting in
      "| `\(setting.name)` | \(values(of: setting)) | \(setting.defaultText) | \(setting.help) |"
    }
    return """
      # Options

      Each is a long flag of `bstrtrace run` (`--depth 20`, `--no-follow-children`, `--redact`), and a
      key of the environment variable `BSTRTRACE_OPTIONS` (`depth=20:follow-children=off:redact=on`),
      which linked programs and the command line read. A flag overrules the variable. What cannot be
      understood in the variable is named on standard error and ignored.

      `track` is for the variable only; `--keep-store FILE` is for the command line only.

      | option | values | default | meaning |
      |---|---|---|---|
      \(rows.joined(separator: "\n"))

      """
  }

  @Test func thePageIsTheTable() throws {
    let file = ImportRulesTests.root.appending(path: "Docs/Options.md")
    let found = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    #expect(found == Self.page, "Docs/Options.md should read:\n\(Self.page)")
  }

  @Test func everySettingCanBeParsed() {
    var settings = Settings()
    let problems = settings.parse(
      "depth=20:olechar=4:payload-offset=4:follow-children=off:track=on:redact=on:format=json:"
        + "output=x:error-exitcode=0")
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
    var again = Settings()
    #expect(again.parse(settings.recordingText).isEmpty)
    #expect(again.depth == 20)
    #expect(again.redact == true)
  }

  @Test(arguments: [
    ("depth", "expected key=value"), ("depth=0", "expected a number from 1 to 256"),
    ("olechar=3", "expected 2 or 4"), ("track=yes", "expected on or off"),
    ("format=xml", "expected text or json"), ("output=", "expected a path"),
  ])
  func whatIsWrongIsNamed(part: String, reason: String) {
    var settings = Settings()
    #expect(settings.parse("\(part):depth=7").map(\.reason) == [reason])
    // The rest still applies.
    #expect(settings.depth == 7)
  }
}
