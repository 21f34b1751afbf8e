// What is remembered of one freed block.

import CTracker
import Synchronization
import TraceStore

/// A BSTR that was released: enough to tell its story when somebody releases it again.
struct FreedBlock {
  /// The start of its block; 0 in a place that was never used.
  var block: UInt = 0
  /// Bytes of memory in quarantine; 0 when the heap has got it back.
  var heldBytes = 0
  /// Its record while it was live.
  var record = BlockRecord(
    address: 0, serial: 0, byteLength: 0, stack: .none, thread: 0, milliseconds: 0)
  /// Its release.
  var release = EventContext()
  /// Whether the memory counts against the pool of all shards rather than against the shard's own
  /// part.
  var isPooled = false
  /// Whether it was released before this process was forked: its parent answers for it.
  var isInherited = false
  /// The beginning of the string.
  var preview = TextPreview()
}
