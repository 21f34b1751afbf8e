// Writing stores by hand, as a process writes them.

public import TraceStore

extension StoreWriter {
  /// Appends text to the text section.
  public borrowing func add(_ text: String) -> TextReference {
    var text = text
    return text.withUTF8 { append(text: UnsafeRawBufferPointer($0)) }
  }

  /// Appends a record to a section, or nothing when there is no room.
  public borrowing func add<Record: BitwiseCopyable>(_ record: Record, to kind: SectionKind) {
    guard let room = room(for: MemoryLayout<Record>.stride, in: kind) else { return }
    room.storeBytes(of: record, as: Record.self)
    commit(MemoryLayout<Record>.stride, in: kind)
  }
}
