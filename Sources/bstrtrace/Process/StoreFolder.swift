// The folder of a run's stores: where it is made, and whether stores can be written there.

import FoundationEssentials
import Glibc

/// A new folder for the stores of one run.
struct StoreFolder {
  /// Its absolute path.
  let path: String

  /// Makes the folder.
  ///
  /// - Parameter parent: the folder that it is made in; `nil` for the usual one.
  /// - Throws: the reason why it cannot be made, or why no store can be written there.
  init(in parent: String?) throws {
    let parent = Self.absolute(parent ?? Self.usualParent)
    func cannot(_ what: String) -> ToolFailure {
      let reason = OutputFile.reason()
      return ToolFailure(
        "cannot \(what) '\(parent)': \(reason); --store-dir names another folder for stores")
    }
    var template = Array("\(parent)/bstrtrace-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw cannot("make a folder for stores in") }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    if !Self.canMapFiles(in: path) {
      defer { rmdir(path) }
      throw cannot("share memory through files in")
    }
  }

  /// The folder of `TMPDIR`; without it `/tmp`, or `/var/tmp` where `/tmp` is memory.
  private static var usualParent: String {
    if let variable = getenv("TMPDIR").map({ String(cString: $0) }), !variable.isEmpty {
      return variable
    }
    let disk = "/var/tmp"
    return isInMemory("/tmp") && !isInMemory(disk) && access(disk, W_OK | X_OK) == 0
      ? disk : "/tmp"
  }

  /// Returns whether what a folder has takes memory and no disk.
  private static func isInMemory(_ folder: String) -> Bool {
    // As bytes: characters would cost each run a millisecond.
    let mounts = [UInt8](FileManager.default.contents(atPath: "/proc/self/mounts") ?? Data())
    var innermost = (length: 0, type: ArraySlice<UInt8>())
    for line in mounts.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 3)
      guard fields.count > 2 else { continue }
      let slash = CollectionOfOne(UInt8(ascii: "/"))
      let path = fields[1].last == slash[0] ? fields[1] : fields[1] + slash
      // Of several at one place the last one is seen.
      if "\(folder)/".utf8.starts(with: path), path.count >= innermost.length {
        innermost = (path.count, fields[2])
      }
    }
    return ["tmpfs", "ramfs"].contains { innermost.type.elementsEqual($0.utf8) }
  }

  /// Returns the path from the root: processes of the run have other folders to start from.
  private static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") { return path }
    guard let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return "\(String(cString: folder))/\(path)"
  }

  /// Returns whether a mapping can be shared through a file, which not every file system knows; if
  /// not, `errno` says why.
  private static func canMapFiles(in folder: String) -> Bool {
    let path = "\(folder)/probe"
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return false }
    let address = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    let code = errno
    if address != MAP_FAILED { munmap(address, 4096) }
    close(descriptor)
    unlink(path)
    errno = code
    return address != MAP_FAILED
  }
}
