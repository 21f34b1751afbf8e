// What is kept of a store between the two times that it is read.

import TraceStore

/// The identity of a store's process, and what relates it to others.
struct StoreSummary {
  /// A recorder: two in one process have two stores, and two roles.
  struct Recorder: Hashable {
    var pid: UInt32
    var role: UInt32
  }

  let store: StoreReference
  let recorder: Recorder
  let startTime: UInt64
  let executable: String
  /// Whether it has any BSTR call.
  let hasCalls: Bool
  /// What is wrong with it, in sentences.
  let damage: [String]

  init(_ image: StoreImage, _ store: StoreReference) {
    self.store = store
    recorder = Recorder(pid: image.header.pid, role: image.header.role)
    startTime = image.header.startTime
    let executable = image.executable
    self.executable = executable
    hasCalls =
      image.count(.allocations) > 0 || image.count(.foreignFrees) > 0 || !image.events.isEmpty
    damage = image.damage.map { damage in
      "the store of \(executable) (pid \(image.header.pid)) is damaged: \(damage)"
    }
  }
}
