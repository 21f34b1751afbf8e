// Opens an output file without being led astray: what Linux does where fs.protected_symlinks,
// fs.protected_hardlinks and fs.protected_regular are set, which they need not be.

import Glibc

/// Walks a path link by link.
enum ProtectedPath {
  /// Why a path was not opened.
  enum Failure: Error, CustomStringConvertible {
    /// An `errno`.
    case system(Int32)
    /// A link on the way is another user's, in a folder that everybody can write to.
    case link(String)
    /// The file is another user's, or has other names, in a folder that everybody can write to.
    case file(String)

    /// The rest of a sentence.
    var description: String {
      switch self {
      case .system(let number): String(cString: strerror(number))
      case .link(let name):
        "'\(name)' is another user's link in a folder that everybody can write to"
      case .file(let name):
        "'\(name)' is another user's file, or has several names, in a folder that everybody can write to"
      }
    }
  }

  private static let maxLinks = 40
  /// Swift's Glibc module has it not.
  private static let pathOnly: Int32 = 0o10_000_000

  /// Opens a file for writing, and makes it where there is none.
  static func open(_ path: String) throws(Failure) -> Int32 {
    if path.isEmpty { throw .system(ENOENT) }
    if path.hasSuffix("/") { throw .system(EISDIR) }
    var folder = try Descriptor(AT_FDCWD, path.hasPrefix("/") ? "/" : ".", pathOnly | O_DIRECTORY)
    var rest = components(of: path)[...]
    var links = 0
    while let name = rest.popFirst() {
      let isLast = rest.isEmpty
      if folder.isInProc {
        // Links in /proc are no text: the kernel follows them, and nobody else can make some.
        if isLast { return try opened(name, in: folder, 0) }
        folder = try Descriptor(folder.number, name, pathOnly | O_DIRECTORY)
        continue
      }
      let entry = try? Descriptor(folder.number, name, pathOnly | O_NOFOLLOW)
      guard let entry, try entry.isLink else {
        if isLast { return try checked(name, in: folder) }
        folder = try Descriptor(folder.number, name, pathOnly | O_DIRECTORY | O_NOFOLLOW)
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
    let number = openat(folder.number, name, flags, 0o666)
    if number < 0 { throw .system(errno) }
    return number
  }

  /// Opens what is no link, and looks at what it has opened.
  private static func checked(
    _ name: String, in folder: Descriptor
  ) throws(Failure) -> Int32 {
    let number = try opened(name, in: folder, O_NOFOLLOW)
    var status = stat()
    guard try folder.isShared, fstat(number, &status) == 0 else { return number }
    let type = status.st_mode & S_IFMT
    let isOwn = [geteuid(), try folder.status().st_uid].contains(status.st_uid)
    let hasOtherNames = type == S_IFREG && status.st_nlink > 1
    if type == S_IFREG || type == S_IFIFO, !isOwn || hasOtherNames {
      close(number)
      throw .file(name)
    }
    return number
  }

  /// An open file, which is closed with its owner.
  private final class Descriptor {
    let number: Int32

    init(_ folder: Int32, _ name: String, _ flags: Int32) throws(Failure) {
      number = openat(folder, name, flags | O_CLOEXEC)
      if number < 0 { throw .system(errno) }
    }

    deinit { close(number) }

    func status() throws(Failure) -> stat {
      var status = stat()
      if fstat(number, &status) != 0 { throw .system(errno) }
      return status
    }

    var isLink: Bool {
      get throws(Failure) { try status().st_mode & S_IFMT == S_IFLNK }
    }

    var isInProc: Bool {
      var proc = stat()
      var own = stat()
      return stat("/proc", &proc) == 0 && fstat(number, &own) == 0 && proc.st_dev == own.st_dev
    }

    /// Whether everybody can put files into this folder, and take only their own away.
    var isShared: Bool {
      get throws(Failure) {
        let mode = try status().st_mode
        return mode & S_ISVTX != 0 && mode & S_IWOTH != 0
      }
    }

    /// Whether a link in this folder may be followed: it is our own, or that of the folder's owner.
    func trusts(_ link: Descriptor) throws(Failure) -> Bool {
      guard try isShared else { return true }
      return [geteuid(), try status().st_uid].contains(try link.status().st_uid)
    }

    /// What a link says.
    var target: String {
      get throws(Failure) {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlinkat(number, "", &bytes, bytes.count)
        if count < 0 { throw .system(errno) }
        return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
      }
    }
  }
}
