// The sections of a store.

/// What a section of a store holds.
public enum SectionKind: Int, CaseIterable, Sendable {
  /// Bytes of paths, arguments and build-ids, addressed by `TextReference`.
  case text
  /// `ModuleRecord`s.
  case modules
  /// Stacks: a `StackHead` word followed by `FrameWord`s.
  case stacks
  /// `BlockRecord`s.
  case blocks
  /// Characters of strings that were live at the end, each behind a `ValueHead`.
  case values
  /// `EventRecord`s: what happened when.
  case events
  /// `PairRecord`s: how many strings of one stack were freed at another.
  case pairs
  /// `HistoryRecord`s: what the program declared of single strings.
  case histories
  /// `ScopeRecord`s: spans of the program that were named.
  case scopes
}
