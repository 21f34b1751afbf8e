// The record that is kept of one freed block.

import TraceStore

/// A BSTR that was freed: enough to report its history when it is freed again.
struct FreedBlock {
  /// The start of its block; 0 in a slot that was never used.
  var block: UInt = 0
  /// Bytes of memory in quarantine; 0 when it was freed to the heap.
  var quarantinedBytes = 0
  /// The record that it had while it was live.
  var record = BlockRecord(
    address: 0, serial: 0, byteLength: 0, stack: .none, thread: 0, milliseconds: 0)
  /// The event context of its free.
  var freeing = EventContext()
  /// Whether the memory counts against the pool of all shards rather than against the shard's own
  /// limit.
  var isPooled = false
  /// Whether it was freed before this process was forked: its parent reports it.
  var isInherited = false
  /// The first bytes of the string.
  var preview = TextPreview()
}
