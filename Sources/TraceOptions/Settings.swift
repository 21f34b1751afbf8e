// The values of all settings, and the parser of BSTRTRACE_OPTIONS. Reads no environment itself, so
// that both sides of the store can use it on a string they were given.

/// The value of every setting; `nil` where nothing was said.
public struct Settings: Sendable, Equatable {
  /// Frames kept of each stack.
  public var depth: Int?
  /// Whether no more is recorded than what leaks need.
  public var leaksOnly: Bool?
  /// Bytes of one OLECHAR, 2 or 4.
  public var olechar: Int?
  /// Bytes from a block's start to its first character, 4 or 8.
  public var payloadOffset: Int?
  /// Whether children are traced.
  public var followChildren: Bool?
  /// Whether anything is recorded.
  public var track: Bool?
  /// Whether strings stay out of stores and reports.
  public var redact: Bool?
  /// Whether the report is JSON rather than text.
  public var json: Bool?
  /// The path of the report's file.
  public var output: String?
  /// The exit status for findings, 0 for none.
  public var errorExitcode: Int?
  /// Whether the first fault ends the program.
  public var haltOnError: Bool?
  /// Whether releases of other copies' BSTRs are findings.
  public var reportForeign: Bool?
  /// Whether bytes behind each string are watched.
  public var guards: Bool?
  /// The path of the file of suppression rules.
  public var suppressions: String?
  /// Whether stale suppression rules count as findings.
  public var strictSuppressions: Bool?
  /// Whether the report ends with rules for what was found.
  public var printSuppressions: Bool?
  /// Whether fresh characters are filled with nonsense.
  public var fill: Bool?
  /// The allocation at which a debugger is to stop.
  public var breakOn: Int?
  /// Whether each recognised stack is walked, too.
  public var verifyStacks: Bool?
  /// The most bytes of released strings that are held back.
  public var quarantine: Int?
  /// The most released strings that are held back.
  public var quarantineBlocks: Int?
  /// The allocations that are made to fail.
  public var failAllocation: AllocationFailure?
  /// Patterns of functions that act for their callers.
  public var wrappers: [String]?

  /// Settings that say nothing.
  public init() {}

  /// Why a part of `BSTRTRACE_OPTIONS` was ignored.
  public struct Problem: Sendable, Equatable, CustomStringConvertible {
    /// The part as it was written.
    public var part: String
    /// What is wrong and what is accepted, without the part.
    public var reason: String

    /// One sentence for standard error.
    public var description: String { "BSTRTRACE_OPTIONS: ignored '\(part)': \(reason)" }
  }

  /// Reads `key=value:key=value`; what cannot be understood is left out and returned.
  ///
  /// - Parameter text: the value of the environment variable.
  /// - Returns: the parts that were ignored, in order, each with its reason.
  public mutating func parse(_ text: String) -> [Problem] {
    var problems: [Problem] = []
    for part in text.split(separator: ":") {
      if let reason = apply(part) { problems.append(Problem(part: String(part), reason: reason)) }
    }
    return problems
  }

  private mutating func apply(_ part: Substring) -> String? {
    guard let equals = part.firstIndex(of: "=") else { return "expected key=value" }
    let key = part[..<equals]
    let value = part[part.index(after: equals)...]
    guard let setting = Setting.allCases.first(where: { $0.name.description == key }) else {
      let known = Setting.allCases.map { $0.name.description }.joined(separator: ", ")
      return "unknown key '\(key)'; the keys are \(known)"
    }
    switch setting.values {
    case .integer(let range):
      guard let number = Int(value), range.contains(number) else {
        return "expected a number from \(range.lowerBound) to \(range.upperBound)"
      }
      set(setting, number)
    case .oneOf(let numbers):
      guard let number = Int(value), numbers.contains(number) else {
        return "expected \(numbers.map(String.init).joined(separator: " or "))"
      }
      set(setting, number)
    case .onOff:
      guard value == "on" || value == "off" else { return "expected on or off" }
      set(setting, value == "on")
    case .reportOrIgnore:
      guard value == "report" || value == "ignore" else { return "expected report or ignore" }
      reportForeign = value == "report"
    case .format:
      guard value == "text" || value == "json" else { return "expected text or json" }
      json = value == "json"
    case .path:
      guard !value.isEmpty else { return "expected a path" }
      if setting == .suppressions { suppressions = String(value) } else { output = String(value) }
    case .level:
      guard value == "leaks" || value == "full" else { return "expected leaks or full" }
      leaksOnly = value == "leaks"
    case .failures:
      guard let failures = AllocationFailure(value) else {
        return "expected a number from 1 (N or N+) or a percentage (P% or P%SEED)"
      }
      failAllocation = failures
    case .patterns:
      let patterns = value.split(separator: ",").map(String.init)
      guard !patterns.isEmpty else { return "expected names, separated by commas" }
      wrappers = patterns
    }
    return nil
  }

  private mutating func set(_ setting: Setting, _ number: Int) {
    switch setting {
    case .depth: depth = number
    case .olechar: olechar = number
    case .payloadOffset: payloadOffset = number
    case .errorExitcode: errorExitcode = number
    case .quarantine: quarantine = number
    case .quarantineBlocks: quarantineBlocks = number
    case .breakOn: breakOn = number
    case .followChildren, .track, .redact, .format, .output, .haltOnError, .foreign, .guards,
      .failAllocation, .wrappers, .fill, .suppressions, .strictSuppressions, .printSuppressions,
      .verifyStacks, .level:
      break
    }
  }

  private mutating func set(_ setting: Setting, _ flag: Bool) {
    switch setting {
    case .followChildren: followChildren = flag
    case .track: track = flag
    case .redact: redact = flag
    case .haltOnError: haltOnError = flag
    case .guards: guards = flag
    case .fill: fill = flag
    case .verifyStacks: verifyStacks = flag
    case .strictSuppressions: strictSuppressions = flag
    case .printSuppressions: printSuppressions = flag
    case .depth, .olechar, .payloadOffset, .errorExitcode, .format, .output, .foreign,
      .quarantine, .quarantineBlocks, .failAllocation, .wrappers, .breakOn, .suppressions, .level:
      break
    }
  }

  /// These settings as a value of `BSTRTRACE_OPTIONS`, only those that concern recording.
  public var recordingText: String {
    var parts: [String] = []
    if let depth { parts.append("\(Setting.depth.name)=\(depth)") }
    if let leaksOnly { parts.append("\(Setting.level.name)=\(leaksOnly ? "leaks" : "full")") }
    if let olechar { parts.append("\(Setting.olechar.name)=\(olechar)") }
    if let payloadOffset { parts.append("\(Setting.payloadOffset.name)=\(payloadOffset)") }
    if let followChildren {
      parts.append("\(Setting.followChildren.name)=\(followChildren ? "on" : "off")")
    }
    if let track { parts.append("\(Setting.track.name)=\(track ? "on" : "off")") }
    if let redact { parts.append("\(Setting.redact.name)=\(redact ? "on" : "off")") }
    if let haltOnError { parts.append("\(Setting.haltOnError.name)=\(haltOnError ? "on" : "off")") }
    if let reportForeign {
      parts.append("\(Setting.foreign.name)=\(reportForeign ? "report" : "ignore")")
    }
    if let verifyStacks {
      parts.append("\(Setting.verifyStacks.name)=\(verifyStacks ? "on" : "off")")
    }
    if let fill { parts.append("\(Setting.fill.name)=\(fill ? "on" : "off")") }
    if let breakOn { parts.append("\(Setting.breakOn.name)=\(breakOn)") }
    if let guards { parts.append("\(Setting.guards.name)=\(guards ? "on" : "off")") }
    if let quarantine { parts.append("\(Setting.quarantine.name)=\(quarantine)") }
    if let quarantineBlocks {
      parts.append("\(Setting.quarantineBlocks.name)=\(quarantineBlocks)")
    }
    if let failAllocation { parts.append("\(Setting.failAllocation.name)=\(failAllocation)") }
    return parts.joined(separator: ":")
  }
}
