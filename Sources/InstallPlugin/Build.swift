// All that was built, and what it needs of a system. Builds it in the order in which one part needs
// another; how is in Builder.swift.

import Foundation
import PackagePlugin

/// The built files.
struct Build {
  /// The command.
  let command: Builder.Product
  /// The library that is preloaded, and the one that it loads.
  let preload: Builder.Product
  let tracker: Builder.Product
  /// The library that programs are linked with, under its SONAME.
  let linked: Builder.Product
  /// The manual page.
  let manualPage: URL
  /// What `bstrtrace --version` says.
  let version: String
  /// The oldest glibc that the products run with, such as "2.35".
  let oldestGlibc: String
  /// The package, and where tools are.
  let context: PluginContext
  /// A folder for what is packed.
  let scratch: URL

  /// The package's root.
  var root: URL { context.package.directoryURL }

  /// Builds all of it.
  init(of context: PluginContext) throws {
    self.context = context
    scratch = context.package.directoryURL.appending(path: ".build/install")
    let builder = try Builder(in: scratch, for: context)
    command = try builder.executable("bstrtrace")
    preload = try builder.library("bstrtrace-preload")
    tracker = try builder.library("bstrtrace-tracker")
    linked = try builder.linkedLibrary("bstrtrace-linked", soname: Layout.soname)
    manualPage = try builder.manualPage()
    version = try Tool(at: command.file).run(["--version"])
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let symbols = try Tool("llvm-nm", in: context)
      .run(["-D"] + [command, preload, tracker, linked].map(\.file.path))
    oldestGlibc = Self.highestVersion(of: "GLIBC", in: symbols)
  }

  /// Returns the text of a shell's completions.
  func completions(for shell: String) throws -> String {
    try Tool(at: command.file).run(["--generate-completion-script", shell])
  }

  /// Returns the highest version of a library's symbols that are needed.
  ///
  /// - Parameter symbols: what `llvm-nm -D` prints: "U free@GLIBC_2.2.5".
  private static func highestVersion(of library: String, in symbols: String) -> String {
    let versions = symbols.split(whereSeparator: \.isNewline)
      .compactMap { $0.split(separator: "@\(library)_").dropFirst().first }
    return versions.max { $0.compare($1, options: .numeric) == .orderedAscending }
      .map(String.init) ?? ""
  }
}
