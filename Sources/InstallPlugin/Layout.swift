// What is installed where. Relocatable: nothing in it knows the prefix.

import Foundation

/// The folders under one prefix.
struct Layout {
  /// The folder that `bin` and the others are in.
  let prefix: URL

  /// The name of the linked library that programs record: with the number that a release which
  /// breaks them changes.
  static let soname = "libbstrtrace-linked.so.0"

  /// Installs everything but debug files, over what is there.
  func install(_ build: Build) throws {
    try copy(build.command.file, to: "bin/bstrtrace")
    for library in [build.preload, build.tracker] {
      try copy(library.file, to: "lib/bstrtrace/\(library.file.lastPathComponent)")
    }
    try copy(build.linked.file, to: "lib/\(Self.soname)")
    let link = try location("lib/libbstrtrace-linked.so")
    try FileManager.default.createSymbolicLink(
      atPath: link.path, withDestinationPath: Self.soname)

    let headers = build.root.appending(path: "Sources/CBSTR/include")
    for name in try FileManager.default.contentsOfDirectory(atPath: headers.path)
    where name.hasSuffix(".h") || name.hasSuffix(".hpp") {
      try copy(headers.appending(path: name), to: "include/bstrtrace/\(name)")
    }
    try write(BuildSystems.pkgConfig(version: build.version), to: "lib/pkgconfig/bstrtrace.pc")
    let cmake = "lib/cmake/bstrtrace"
    try write(BuildSystems.cmakeConfig, to: "\(cmake)/bstrtraceConfig.cmake")
    try write(
      BuildSystems.cmakeVersion(build.version), to: "\(cmake)/bstrtraceConfigVersion.cmake")

    try copy(build.manualPage, to: "share/man/man1/bstrtrace.1")
    for (shell, path) in [
      ("bash", "bash-completion/completions/bstrtrace"),
      ("zsh", "zsh/site-functions/_bstrtrace"),
      ("fish", "fish/vendor_completions.d/bstrtrace.fish"),
    ] {
      try write(build.completions(for: shell), to: "share/\(path)")
    }
    // Side by side, as in the package, because they refer to each other.
    for name in ["README.md", "Docs"] {
      try copy(build.root.appending(path: name), to: "share/doc/bstrtrace/\(name)")
    }
  }

  /// Installs the debug files, where debuggers look for them: in a folder beside each file.
  func installDebugFiles(of build: Build) throws {
    for (product, folder) in [
      (build.command, "bin"), (build.preload, "lib/bstrtrace"), (build.tracker, "lib/bstrtrace"),
      (build.linked, "lib"),
    ] {
      let file = product.debugFile
      try copy(file, to: "\(folder)/.debug/\(file.lastPathComponent)")
    }
  }

  /// Returns the location of a path under the prefix, with nothing there and its folder made.
  private func location(_ path: String) throws -> URL {
    let url = prefix.appending(path: path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    // A dangling link counts as absent for `fileExists`.
    if (try? FileManager.default.attributesOfItem(atPath: url.path)) != nil {
      try FileManager.default.removeItem(at: url)
    }
    return url
  }

  private func copy(_ source: URL, to path: String) throws {
    try FileManager.default.copyItem(at: source, to: location(path))
  }

  private func write(_ text: String, to path: String) throws {
    try text.write(to: location(path), atomically: false, encoding: .utf8)
  }
}
