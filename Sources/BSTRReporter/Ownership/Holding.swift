// The conclusions from what holds strings that nobody freed. The sentences are in
// Wording/OwnershipWording.swift.

/// What became of strings that nobody freed and whose owner stacks do not tell.
///
/// No function is blamed: what keeps a string is no function of its stack, and who forgot one is
/// not told by nobody's having it.
public enum Holding: Equatable, Sendable {
  /// A variable keeps them, alone or by objects.
  case keptByVariable(Holder, allocator: Frame)
  /// An object that was not ended keeps them.
  case keptByObject(Holder, allocator: Frame)
  /// Nobody keeps them.
  case keptByNobody(allocator: Frame)
}
