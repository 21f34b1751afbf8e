// The string of a block's record, as a pointer.

import TraceStore

extension BlockRecord {
  /// The first character of the string; `nil` for a record that is free.
  ///
  /// Readable and writable while the block is live or quarantined: caller holds the lock of its
  /// shard, or is the one that frees it.
  var characters: UnsafeMutableRawPointer? {
    @inline(__always) get { unsafe UnsafeMutableRawPointer(bitPattern: UInt(address)) }
  }
}
