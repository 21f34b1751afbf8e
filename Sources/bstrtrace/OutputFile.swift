// Files that are written at the end but must be writable at the start.

import Glibc

/// Output files.
enum OutputFile {
  /// Opens a file for writing without touching what is in it yet.
  static func open(_ path: String) throws -> Int32 {
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
    if descriptor < 0 { throw ToolFailure("cannot write '\(path)': \(Self.reason())") }
    return descriptor
  }

  /// Replaces the content of an open file, or writes to a terminal or pipe.
  static func write(_ text: String, to descriptor: Int32) throws {
    try write(Array(text.utf8), to: descriptor)
  }

  /// Replaces the content of an open file, or writes to a terminal or pipe.
  static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
    // Only what was opened here: standard output may be a file that others write to, too.
    if descriptor > STDERR_FILENO { _ = ftruncate(descriptor, 0) }
    try bytes.withUnsafeBytes { buffer in
      var written = 0
      while written < buffer.count {
        let count = Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
        if count < 0 {
          if errno == EINTR { continue }
          throw ToolFailure("cannot write the report: \(reason())")
        }
        written += count
      }
    }
  }

  /// What `errno` says.
  static func reason() -> String { String(cString: strerror(errno)) }
}

/// A failure of bstrtrace itself, said in one sentence; exit status 2.
struct ToolFailure: Error {
  let message: String

  init(_ message: String) { self.message = message }
}
