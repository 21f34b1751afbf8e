// The strings that are live at one time, for tests that assert more than zero.

import BSTRAllocator
import BSTRReporter
import TraceStore

/// The BSTRs that were live in this process at one time.
///
/// ```swift
/// let before = LeakSnapshot()
/// cache.fill()
/// let added = LeakSnapshot() - before
/// #expect(added.live(allocatedBy: "Cache.load*").count == 3)
/// ```
public struct LeakSnapshot: Sendable {
  private var image: StoreImage?
  private var blocks: [BlockRecord]

  /// Takes a snapshot of live strings; an empty one when nothing is recorded.
  ///
  /// - Complexity: linear in what is recorded, as are all queries but the counts.
  public init() {
    image = unsafe Tracker.current.pointee.image()
    var blocks: [BlockRecord] = []
    image?.forEachLiveBlock { blocks.append($0) }
    self.blocks = blocks
  }

  private init(_ image: StoreImage?, _ blocks: [BlockRecord]) {
    self.image = image
    self.blocks = blocks
  }

  /// The count of BSTRs.
  public var count: Int { blocks.count }

  /// Their payload in bytes.
  public var bytes: Int { blocks.reduce(0) { $0 + Int($1.byteLength) } }

  /// Returns the strings that are live in `later` and were not yet in `earlier`.
  public static func - (later: LeakSnapshot, earlier: LeakSnapshot) -> LeakSnapshot {
    let known = Set(earlier.blocks.map(\.serial))
    return LeakSnapshot(later.image, later.blocks.filter { !known.contains($0.serial) })
  }

  /// Returns those that were allocated by a function or by its callees.
  ///
  /// - Parameter pattern: a name without parameters, in which `*` stands for any characters; the
  ///   whole name.
  public func live(allocatedBy pattern: String) -> LeakSnapshot {
    filtered { frames in frames.contains { $0.isFunction(pattern) } }
  }

  /// Counts and bytes by the modules whose functions allocated them.
  public var byModule: [String: (count: Int, bytes: Int)] {
    let frames = frames
    var sums: [String: (count: Int, bytes: Int)] = [:]
    for block in blocks {
      let module = frames[block.stack]?.first?.moduleName ?? "?"
      let sum = sums[module] ?? (0, 0)
      sums[module] = (sum.count + 1, sum.bytes + Int(block.byteLength))
    }
    return sums
  }

  private func filtered(_ matches: ([Frame]) -> Bool) -> LeakSnapshot {
    let frames = frames
    return LeakSnapshot(image, blocks.filter { matches(frames[$0.stack] ?? []) })
  }

  private var frames: [StackID: [Frame]] {
    image.map { InProcessReport.frames(of: Set(blocks.map(\.stack)), in: $0) } ?? [:]
  }
}
