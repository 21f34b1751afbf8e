import Foundation
import Testing

/// Large programs of others that use BSTRs: nothing changes for them, and what their native code
/// leaks is found and named.
///
/// `.ci/clients` installs them; what is absent is skipped.
@Suite(.overAllProducts, .namingProducts) struct ClientTests {
  /// Where `.ci/clients` puts what is from the Python index.
  static let packages = Built.root.appending(path: ".build/clients")

  private static func has(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }

  static let hasMono = has("/usr/bin/mono") && has("/usr/bin/mcs")
  static let dotnet = packages.appending(path: "dotnetcore2/bin")
  static let hasDotnet = hasMono && has(dotnet.appending(path: "dotnet").path)
  static let codecs = packages.appending(path: "pybit7z")
  static let hasCodecs = has(codecs.path)
  static let hasBit7z = has(packages.appending(path: "bit7z_python").path)

  private static let sources = Built.root.appending(path: "Tests/Scenarios/clients")

  /// What `app.cs` prints.
  private static let printed = "a name\nan out parameter\n19\na name\na name\n1\n"

  /// Builds the native library of `app.cs`.
  ///
  /// - Parameter offset: where its own functions put the characters, in a library of their own;
  ///   `nil` when it is linked with the tracker.
  private func buildNative(in folder: URL, offset: Int?) throws {
    let common = ["-g", "-shared", "-fPIC", "-I\(Built.headers)"]
    var libraries = [
      "-L\(Built.products.path)", "-Wl,-rpath,\(Built.products.path)", "-lbstrtrace-linked",
    ]
    if let offset {
      let plain = Built.root.appending(path: "Tests/Scenarios/support/plain_bstr.c").path
      try Scenario.compile(
        [plain, "-DBSTR_PAYLOAD_OFFSET=\(offset)", "-o", "libplain.so"] + common, in: folder)
      libraries = ["-L.", "-Wl,-rpath,\(folder.path)", "-lplain"]
    }
    let native = Self.sources.appending(path: "native.c").path
    try Scenario.compile([native, "-o", "libnative.so"] + common + libraries, in: folder)
  }

  /// The two that are leaked, the longer one first, wherever the library's functions come from.
  private func expectNativeLeaks(_ traced: Traced) throws {
    #expect(traced.command.output == Self.printed, "\(traced.command.errors.prefix(2000))")
    #expect(traced.command.errors == "")
    #expect(traced.command.status == 23)
    #expect(traced.report.damage.isEmpty)
    let process = try #require(traced.report.processes.last)
    #expect(process.ended == "exit")
    #expect(process.status == 0)
    #expect(process.totals.allocations == 5)
    #expect(process.totals.frees == 3)
    let findings = traced.report.findings
    #expect(findings.map(\.kind) == ["leak", "leak"], "\(findings)")
    let places = findings.compactMap(\.stacks.allocated.first).map {
      [$0.function, "\($0.line ?? 0)"]
    }
    #expect(places == [["forget", "18"], ["make_name", "7"]])
    #expect(findings.map(\.count) == [1, 1])
  }

  // MARK: Mono

  /// In Mono's own layout, and in the tracker's, which Mono has to teach another.
  @Test(
    .enabled(if: hasMono, "mono-runtime and mono-mcs are not installed: see .ci/clients"),
    arguments: [4, nil])
  func monoIsUnharmed(offset: Int?) throws {
    let folder = try Built.folder("mono-\(offset.map { "\($0)" } ?? "linked")")
    try buildNative(in: folder, offset: offset)
    let compiled = try Command.run(
      ["mcs", "-out:app.exe", Self.sources.appending(path: "app.cs").path], in: folder)
    try #require(compiled.status == 0, "\(compiled.errors)")
    let traced = try Traced.run(
      ["mono", "--debug", "app.exe"], environment: ["LD_LIBRARY_PATH": folder.path], in: folder)
    try expectNativeLeaks(traced)
  }

  // MARK: .NET

  @Test(
    .enabled(
      if: hasDotnet, "dotnetcore2 (Python index) and mono-mcs are not installed: see .ci/clients"),
    arguments: [8, nil])
  func dotnetIsUnharmed(offset: Int?) throws {
    let folder = try Built.folder("dotnet-\(offset.map { "\($0)" } ?? "linked")")
    try buildNative(in: folder, offset: offset)
    let program = Self.dotnet.appending(path: "dotnet").path
    let frameworks = Self.dotnet.appending(path: "shared/Microsoft.NETCore.App")
    let version = try #require(
      try FileManager.default.contentsOfDirectory(atPath: frameworks.path).first)
    let references =
      ["System.Private.CoreLib", "System.Runtime", "System.Console"] + [
        "System.Runtime.InteropServices"
      ]
    let compiled = try Command.run(
      ["mcs", "-nostdlib", "-noconfig", "-out:app.dll"]
        + references.map { "-r:\(frameworks.path)/\(version)/\($0).dll" }
        + [Self.sources.appending(path: "app.cs").path], in: folder)
    try #require(compiled.status == 0, "\(compiled.errors)")
    try """
    { "runtimeOptions": { "framework": { "name": "Microsoft.NETCore.App", "version": "\(version)" },
      "configProperties": { "System.Globalization.Invariant": true } } }
    """.write(
      to: folder.appending(path: "app.runtimeconfig.json"), atomically: true, encoding: .utf8)
    let traced = try Traced.run(
      [program, "app.dll"], environment: ["LD_LIBRARY_PATH": folder.path], in: folder)
    try expectNativeLeaks(traced)
  }

  // MARK: bit7z

  @Test(.enabled(if: hasBit7z, "bit7z-python (Python index) is not installed: see .ci/clients"))
  func bit7zPacksAndLists() throws {
    let words = ["/usr/bin/python3", Self.sources.appending(path: "pack.py").path, "files.7z"]
    let environment = ["PYTHONPATH": Self.packages.path]
    let alone = try Command.run(
      words, environment: environment, in: try Built.folder("bit7z-alone"))
    try #require(alone.status == 0, "\(alone.errors)")
    #expect(alone.output.contains("file19.txt"))
    let traced = try Traced.run(
      words, environment: environment, in: try Built.folder("bit7z-traced"))
    #expect(traced.command.status == 0)
    #expect(traced.command.output == alone.output)
    #expect(traced.command.errors == alone.errors)
    #expect(traced.report.findings.isEmpty, "\(traced.report.findings)")
    let process = try #require(traced.report.processes.last)
    // By a debugger's breakpoints: 21 calls from the extension by C++ names, and 54 in 7z.so.
    #expect(process.totals.allocations == 75)
    #expect(process.totals.frees == 75)
    #expect(process.coverage.isEmpty, "\(process.coverage)")
  }

  // MARK: 7-Zip's codecs

  /// Their functions are inside them, local: every string is seen with `--inside`, none without.
  @Test(
    .enabled(if: hasCodecs, "pybit7z (Python index) is not installed: see .ci/clients"),
    arguments: ["Formats/zstd.so", "Codecs/bsc.so"])
  func codecsStringsAreSeen(codec: String) throws {
    let folder = try Built.folder("codec-\(codec.count)")
    try Scenario.compile(
      [Self.sources.appending(path: "codec.c").path, "-g", "-o", "program", "-ldl"], in: folder)
    let words = [
      folder.appending(path: "program").path, Self.codecs.appending(path: codec).path,
    ]
    let alone = try Command.run(words, in: folder)
    try #require(alone.status == 0, "\(alone.output)")
    #expect(alone.output.hasSuffix("\n30 strings\n"))
    let traced = try Traced.run(words, flags: ["--inside"], in: folder)
    #expect(traced.command.output == alone.output)
    #expect(traced.command.errors == alone.errors)
    #expect(traced.command.status == 23)
    let process = try #require(traced.report.processes.last)
    #expect(process.totals.allocations == 30)
    #expect(process.totals.frees == 20)
    #expect(process.profile.olecharBytes == 4)
    #expect(process.profile.payloadOffset == 4)
    #expect(process.coverage.isEmpty, "\(process.coverage)")
    #expect(traced.report.findings.map(\.kind) == ["leak"])
    #expect(traced.report.findings.map(\.count) == [10])
    #expect(traced.report.findings.first?.owner?.function == "main")
    let without = try Traced.run(words, in: folder)
    #expect(without.report.processes.last?.totals.allocations == 0)
  }
}
