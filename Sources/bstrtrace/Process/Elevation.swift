// Whether the kernel would start a program with more rights than its caller's (AT_SECURE): the
// loader then preloads nothing into it, and the library would record nothing.

import FoundationEssentials
import Glibc

/// A reason why a program has rights that its caller lacks.
enum Elevation {
  /// It runs as another user.
  case user
  /// It runs as another group.
  case group
  /// It has file capabilities.
  case capabilities

  /// The reason why such a program cannot be traced.
  var reason: String {
    switch self {
    case .user:
      "it runs as another user (set-user-id), so that nothing can be loaded into it and nothing is recorded"
    case .group:
      "it runs as another group (set-group-id), so that nothing can be loaded into it and nothing is recorded"
    case .capabilities:
      "it has file capabilities, so that nothing can be loaded into it and nothing is recorded"
    }
  }

  /// Returns the elevation of the program at a path by the kernel's rules, when started by this
  /// process; `nil` for none.
  init?(ofProgramAt path: String) {
    guard let path = realpath(path, nil) else { return nil }
    defer { free(path) }
    var status = stat()
    var mount = statvfs()
    guard stat(path, &status) == 0, statvfs(path, &mount) == 0, mount.f_flag & Self.noSetUserID == 0
    else { return nil }
    if status.st_mode & S_ISUID != 0, status.st_uid != getuid(), !Self.hasNoNewPrivileges {
      self = .user
      return
    }
    // Without the group's permission to execute it, the bit has another meaning.
    let group = S_ISGID | S_IXGRP
    if status.st_mode & group == group, status.st_gid != getgid(), !Self.hasNoNewPrivileges {
      self = .group
      return
    }
    // Root has all capabilities already.
    if getuid() != 0, Self.hasCapabilities(String(cString: path)) {
      self = .capabilities
      return
    }
    return nil
  }

  /// ST_NOSUID.
  private static let noSetUserID: UInt = 2

  /// Whether the two bits have no effect; capabilities have theirs (seen on Linux 6.18).
  private static var hasNoNewPrivileges: Bool {
    let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    return text?.contains("\nNoNewPrivs:\t1") == true
  }

  /// Returns whether a file's capabilities are ones that it would have when it is executed.
  private static func hasCapabilities(_ path: String) -> Bool {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    let key = FileAttributeKey(rawValue: "NSFileExtendedAttributes")
    guard let bytes = (attributes?[key] as? [String: Data])?["security.capability"] else {
      return false
    }
    return grantsCapabilities(Array(bytes))
  }

  /// Returns whether a `struct vfs_cap_data` has the effective bit, or permitted capabilities;
  /// inheritable ones alone are only what its caller has.
  static func grantsCapabilities(_ bytes: [UInt8]) -> Bool {
    guard bytes.count >= 12 else { return false }
    let isEffective = bytes[0] & 1 != 0
    // Permitted and inheritable words alternate, four bytes each.
    let permitted = bytes[4..<8] + (bytes.count >= 20 ? bytes[12..<16] : [])
    return isEffective || permitted.contains { $0 != 0 }
  }
}
