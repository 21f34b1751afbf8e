// Files that are written at the end but must be writable at the start.

import BSTRReporter
import Glibc

/// Output files, whose failures are the tool's.
enum OutputFile {
  /// Opens a file for writing without touching what is in it yet.
  static func open(_ path: String) throws -> Int32 {
    do throws(ReportOutput.Failure) {
      return try ReportOutput.open(path)
    } catch {
      throw ToolFailure("cannot write \(error)")
    }
  }

  /// Opens an output of a report or store in the same way, by its pattern.
  static func openReport(_ pattern: String) throws -> ReportFile {
    do throws(ReportOutput.Failure) {
      return try ReportFile(opening: pattern, start: ReportFile.fileTime)
    } catch {
      throw ToolFailure("cannot write \(error)")
    }
  }

  /// Writes to such an output.
  static func write(_ bytes: [UInt8], to file: ReportFile) throws {
    do throws(ReportOutput.Failure) {
      try file.replace(bytes)
    } catch {
      throw ToolFailure("cannot write the store: \(error)")
    }
  }

  /// Replaces the content of an open file, or writes to a terminal or pipe.
  static func write(_ text: String, to descriptor: Int32) throws {
    try write(Array(text.utf8), to: descriptor)
  }

  /// Replaces the content of an open file, or writes to a terminal or pipe.
  static func write(_ bytes: [UInt8], to descriptor: Int32) throws {
    do throws(ReportOutput.Failure) {
      try ReportOutput.replace(bytes, in: descriptor)
    } catch {
      throw ToolFailure("cannot write the report: \(error)")
    }
  }

  /// Returns the message of `errno`.
  static func reason() -> String { String(cString: strerror(errno)) }
}

/// A failure of bstrtrace itself, in one sentence; exit status 2.
struct ToolFailure: Error {
  let message: String

  init(_ message: String) { self.message = message }
}
