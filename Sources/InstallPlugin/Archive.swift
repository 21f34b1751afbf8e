// The archives: one of what is installed, and one of the debug files.

import Foundation

/// A `.tar.gz` whose one folder is a prefix.
struct Archive {
  private let build: Build

  init(of build: Build) { self.build = build }

  /// Writes both archives into a folder.
  func write(to folder: URL) throws {
    let name = "bstrtrace-\(build.version)"
    try pack(name, to: folder.appending(path: "\(name)-linux-\(Machine.name).tar.gz")) {
      try $0.install(build)
    }
    try pack(name, to: folder.appending(path: "\(name)-linux-\(Machine.name)-debug.tar.gz")) {
      try $0.installDebugFiles(of: build)
    }
  }

  /// The command that makes a `.gz` of its standard input: 7-Zip's is 4 % smaller than gzip's.
  private var compressor: String {
    (try? Tool("7z", in: build.context)) == nil
      ? "gzip -9n" : "7z a archive -tgzip -mx=9 -si -so"
  }

  private func pack(_ name: String, to file: URL, fill: (Layout) throws -> Void) throws {
    let stage = build.scratch.appending(path: "archive")
    try? FileManager.default.removeItem(at: stage)
    try fill(Layout(prefix: stage.appending(path: name)))
    try Tool("tar", in: build.context).run(
      [
        "--create", "--use-compress-program=\(compressor)", "--file=\(file.path)", "--sort=name",
        "--owner=0", "--group=0", "--numeric-owner", "--directory=\(stage.path)", name,
      ])
    print("wrote '\(file.path)'")
  }
}

/// The machine that the products are built for.
enum Machine {
  #if arch(x86_64)
    static let name = "x86_64"
    static let debianName = "amd64"
  #elseif arch(arm64)
    static let name = "aarch64"
    static let debianName = "arm64"
  #endif
}
