// The process's executable and arguments, for the store's header.

import Glibc
import TraceStore

/// A reader of /proc that uses system calls only: safe in a forked child.
enum ProcessFacts {
  private static let maxArgumentBytes = 1 << 16

  /// Writes executable and arguments to the text section.
  ///
  /// No other thread uses the store yet.
  static func write(to store: borrowing StoreWriter) {
    guard let buffer = unsafe PrivateMemory.map(maxArgumentBytes) else { return }
    defer { unsafe munmap(buffer, maxArgumentBytes) }
    let characters = unsafe buffer.assumingMemoryBound(to: CChar.self)
    let length = unsafe readlink("/proc/self/exe", characters, 4096)
    if length > 0 {
      unsafe store.header.pointee.executable = store.append(
        text: UnsafeRawBufferPointer(start: buffer, count: length))
    }
    let descriptor = unsafe open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var filled = 0
    while filled < maxArgumentBytes {
      let got = unsafe read(descriptor, buffer + filled, maxArgumentBytes - filled)
      if got <= 0 { break }
      filled += got
    }
    unsafe store.header.pointee.arguments = store.append(
      text: UnsafeRawBufferPointer(start: buffer, count: filled))
  }
}
