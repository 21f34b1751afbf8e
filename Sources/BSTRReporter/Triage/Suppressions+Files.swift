// Suppression files on disk, and the day on which they are read.

import FoundationEssentials
import Glibc

extension Suppressions {
  /// The reason why a file cannot be read, in a sentence.
  public struct Unreadable: Error, CustomStringConvertible {
    /// The error and the file.
    public var description: String
  }

  /// Adds the rules of the file at a path; lines that are no rules become `problems`.
  public mutating func addFile(at path: String) throws(Unreadable) {
    add(String(decoding: try Self.read(path), as: UTF8.self), file: path)
  }

  /// Returns the bytes of a small file.
  public static func read(_ path: String) throws(Unreadable) -> [UInt8] {
    do {
      return Array(try Data(contentsOf: URL(filePath: path)))
    } catch {
      let reason = access(path, R_OK) == 0 ? "it is no file" : String(cString: strerror(errno))
      throw Unreadable(description: "cannot read '\(path)': \(reason)")
    }
  }

  /// Returns the day by this machine's clock, as `2026-11-25`.
  public static var today: String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
  }
}
