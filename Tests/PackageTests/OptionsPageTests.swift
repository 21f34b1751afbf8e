import Foundation
import Testing
import TraceOptions

/// Docs/Options.md says what the table of options says.
///
/// `BSTRTRACE_UPDATE_GOLDEN=1` writes the page.
@Suite struct OptionsPageTests {
  private static var page: String {
    let rows = TraceOption.all.map { option in
      "| `\(option.name)` | \(option.summary) | \(option.defaultText) | \(option.help) |"
    }
    return """
      # Options

      Each is a long flag of `bstrtrace run` (`--depth 20`, `--no-follow-children`, `--redact`), those
      that concern recording or running, and `--error-exitcode`, also of `bstrtrace sweep`, and a key of the environment variable `BSTRTRACE_OPTIONS` (`depth=20:follow-children=off:redact=on`),
      which linked programs and the command line read. A flag overrules the variable. What cannot be
      understood in the variable is named on standard error and ignored.

      `track` is for the variable only; `--keep-store FILE`, `--baseline FILE`,
      `--update-baseline` (Docs/Suppressions.md) and `--symbolizer auto|runtime|PATH` (Docs/Limits.md, "Names"), also of `bstrtrace sweep`,
      are for the command line only. `output` and `function` may be given several times in the variable, too.

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

  /// A value of each option that is not its default.
  private static let everything =
    "depth=20:level=leaks:olechar=4:payload-offset=4:inside=on:function=SysFreeString=a+0x1F:function=SysStringLen=/b+0x2+0x3:follow-children=off:track=on:redact=on:format=json:"
    + "output=x:output=y.json:source-root=/src:group-by=stack:per-process=on:github=on:error-exitcode=0:halt-on-error=on:foreign=report:guards=on:quarantine=5:"
    + "quarantine-blocks=7:fail-allocation=3+:wrappers=A*,b:suppressions=s.txt:"
    + "strict-suppressions=on:print-suppressions=on:fill=on:break-on=9:store-dir=/d:verify-stacks=on:"
    + "holders=on:holders-limit=9"

  @Test func everyOptionCanBeGiven() {
    var given = GivenOptions()
    #expect(given.parse(Self.everything).isEmpty)
    let options = TraceOptions(given)
    #expect(options.depth == 20)
    #expect(options.level == .leaks)
    #expect(options.olechar == 4)
    #expect(options.payloadOffset == 4)
    #expect(options.inside)
    #expect(
      options.functions == [
        GivenFunction(name: "SysFreeString", module: "a", offset: 0x1F),
        GivenFunction(name: "SysStringLen", module: "/b+0x2", offset: 3),
      ])
    #expect(!options.followChildren)
    #expect(options.track == true)
    #expect(options.redact)
    #expect(options.format == .json)
    #expect(options.outputs == ["x", "y.json"])
    #expect(options.sourceRoot == "/src")
    #expect(options.groupBy == .stack)
    #expect(options.perProcess)
    #expect(options.github == true)
    #expect(options.errorExitcode == 0)
    #expect(options.haltOnError)
    #expect(options.foreign == .report)
    #expect(options.guards)
    #expect(options.quarantine == 5)
    #expect(options.quarantineBlocks == 7)
    #expect(options.failAllocation == .from(3))
    #expect(options.wrappers == ["A*", "b"])
    #expect(options.suppressions == "s.txt")
    #expect(options.strictSuppressions)
    #expect(options.printSuppressions)
    #expect(options.fill)
    #expect(options.breakOn == 9)
    #expect(options.storeDir == "/d")
    #expect(options.verifyStacks)
    #expect(options.holders)
    #expect(options.holdersLimit == 9)
    for option in TraceOption.all { #expect(!given[option].isEmpty, "\(option.name) is not tried") }
  }

  @Test func childrenGetWhatConcernsRecording() {
    var given = GivenOptions()
    _ = given.parse(Self.everything)
    var passedOn = GivenOptions()
    #expect(passedOn.parse(given.recordingText).isEmpty)
    for option in TraceOption.all {
      #expect(passedOn[option] == (option.scope == .recording ? given[option] : []))
    }
  }

  @Test(arguments: ["level=leaks", "guards=on:level=leaks:quarantine=9"])
  func theLevelSaysWhatIsTheDefaultOfOthers(text: String) {
    var given = GivenOptions()
    _ = given.parse(text)
    let options = TraceOptions(given)
    #expect(options.guards == text.contains("guards"))
    #expect(options.quarantine == (text.contains("quarantine") ? 9 : 0))
    #expect(options.quarantineBlocks == 0)
  }

  @Test func flagsOverruleTheVariable() {
    var (variable, flags) = (GivenOptions(), GivenOptions())
    _ = variable.parse("depth=20:redact=on")
    _ = flags.parse("redact=off")
    let options = TraceOptions(variable.overruled(by: flags))
    #expect(options.depth == 20)
    #expect(!options.redact)
  }

  @Test func laterOnesReplaceButForOutputs() {
    var (variable, flags) = (GivenOptions(), GivenOptions())
    _ = variable.parse("depth=20:depth=21:output=a:output=b")
    #expect(TraceOptions(variable).depth == 21)
    #expect(TraceOptions(variable).outputs == ["a", "b"])
    _ = flags.parse("output=c")
    #expect(TraceOptions(variable.overruled(by: flags)).outputs == ["c"])
  }

  @Test(arguments: [
    ("depth", "expected key=value"), ("depth=0", "expected a number from 1 to 256"),
    ("olechar=3", "expected 2 or 4"), ("track=yes", "expected on or off"),
    ("format=yaml", "expected text or json or html or sarif or pprof or valgrind-xml"),
    ("output=", "expected a path"),
    ("foreign=yes", "expected report or ignore"),
    (
      "function=SysAllocString",
      "expected a BSTR function and its address, as SysAllocStringLen=7zz+0x1234"
    ),
    ("fail-allocation=0", "expected a number from 1 (N or N+) or a percentage (P% or P%SEED)"),
    ("fail-allocation=101%", "expected a number from 1 (N or N+) or a percentage (P% or P%SEED)"),
  ])
  func whatIsWrongIsNamed(part: String, reason: String) {
    var given = GivenOptions()
    #expect(given.parse("\(part):depth=7").map(\.reason) == [reason])
    // The rest still applies.
    #expect(TraceOptions(given).depth == 7)
  }
}
