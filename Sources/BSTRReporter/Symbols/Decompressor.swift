// Decompresses xz's format by a program of the machine: no library for it is given everywhere.

import Glibc

/// A program that decompresses xz.
struct Decompressor {
  /// Its path, and its arguments for which it decompresses standard input to standard output.
  private let path: String
  private let arguments: [String]

  /// The programs that do it, with their arguments.
  private static let programs: [(name: String, arguments: [String])] = [
    ("xz", ["-dc"]), ("7z", ["x", "-txz", "-si", "-so"]), ("7zz", ["x", "-txz", "-si", "-so"]),
  ]
  /// The limit of what is decompressed, in bytes.
  private static let maxBytes = 256 << 20

  /// Finds a program.
  ///
  /// - Parameter folders: the folders to look in, as in PATH; relative ones are left out.
  /// - Returns: `nil` where there is none.
  init?(in folders: String) {
    let folders = folders.split(separator: ":").filter { $0.hasPrefix("/") }
    let found = Self.programs.lazy.flatMap { program in
      folders.map { (path: "\($0)/\(program.name)", arguments: program.arguments) }
    }.first { LLVMSymbolizer.isProgram($0.path) }
    guard let found else { return nil }
    (path, arguments) = found
  }

  /// Decompresses bytes; `nil` where the program fails, or there are too many.
  func decompressed(_ bytes: [UInt8]) -> [UInt8]? {
    // A file and no pipe: nothing waits for the other while it writes.
    guard let input = tmpfile() else { return nil }
    defer { fclose(input) }
    guard fwrite(bytes, 1, bytes.count, input) == bytes.count, fflush(input) == 0,
      fseek(input, 0, SEEK_SET) == 0
    else { return nil }
    var ends: [Int32] = [-1, -1]
    // Two ends that other children do not get.
    guard
      socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0
    else { return nil }
    defer { close(ends[0]) }
    var child: pid_t = 0
    let error = HelperProgram.start(
      [path] + arguments, reading: fileno(input), writing: ends[1], as: &child)
    close(ends[1])
    guard error == 0 else { return nil }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while output.count <= Self.maxBytes {
      let count = read(ends[0], &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      output += buffer[..<count]
    }
    if output.count > Self.maxBytes { kill(-child, SIGKILL) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status == 0 && output.count <= Self.maxBytes ? output : nil
  }
}
