// An output of a report: opened before there is a report, so that a typo does not cost a long run,
// and taken when it is written, so that no process destroys the report of another one that runs at
// the same time.

import Glibc

/// An open file, pipe or terminal that a report is written to.
///
/// A report of an earlier run is replaced. A file that another process has written since this one
/// began, or writes now, is left alone: the report goes to `leaks.2.json` beside `leaks.json`.
public struct ReportFile: Sendable {
  private let descriptor: Int32
  /// The path, where the descriptor was opened here.
  private let path: String?
  /// The time since which another process's content is kept, in nanoseconds since 1970.
  private let start: Int64

  /// Creates the output that an open descriptor is, which stays open.
  public init(_ descriptor: Int32) {
    self.descriptor = descriptor
    path = nil
    start = .max
  }

  /// Opens a file, and creates it where there is none, without touching what is in it yet.
  ///
  /// - Parameters:
  ///   - pattern: its path, with `%p` for this process's id and `%%` for a percent sign; `-` is
  ///     standard output.
  ///   - start: when this process began, by `fileTime`.
  public init(opening pattern: String, start: Int64) throws(ReportOutput.Failure) {
    if pattern == "-" {
      (descriptor, self.path, self.start) = (STDOUT_FILENO, nil, .max)
      return
    }
    let (path, hasID) = Self.expanded(pattern)
    descriptor = try ReportOutput.open(path)
    // What is at a descriptor's path has no name beside it.
    self.path = ["/dev/", "/proc/"].contains(where: path.hasPrefix) ? nil : path
    // Ids come again: what another process of this id has written is never an earlier report.
    self.start = hasID ? .min : start
  }

  /// The time now, by the clock of files: no later than what is written from now on.
  public static var fileTime: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return time.nanoseconds
  }

  /// Whether it is a terminal.
  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Whether text for it is to be in colour.
  var isColourful: Bool { ReportOutput.isColourful(descriptor) }

  /// Replaces the content of the file, or of one beside it, or writes to a terminal or pipe.
  public func replace(_ bytes: [UInt8]) throws(ReportOutput.Failure) {
    let taken = try taken()
    defer {
      if taken == descriptor { flock(taken, LOCK_UN) } else { close(taken) }
    }
    try ReportOutput.replace(bytes, in: taken)
  }

  // MARK: names

  /// The maximum of files beside one: a folder with more has another problem.
  private static let maxNumber = 100_000

  /// Returns the path that a pattern stands for, and whether the process's id is in it.
  static func expanded(_ pattern: String) -> (path: String, hasID: Bool) {
    var path = ""
    var hasID = false
    var rest = Substring(pattern).unicodeScalars
    while let scalar = rest.popFirst() {
      switch (scalar, rest.first) {
      case ("%", "p"):
        path += "\(getpid())"
        hasID = true
        rest.removeFirst()
      case ("%", "%"):
        path += "%"
        rest.removeFirst()
      default: path.unicodeScalars.append(scalar)
      }
    }
    return (path, hasID)
  }

  /// Returns the path of a file beside another: `out/leaks.2.json`.
  static func numbered(_ path: String, _ number: Int) -> String {
    let nameStart = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path.utf8.index(after: $0) }
    let name = path[(nameStart ?? path.startIndex)...]
    // A name that begins with its only dot has no ending.
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else {
      return "\(path).\(number)"
    }
    return "\(path[..<dot]).\(number)\(path[dot...])"
  }

  // MARK: taking

  /// Returns the descriptor of the first file that no other process has written, locked.
  private func taken() throws(ReportOutput.Failure) -> Int32 {
    guard let path, isOccupied(descriptor) else { return descriptor }
    for number in 2...Self.maxNumber {
      let other = Self.numbered(path, number)
      let descriptor = try ReportOutput.open(other)
      if isOccupied(descriptor) {
        close(descriptor)
        continue
      }
      let message = "'\(path)' is another process's report: this one is in '\(other)'"
      ReportOutput.write("bstrtrace: \(Printable.escaped(message))\n", to: STDERR_FILENO)
      return descriptor
    }
    throw ReportOutput.Failure(description: "there are too many files beside '\(path)'")
  }

  /// Returns whether another process writes a file or has written it since this one began; locks it
  /// otherwise.
  private func isOccupied(_ descriptor: Int32) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    // A file system without locks has no other process's lock.
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0 { return errno == EWOULDBLOCK }
    // Once more: it may have been written in between.
    guard fstat(descriptor, &status) == 0 else { return false }
    let isOccupied = status.st_size > 0 && status.st_mtim.nanoseconds >= start
    if isOccupied { flock(descriptor, LOCK_UN) }
    return isOccupied
  }
}
