// `swift package install-bstrtrace`: builds bstrtrace for machines without Swift, and installs it
// or packs it. The entry: reads the options, and leaves the work to the other files.

import Foundation
import PackagePlugin

/// The command plugin.
@main
struct InstallPlugin: CommandPlugin {
  func performCommand(context: PluginContext, arguments: [String]) throws {
    var extractor = ArgumentExtractor(arguments)
    let prefixes = extractor.extractOption(named: "prefix")
    let makesArchive = extractor.extractFlag(named: "archive") > 0
    let makesDebianPackage = extractor.extractFlag(named: "deb") > 0
    guard let folder = prefixes.first, prefixes.count == 1, extractor.remainingArguments.isEmpty
    else { throw Failure(Self.usage) }
    let prefix = URL(filePath: folder, directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: prefix, withIntermediateDirectories: true)

    let build = try Build(of: context)
    if makesArchive { try Archive(of: build).write(to: prefix) }
    if makesDebianPackage { try DebianPackage(of: build).write(to: prefix) }
    if !makesArchive && !makesDebianPackage {
      try Layout(prefix: prefix).install(build)
      try Layout(prefix: prefix).installDebugFiles(of: build)
      print("bstrtrace \(build.version) is in '\(prefix.path)'")
    }
  }

  private static let usage = """
    usage: swift package --allow-writing-to-directory DIR install-bstrtrace --prefix DIR \
    [--archive] [--deb]

      --prefix DIR   install into this folder
      --archive      write bstrtrace-VERSION-linux-MACHINE.tar.gz into DIR in place of that, and \
    an archive of debug files
      --deb          write bstrtrace_VERSION_ARCHITECTURE.deb into DIR in place of that
    """
}

/// A reason why nothing was installed.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
