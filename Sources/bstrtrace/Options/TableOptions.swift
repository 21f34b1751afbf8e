// Flags from the table of options: name, help and check of each come from its row, and their values
// are passed on as text.

import ArgumentParser
import TraceOptions

/// Flags that are rows of the table of options.
///
/// On/off flags are properties of type `Bool?` that have the name of the one that they set; others
/// are of type `GivenText?`, or `[GivenText]` where they may be given several times.
protocol TableOptions: ParsableArguments {}

/// The value that a flag of the table was given.
struct GivenText {
  let option: TraceOption
  /// A value of the option.
  let text: String
}

extension TableOptions {
  /// The options that were given by these flags.
  var given: GivenOptions {
    var given = GivenOptions()
    for child in Mirror(reflecting: self).children {
      if let option = child.value as? Option<GivenText?>, let value = option.wrappedValue {
        _ = given.give(value.option, value.text)
      }
      if let option = child.value as? Option<[GivenText]> {
        for value in option.wrappedValue { _ = given.give(value.option, value.text) }
      }
      // A property wrapper's storage has an underscore in front of the name.
      if let flag = child.value as? Flag<Bool?>, let isOn = flag.wrappedValue,
        let name = child.label?.dropFirst()
      {
        guard let option = TraceOption(property: name) else {
          preconditionFailure("\(name) is the name of no option")
        }
        _ = given.give(option, isOn ? "on" : "off")
      }
    }
    return given
  }
}

extension TraceOption {
  /// Returns the option that a property of flags is named after: `followChildren` sets
  /// `follow-children`.
  fileprivate init?(property: Substring) {
    let name = property.reduce(into: "") { name, character in
      name += character.isUppercase ? "-" + character.lowercased() : String(character)
    }
    guard let option = TraceOption.all.first(where: { $0.name == name }) else { return nil }
    self = option
  }

  /// Its help, with its default.
  fileprivate var argumentHelp: ArgumentHelp {
    ArgumentHelp("\(help) (default: \(defaultText))", valueName: placeholder)
  }

  /// Returns a value that this option accepts.
  fileprivate func checked(_ text: String) throws -> GivenText {
    var given = GivenOptions()
    if let problem = given.give(self, text) { throw ValidationError(problem) }
    return GivenText(option: self, text: text)
  }

  fileprivate var completion: CompletionKind { placeholder == "file" ? .file() : .default }
}

extension Option<GivenText?> {
  /// Creates an option of the table, checked.
  init(_ path: PartialKeyPath<TraceOptions>, help: ArgumentHelp? = nil) {
    let option = TraceOption[path]
    self.init(
      name: .customLong(option.name), help: help ?? option.argumentHelp,
      completion: option.completion, transform: { try option.checked($0) })
  }
}

extension Option<[GivenText]> {
  /// Creates an option of the table that may be given several times, checked.
  init(wrappedValue: [GivenText], _ path: PartialKeyPath<TraceOptions>) {
    let option = TraceOption[path]
    self.init(
      wrappedValue: wrappedValue, name: .customLong(option.name), help: option.argumentHelp,
      completion: option.completion, transform: { try option.checked($0) })
  }
}

extension Option<[String]> {
  /// Creates an option of the table that may be given several times, unchecked.
  init(wrappedValue: [String], _ path: PartialKeyPath<TraceOptions>) {
    let option = TraceOption[path]
    self.init(
      wrappedValue: wrappedValue, name: .customLong(option.name), help: option.argumentHelp,
      completion: option.completion)
  }
}

extension Flag<Bool?> {
  /// Creates a flag of the table, and the one with `no-` in front.
  init(_ path: PartialKeyPath<TraceOptions>) {
    let option = TraceOption[path]
    self.init(
      name: .customLong(option.name), inversion: .prefixedNo, help: option.argumentHelp)
  }
}
