// Opens an output file without following other users' links: does what Linux does where
// fs.protected_symlinks, fs.protected_hardlinks and fs.protected_regular are set, which they need
// not be.

import Glibc

/// A path that is resolved link by link.
enum ProtectedPath {
  /// The reason why a path was not opened.
  enum Failure: Error, CustomStringConvertible {
    /// An `errno`.
    case system(Int32)
    /// A link on the way is another user's, in a folder that every user can write to.
    case link(String)
    /// The file is another user's, or has other names, in a folder that every user can write to.
    case file(String)

    /// The second half of a sentence.
    var description: String {
      switch self {
      case .system(let code): String(cString: strerror(code))
      case .link(let name):
        "'\(name)' is another user's link in a folder that everybody can write to"
      case .file(let name):
        "'\(name)' is another user's file, or has several names, in a folder that everybody can write to"
      }
    }
  }

  private static let maxLinks = 40
  /// Swift's Glibc module lacks it.
  private static let pathOnly: Int32 = 0o10_000_000

  /// Opens a file for writing, and creates it where there is none.
  static func open(_ path: String) throws(Failure) -> Int32 {
    if path.isEmpty { throw .system(ENOENT) }
    if path.hasSuffix("/") { throw .system(EISDIR) }
    var folder = try Descriptor(AT_FDCWD, path.hasPrefix("/") ? "/" : ".", pathOnly | O_DIRECTORY)
    var rest = components(of: path)[...]
    var links = 0
    while let name = rest.popFirst() {
      let isLast = rest.isEmpty
      if folder.isInProc {
        // Links in /proc are no text: the kernel follows them, and no user can create one.
        if isLast { return try opened(name, in: folder, 0) }
        folder = try Descriptor(folder.descriptor, name, pathOnly | O_DIRECTORY)
        continue
      }
      let entry = try? Descriptor(folder.descriptor, name, pathOnly | O_NOFOLLOW)
      guard let entry, try entry.isLink else {
        if isLast { return try checked(name, in: folder) }
        folder = try Descriptor(folder.descriptor, name, pathOnly | O_DIRECTORY | O_NOFOLLOW)
        continue
      }
      guard try folder.trusts(entry) else { throw .link(name) }
      links += 1
      let target = try entry.target
      if links > maxLinks || target.isEmpty { throw .system(ELOOP) }
      if target.hasPrefix("/") { folder = try Descriptor(AT_FDCWD, "/", pathOnly | O_DIRECTORY) }
      rest = (components(of: target) + rest)[...]
      if rest.isEmpty || isLast && target.hasSuffix("/") { throw .system(EISDIR) }
    }
    throw .system(EISDIR)
  }

  private static func components(of path: String) -> [String] {
    path.split(separator: "/").map(String.init)
  }

  private static func opened(
    _ name: String, in folder: Descriptor, _ flags: Int32
  ) throws(Failure) -> Int32 {
    let flags = flags | O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY
    let descriptor = openat(folder.descriptor, name, flags, 0o666)
    if descriptor < 0 { throw .system(errno) }
    return descriptor
  }

  /// Opens a file that is no link, and checks the open file.
  private static func checked(
    _ name: String, in folder: Descriptor
  ) throws(Failure) -> Int32 {
    let descriptor = try opened(name, in: folder, O_NOFOLLOW)
    var status = stat()
    guard try folder.isShared, fstat(descriptor, &status) == 0 else { return descriptor }
    let type = status.st_mode & S_IFMT
    let isOwn = [geteuid(), try folder.status().st_uid].contains(status.st_uid)
    let hasOtherNames = type == S_IFREG && status.st_nlink > 1
    if type == S_IFREG || type == S_IFIFO, !isOwn || hasOtherNames {
      close(descriptor)
      throw .file(name)
    }
    return descriptor
  }

  /// An open file, which is closed with its owner.
  private final class Descriptor {
    let descriptor: Int32

    init(_ folder: Int32, _ name: String, _ flags: Int32) throws(Failure) {
      descriptor = openat(folder, name, flags | O_CLOEXEC)
      if descriptor < 0 { throw .system(errno) }
    }

    deinit { close(descriptor) }

    func status() throws(Failure) -> stat {
      var status = stat()
      if fstat(descriptor, &status) != 0 { throw .system(errno) }
      return status
    }

    var isLink: Bool {
      get throws(Failure) { try status().st_mode & S_IFMT == S_IFLNK }
    }

    var isInProc: Bool {
      var proc = stat()
      var own = stat()
      return stat("/proc", &proc) == 0 && fstat(descriptor, &own) == 0 && proc.st_dev == own.st_dev
    }

    /// Whether every user can create files in this folder, and delete only their own.
    var isShared: Bool {
      get throws(Failure) {
        let mode = try status().st_mode
        return mode & S_ISVTX != 0 && mode & S_IWOTH != 0
      }
    }

    /// Returns whether a link in this folder may be followed: it is this user's, or the folder's
    /// owner's.
    func trusts(_ link: Descriptor) throws(Failure) -> Bool {
      guard try isShared else { return true }
      return [geteuid(), try status().st_uid].contains(try link.status().st_uid)
    }

    /// Returns the target of a link.
    var target: String {
      get throws(Failure) {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlinkat(descriptor, "", &bytes, bytes.count)
        if count < 0 { throw .system(errno) }
        return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
      }
    }
  }
}
