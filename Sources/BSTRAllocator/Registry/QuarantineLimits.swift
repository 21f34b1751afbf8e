// The limits of a shard's quarantine.

/// The limits of what one shard quarantines.
struct QuarantineLimits {
  /// Bytes of blocks in the shard.
  var bytes: Int
  /// Bytes of blocks that are larger than `bytes`, in all shards together.
  var poolBytes: Int
  /// Blocks in the shard, fewer than `FreedBlocks.capacity`.
  var blocks: Int

  /// The same limits with half as many blocks.
  var halved: QuarantineLimits {
    QuarantineLimits(bytes: bytes, poolBytes: poolBytes, blocks: blocks / 2)
  }

  /// Limits that quarantine nothing.
  static let none = QuarantineLimits(bytes: 0, poolBytes: 0, blocks: 0)

  /// Divides what the options allow a process among its shards.
  init(processBytes: Int, processBlocks: Int, shards: Int) {
    bytes = processBytes / 2 / shards
    poolBytes = processBytes / 2
    // One slot of the ring stays free for the block that evicts the oldest.
    blocks = min((processBlocks + shards - 1) / shards, FreedBlocks.capacity - 1)
  }

  private init(bytes: Int, poolBytes: Int, blocks: Int) {
    self.bytes = bytes
    self.poolBytes = poolBytes
    self.blocks = blocks
  }
}
