// Reads the note that a process leaves which did not need the tracker: what a store would say of
// it. Written by CFront's untraced.c.

/// The note of a process without the tracker, one for each executable of a run.
///
/// It consists of fields that a zero byte ends: the ids of the process, of its parent and of their
/// namespace, the time as stores have it, the precise time, for how long the machine had been
/// suspended then, the executable's path, the count of arguments, these; and for each module its
/// start, end and load bias, and its path. Numbers are in hexadecimal.
public struct UntracedProcess: Sendable {
  /// What the names of the files end with.
  public static let suffix = ".untraced"

  /// The store that the process would have made.
  public var image: StoreImage
  /// The time of the note, in nanoseconds of the monotonic clock: it tells apart what is of one
  /// tick of the clock in stores.
  public let time: UInt64

  /// Reads a note; `nil` where it is not whole.
  public init?(note bytes: [UInt8]) {
    guard bytes.last == 0 else { return nil }
    var fields = bytes.dropLast().split(separator: 0, omittingEmptySubsequences: false)[...]
    func next() -> ArraySlice<UInt8>? { fields.popFirst() }
    func number<T: FixedWidthInteger>() -> T? {
      next().flatMap { T(String(decoding: $0, as: UTF8.self), radix: 16) }
    }
    var text: [UInt8] = []
    func reference(to bytes: some Collection<UInt8>) -> TextReference {
      defer { text += bytes }
      return TextReference(offset: UInt32(text.count), length: UInt32(bytes.count))
    }

    var header = StoreHeader()
    header.magic = StoreLayout.magic
    header.role = RecorderRole.preloaded.rawValue
    guard let pid: UInt32 = number(), let parent: UInt32 = number(),
      let namespace: UInt32 = number(), let start: UInt64 = number(),
      let time: UInt64 = number(), let suspended: UInt32 = number(), let executable = next(),
      let count: Int = number(), count >= 0, count <= fields.count
    else { return nil }
    header.pid = pid
    header.parentPid = parent
    header.pidNamespace = namespace
    header.startTime = start
    header.suspended = suspended
    header.executable = reference(to: executable)
    header.arguments = reference(to: fields.prefix(count).flatMap { $0 + [0] })
    header.areModulesNamed = 1
    header.endState = EndState.untraced.rawValue
    fields.removeFirst(count)
    var modules: [ModuleRecord] = []
    while !fields.isEmpty {
      guard let start: UInt64 = number(), let end: UInt64 = number(),
        let bias: UInt64 = number(), let path = next()
      else { return nil }
      modules.append(
        ModuleRecord(
          start: start, end: end, bias: bias, path: reference(to: path), buildID: .empty))
    }
    image = StoreImage(header, text: text, modules: modules)
    self.time = time
  }
}
