// The Debian package: the same files under /usr, with what dpkg needs to know.

import Foundation

/// A `.deb`.
struct DebianPackage {
  private let build: Build

  init(of build: Build) { self.build = build }

  /// Writes the package into a folder.
  func write(to folder: URL) throws {
    let dpkgDeb = try Tool("dpkg-deb", in: build.context)
    let stage = build.scratch.appending(path: "deb")
    try? FileManager.default.removeItem(at: stage)
    try Layout(prefix: stage.appending(path: "usr")).install(build)
    let kibibytes = try Self.bytes(in: stage) / 1024
    let control = stage.appending(path: "DEBIAN")
    try FileManager.default.createDirectory(at: control, withIntermediateDirectories: true)
    try self.control(kibibytes: kibibytes).write(
      to: control.appending(path: "control"), atomically: false, encoding: .utf8)
    // The loader's cache of libraries.
    try "activate-noawait ldconfig\n".write(
      to: control.appending(path: "triggers"), atomically: false, encoding: .utf8)
    let file = folder.appending(
      path: "bstrtrace_\(build.version)_\(Machine.debianName).deb")
    try dpkgDeb.run(["--root-owner-group", "--build", stage.path, file.path])
    print("wrote '\(file.path)'")
  }

  private func control(kibibytes: Int) -> String {
    """
    Package: bstrtrace
    Version: \(build.version)
    Architecture: \(Machine.debianName)
    Maintainer: The contributors to bstrtrace <bstrtrace@example.invalid>
    Section: devel
    Priority: optional
    Installed-Size: \(kibibytes)
    Depends: libc6 (>= \(build.oldestGlibc)), libgcc-s1, libunwind8
    Description: leak detector for BSTRs, the strings of COM
     bstrtrace runs a program as it is, or is linked into it, and names who allocated, freed first
     and freed again the BSTRs that are leaked or misused.

    """
  }

  private static func bytes(in folder: URL) throws -> Int {
    let keys: [URLResourceKey] = [.fileSizeKey]
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: keys)
    return try (files?.compactMap { $0 as? URL } ?? [])
      .reduce(0) { try $0 + ($1.resourceValues(forKeys: Set(keys)).fileSize ?? 0) }
  }
}
