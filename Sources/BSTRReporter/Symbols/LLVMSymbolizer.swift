// Finds llvm-symbolizer on this machine. Starts nothing: that is SymbolizerProcess.

import Glibc

/// The program of LLVM that names code by its debug information.
public enum LLVMSymbolizer {
  /// Returns the path of the one that belongs to the Swift toolchain, of the first in PATH, or of
  /// the newest `llvm-symbolizer-NN` there; `nil` without any.
  ///
  /// The toolchain's comes first: it reads everything that its compilers write, and starts ten
  /// times as fast as one that is linked with LLVM as a shared library.
  ///
  /// - Parameter path: the folders to look in, as in PATH; relative ones are left out.
  public static func find(path: String) -> String? {
    let folders = path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
    let toolchains = folders.compactMap { folder -> String? in
      guard let swift = realPath("\(folder)/swift") else { return nil }
      return "/" + swift.split(separator: "/").dropLast().joined(separator: "/")
    }
    for folder in toolchains + folders {
      let candidate = "\(folder)/llvm-symbolizer"
      if isProgram(candidate) { return candidate }
    }
    for version in newestVersions {
      for folder in folders {
        let candidate = "\(folder)/llvm-symbolizer-\(version)"
        if isProgram(candidate) { return candidate }
      }
    }
    return nil
  }

  /// Versions that distributions install under names of their own; older ones lack options.
  private static var newestVersions: some Sequence<Int> { (14...40).reversed() }

  /// Returns whether it is a file that can be executed.
  static func isProgram(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
      && access(path, X_OK) == 0
  }
}

/// Returns the path without links; `nil` when there is no such file.
func realPath(_ path: String) -> String? {
  guard let resolved = realpath(path, nil) else { return nil }
  defer { free(resolved) }
  return String(cString: resolved)
}
