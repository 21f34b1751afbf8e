// Scripts that tests run.

public import Foundation

/// A script.
public enum Script {
  /// Writes an executable file.
  ///
  /// By a child: a file that this process writes is open in every child that another test starts
  /// meanwhile, and cannot be executed for as long ("Text file busy").
  public static func write(_ text: String, to file: URL) throws {
    let writer = Process()
    writer.executableURL = URL(filePath: "/bin/sh")
    writer.arguments = ["-c", #"printf %s "$1" > "$2" && chmod 755 "$2""#, "sh", text, file.path]
    try writer.run()
    writer.waitUntilExit()
    if writer.terminationStatus != 0 { throw CocoaError(.fileWriteUnknown) }
  }
}
