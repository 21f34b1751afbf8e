// Builds products with the Swift run-time in them, strips them, and makes the manual page: in a
// folder of its own, since these are other products than those of `swift build`.

import Foundation
import PackagePlugin

/// Builds what is installed.
struct Builder {
  /// A built file and its debug information.
  struct Product {
    /// The file without debug information, under the name that it is installed by.
    let file: URL
    /// The debug information, which the file names.
    let debugFile: URL
  }

  private let root: URL
  private let scratch: URL
  private let finished: URL
  private let exports: URL
  private let withoutUnwindInformation: URL
  private let archives: URL
  private let swift: Tool
  private let objcopy: Tool

  /// Makes the folder.
  init(in scratch: URL, for context: PluginContext) throws {
    root = context.package.directoryURL
    self.scratch = scratch
    swift = try Tool("swift", in: context)
    objcopy = try Tool("llvm-objcopy", in: context)
    finished = scratch.appending(path: "products")
    try FileManager.default.createDirectory(at: finished, withIntermediateDirectories: true)
    exports = finished.appending(path: "exports.map")
    try Self.exports(of: root).write(to: exports, atomically: true, encoding: .utf8)
    withoutUnwindInformation = finished.appending(path: "no-unwind.ld")
    try "SECTIONS { /DISCARD/ : { *(.eh_frame) } } INSERT AFTER .text;\n".write(
      to: withoutUnwindInformation, atomically: true, encoding: .utf8)
    archives = scratch.appending(path: "archives")
    try Self.linkArchive("libstdc++.a", of: Tool("g++", in: context), in: archives)
  }

  /// Makes a link to one of the C++ compiler's archives, in a folder without the shared library of
  /// that name, so that the linker takes what is needed of it into the products: little, where
  /// loading the library would cost each traced process half a millisecond.
  private static func linkArchive(_ name: String, of compiler: Tool, in folder: URL) throws {
    // The name alone where it has none.
    let path = try compiler.run(["-print-file-name=\(name)"])
      .trimmingCharacters(in: .whitespacesAndNewlines)
    guard path.contains("/") else { throw Failure("g++ has no \(name)") }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let link = folder.appending(path: name)
    try? FileManager.default.removeItem(at: link)
    try FileManager.default.createSymbolicLink(
      at: link, withDestinationURL: URL(filePath: path))
  }

  /// Builds an executable product.
  func executable(_ name: String) throws -> Product {
    // Nobody looks its symbols up, and no C++ exception is thrown in it.
    try product(
      name, file: name, installedAs: name,
      linking: ["--no-export-dynamic", "--script=\(withoutUnwindInformation.path)"])
  }

  /// Builds a library product whose exported symbols the package states.
  func library(_ name: String) throws -> Product {
    let file = "lib\(name).so"
    return try product(name, file: file, installedAs: file, linking: ["--soname=\(file)"])
  }

  /// Builds the library product that programs are linked with.
  ///
  /// It shows what the preloaded one does, and what a program asks about itself.
  func linkedLibrary(_ name: String, soname: String) throws -> Product {
    // Undefined ones: it does not open modules.
    try product(
      name, file: "lib\(name).so", installedAs: soname,
      linking: [
        "--soname=\(soname)", "--version-script=\(exports.path)", "--undefined-version",
      ])
  }

  /// Returns the linker's version script of the linked library.
  ///
  /// The package cannot state that: the packages of others are linked with the same targets.
  private static func exports(of root: URL) throws -> String {
    let preloaded = root.appending(path: "Sources/CFront/exports.map")
    return try String(contentsOf: preloaded, encoding: .utf8)
      .replacing("global:\n", with: "global:\n  bstrtrace_report_scope;\n")
  }

  // Functions alike are one: nobody compares the addresses of those that are not exported, and lld
  // leaves exported ones apart. Strings share their ends.
  private static let smaller = ["--icf=all", "-O2"]

  // What the compiler knows of generic types is used as it is, instead of being looked up by name
  // when a type is first used: the command executes a fifth less instructions in a short run.
  private static let faster = [
    "-Xfrontend", "-disable-concrete-type-metadata-mangled-name-accessors",
  ]

  private func product(
    _ name: String, file: String, installedAs installed: String, linking flags: [String] = []
  ) throws -> Product {
    print("building \(name)")
    // lld: CTracker's start.c relies on the order in which it puts constructors.
    try swift.run(
      [
        "build", "--package-path", root.path, "--scratch-path", scratch.path,
        "--configuration", "release", "--product", name,
      ]
        + (["-static-stdlib", "-use-ld=lld", "-L\(archives.path)"] + Self.faster)
        .flatMap { ["-Xswiftc", $0] }
        + (flags + Self.smaller).flatMap { ["-Xlinker", $0] })
    let built = scratch.appending(path: "release/\(file)")
    let stripped = finished.appending(path: installed)
    let debug = finished.appending(path: installed + ".debug")
    try objcopy.run(["--only-keep-debug", built.path, debug.path])
    try objcopy.run(
      ["--strip-all", "--add-gnu-debuglink=\(debug.path)", built.path, stripped.path])
    return Product(file: stripped, debugFile: debug)
  }

  /// Makes the manual page of the command, and returns its location.
  func manualPage() throws -> URL {
    print("making the manual page")
    // With debug products, which the plugin that makes it starts.
    let manual = scratch.appending(path: "manual")
    try swift.run(
      [
        "package", "--package-path", root.path, "--scratch-path", manual.path, "generate-manual",
      ])
    return manual.appending(path: "plugins/GenerateManual/outputs/bstrtrace/bstrtrace.1")
  }
}
