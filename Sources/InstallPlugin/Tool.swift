// Runs the programs that the plugin needs. Knows none of them.

import Foundation
import PackagePlugin

/// A program.
struct Tool {
  private let url: URL

  /// Finds a program of the toolchain, or in PATH.
  ///
  /// - Throws: where there is none; the text names it.
  init(_ name: String, in context: PluginContext) throws {
    url = try context.tool(named: name).url
  }

  /// A program at a known path.
  init(at url: URL) { self.url = url }

  /// Runs the program to its end.
  ///
  /// - Parameter folder: its working directory; `nil` for this process's.
  /// - Returns: what it wrote to standard output.
  /// - Throws: with its standard output and standard error, if it did not end with 0.
  @discardableResult
  func run(_ arguments: [String], in folder: URL? = nil) throws -> String {
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.currentDirectoryURL = folder
    // A file, because a pipe that nobody reads meanwhile fills up.
    let errors = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: errors) }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let text = String(decoding: bytes, as: UTF8.self)
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let words = ([url.path] + arguments).joined(separator: " ")
      let errorText = (try? String(contentsOf: errors, encoding: .utf8)) ?? ""
      throw Failure("'\(words)' ended with \(process.terminationStatus):\n\(text)\(errorText)")
    }
    return text
  }
}
