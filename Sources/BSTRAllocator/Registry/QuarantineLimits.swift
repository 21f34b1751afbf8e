// How much a shard's quarantine holds.

/// How much memory of released blocks one shard holds back.
struct QuarantineLimits {
  /// Bytes of blocks.
  var bytes: Int
  /// Bytes of blocks that are larger than that, in all shards together.
  var poolBytes: Int
  /// Blocks, fewer than `FreedBlocks.capacity`.
  var blocks: Int

  /// Half as many blocks.
  var halved: QuarantineLimits {
    QuarantineLimits(bytes: bytes, poolBytes: poolBytes, blocks: blocks / 2)
  }

  /// Nothing is held back.
  static let none = QuarantineLimits(bytes: 0, poolBytes: 0, blocks: 0)

  /// A shard's part of what the settings allow a process.
  init(processBytes: Int, processBlocks: Int, shards: Int) {
    bytes = processBytes / 2 / shards
    poolBytes = processBytes / 2
    // One place stays free for the block that pushes the oldest out.
    blocks = min((processBlocks + shards - 1) / shards, FreedBlocks.capacity - 1)
  }

  private init(bytes: Int, poolBytes: Int, blocks: Int) {
    self.bytes = bytes
    self.poolBytes = poolBytes
    self.blocks = blocks
  }
}
