// The machine's equipment: programs, libraries, the processor's name, and this project's products.

import FoundationEssentials
import Glibc

/// The machine that the benchmark runs on.
enum Machine {
  /// The folder of this very executable, where SwiftPM puts the project's other products.
  static let products = folder(of: resolved("/proc/self/exe"))

  /// The folder of this package.
  static let package = folder(of: folder(of: folder(of: #filePath)))

  /// The processor's name and count.
  static var processor: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
    let name = line?.split(separator: ":").last?.drop { $0 == " " } ?? "unknown processor"
    return "\(name), \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) processors"
  }

  /// Returns the path of a program in `PATH`.
  static func find(_ name: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }

  /// The program 7z itself.
  ///
  /// The file in `PATH` may be a script that starts it, and memcheck would measure the script.
  static var sevenZip: String? {
    let own: [String] = ["/usr/lib/p7zip/7z", "/usr/lib/7zip/7z"]
    return own.first { access($0, X_OK) == 0 } ?? find("7z")
  }

  /// Returns the target of a symbolic link.
  static func resolved(_ path: String) -> String {
    guard let text = realpath(path, nil) else { return path }
    defer { free(text) }
    return String(cString: text)
  }

  /// Returns the path without its last component.
  static func folder(of path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
  }
}
