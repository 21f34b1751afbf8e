// Where reports and messages go: opens files, writes whole texts, decides on colour. The same for
// the command line and for linked programs.

import Glibc

/// Outputs of reports.
public enum ReportOutput {
  /// The reason why a file cannot be written.
  public struct Failure: Error, CustomStringConvertible {
    /// The second half of a sentence that starts with "cannot write".
    public var description: String
  }

  /// Opens a file for writing, and creates it where there is none, without changing its content
  /// yet.
  ///
  /// In a folder that every user can write to, other users' links are not followed
  /// (`ProtectedPath`).
  public static func open(_ path: String) throws(Failure) -> Int32 {
    do throws(ProtectedPath.Failure) {
      return try ProtectedPath.open(path)
    } catch {
      throw Failure(description: "'\(path)': \(error)")
    }
  }

  /// Replaces the content of a file that was opened here, or writes to a terminal or pipe.
  public static func replace(_ bytes: [UInt8], in descriptor: Int32) throws(Failure) {
    // Only files that were opened here: standard output may be a file that others write to, too.
    if descriptor > STDERR_FILENO { _ = ftruncate(descriptor, 0) }
    let failure = write(bytes, to: descriptor)
    if failure != 0 { throw Failure(description: String(cString: strerror(failure))) }
  }

  /// Writes all of a text.
  ///
  /// - Returns: 0, or the `errno` that it ended with.
  @discardableResult
  public static func write(_ text: String, to descriptor: Int32) -> Int32 {
    write(Array(text.utf8), to: descriptor)
  }

  /// Writes all bytes, however many writes and interruptions by signals that takes.
  ///
  /// - Returns: 0, or the `errno` that it ended with.
  public static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var written = 0
      while written < buffer.count, let base = buffer.baseAddress {
        let count = Glibc.write(descriptor, base + written, buffer.count - written)
        if count >= 0 {
          written += count
          continue
        }
        switch errno {
        case EINTR: continue
        case EAGAIN:
          // The program may have made a pipe or terminal that it shares with this process
          // non-blocking.
          var waited = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          if poll(&waited, 1, -1) < 0, errno != EINTR { return errno }
        default: return errno
        }
      }
      return 0
    }
  }

  /// Returns whether a descriptor is a terminal that understands escape sequences.
  public static func isTerminal(_ descriptor: Int32) -> Bool {
    isTerminal(isatty(descriptor) == 1, type: getenv("TERM").map { String(cString: $0) })
  }

  /// A terminal of a type that is missing, empty or `dumb` understands none.
  private static func isTerminal(_ isTerminal: Bool, type: String?) -> Bool {
    isTerminal && !["", "dumb"].contains(type ?? "")
  }

  /// Returns whether text for a descriptor is to be in colour.
  public static func isColourful(_ descriptor: Int32) -> Bool {
    isColourful(isTerminal: isatty(descriptor) == 1) { name in
      getenv(name).map { String(cString: $0) }
    }
  }

  /// By the conventions of no-color.org and of terminals that can do nothing: `NO_COLOR` says no
  /// where it is not empty, and so does a `TERM` that is missing, empty or `dumb`.
  static func isColourful(isTerminal: Bool, variable: (String) -> String?) -> Bool {
    (variable("NO_COLOR") ?? "").isEmpty && Self.isTerminal(isTerminal, type: variable("TERM"))
  }
}
