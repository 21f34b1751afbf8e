// The stores of a run, collected while it goes on: those of processes that have ended are packed
// into one file. Where a process did not need the tracker, its note stands for a store. Does not
// interpret them.

import FoundationEssentials
import Glibc
import TraceStore

/// The stores in a folder, one file for each that is being written, and one for all others.
struct StoreCollector {
  private let folder: String
  /// The process that the others come from: its end is known to its parent.
  private let main: pid_t
  /// 0 where it is unknown, or `/proc` has the ids of another one.
  private let ownNamespace = isProcOwn ? StoreHeader.pidNamespaceOfProcess : 0
  private(set) var stores: [StoreReference] = []
  private(set) var damage: [String] = []
  private var packed: PackedStores
  /// Names of files that are left for the end: of processes whose ids mean nothing here, and what
  /// could not be read or packed.
  private var leftForTheEnd: Set<String> = []

  /// Creates a collector of the stores in a folder.
  ///
  /// - Parameter main: the process that the run has started.
  init(_ folder: StoreFolder, of main: pid_t) {
    self.folder = folder.path
    self.main = main
    packed = PackedStores(in: folder.path)
  }

  /// Whether no process has left anything.
  var isEmpty: Bool { stores.isEmpty && names.isEmpty && notes.isEmpty }

  private var names: [String] { files(".store").filter { $0 != PackedStores.name } }
  private var notes: [String] { files(UntracedProcess.suffix) }

  private func files(_ suffix: String) -> [String] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return all.filter { $0.hasSuffix(suffix) }.sorted()
  }

  /// Packs the stores of processes that have ended.
  mutating func collectEnded() {
    for name in names where !leftForTheEnd.contains(name) {
      guard let pid = pid_t(name.prefix { $0 != "." }), pid != main, !Self.isAlive(pid) else {
        continue
      }
      let image = try? StoreFile.images(at: "\(folder)/\(name)").images.first
      // In another namespace of process ids the process may run under another number.
      guard let image, image.header.pidNamespace == ownNamespace, ownNamespace != 0,
        keep(image, of: name, onlyPacked: true)
      else {
        leftForTheEnd.insert(name)
        continue
      }
    }
  }

  /// Packs all stores that are left, with what is known of their processes' ends.
  ///
  /// - Parameters:
  ///   - grace: the time that processes which have not ended are waited for, in milliseconds.
  ///   - end: how the main process ended.
  mutating func collectAll(grace: Int, end: (state: EndState, status: Int32)) {
    var waited = 0
    while waited < grace, !headers().values.filter(isRunning).isEmpty {
      usleep(10_000)
      waited += 10
    }
    // In front of stores that are of the same tick of the clock.
    var untraced = notes.compactMap { name in note(in: name).map { (name: name, process: $0) } }
      .sorted { $0.process.time < $1.process.time }
    let last = Self.lastPrograms(
      untraced.map { ($0.name, $0.process.image.header) }
        + headers().sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    for index in untraced.indices
    where last.contains(untraced[index].name)
      && untraced[index].process.image.header.processID == main
    {
      untraced[index].process.image.noteEnd(end.state, status: end.status)
    }
    stores = untraced.map { StoreReference($0.process.image) } + stores
    for name in names {
      do throws(StoreFile.Failure) {
        guard var image = try StoreFile.images(at: "\(folder)/\(name)").images.first else {
          continue
        }
        if last.contains(name) {
          if image.header.processID == main {
            image.noteEnd(end.state, status: end.status)
          } else if isRunning(image.header) {
            image.noteEnd(.running, status: 0)
          }
        }
        _ = keep(image, of: name, onlyPacked: false)
      } catch {
        // A process that ended while it created its store has recorded nothing.
        if case .store(_, .notAStore) = error { continue }
        if case .store(_, .empty) = error { continue }
        damage.append("\(error)")
      }
    }
  }

  /// Keeps a store packed, and removes its file; where the disk is full, in memory.
  ///
  /// - Parameter onlyPacked: whether it is left alone where the disk is full.
  private mutating func keep(_ image: StoreImage, of name: String, onlyPacked: Bool) -> Bool {
    if let store = image.damage.isEmpty ? packed.add(image) : nil {
      stores.append(store)
      unlink("\(folder)/\(name)")
      return true
    }
    // What is damaged is kept as it was read: packed, it would not say so.
    if onlyPacked { return false }
    stores.append(StoreReference(image))
    return true
  }

  private func headers() -> [String: StoreHeader] {
    Dictionary(
      uniqueKeysWithValues: names.compactMap { name in
        (try? StoreFile.header(at: "\(folder)/\(name)")).map { (name, $0) }
      })
  }

  private func note(in name: String) -> UntracedProcess? {
    (try? Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
      .flatMap { UntracedProcess(note: Array($0)) }
  }

  /// Returns the names of each process's latest store or note: the earlier ones ended with an
  /// `exec`.
  ///
  /// - Parameter programs: in the order in which those started that are of one tick of the clock.
  private static func lastPrograms(_ programs: [(name: String, header: StoreHeader)]) -> Set<String>
  {
    var last: [UInt32: (name: String, header: StoreHeader)] = [:]
    for program in programs {
      if let other = last[program.header.pid], other.header.startTime > program.header.startTime {
        continue
      }
      last[program.header.pid] = program
    }
    return Set(last.values.map(\.name))
  }

  /// Returns whether a process that has recorded no end is running.
  private func isRunning(_ header: StoreHeader) -> Bool {
    header.endState == EndState.none.rawValue && header.processID != main
      && Self.isAlive(header.processID)
  }

  /// Whether `/proc` has the ids of this process's namespace: not behind `unshare --pid` alone.
  private static let isProcOwn =
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self")) == "\(getpid())"

  /// Returns whether the process exists and has a thread that is no zombie; where `/proc` does not
  /// say, whether it exists.
  static func isAlive(_ pid: pid_t) -> Bool {
    guard isProcOwn, let text = status(of: pid), let end = text.lastIndex(of: ")") else {
      return kill(pid, 0) == 0 || errno != ESRCH
    }
    // proc_pid_stat(5) counts from 1, the name is the second: the state is the third, the count of
    // threads the 20th. Of a main thread that has ended before the others the state is a zombie's.
    let fields = text[end...].dropFirst().split(separator: " ")
    guard fields.count > 17, let state = fields[0].first else { return false }
    return state != "Z" && state != "X" || (Int(fields[17]) ?? 0) > 1
  }

  /// Returns the content of a process's `stat`; `nil` where that cannot be read.
  ///
  /// A program's name may be no UTF-8: the kernel cuts it after fifteen bytes.
  private static func status(of pid: pid_t) -> String? {
    let descriptor = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1024)
    let count = read(descriptor, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}

/// A file of packed stores, one behind the other.
private struct PackedStores {
  static let name = "ended.store"

  private let path: String
  private var byteCount = 0

  init(in folder: String) { path = "\(folder)/\(Self.name)" }

  /// Appends a store.
  ///
  /// - Returns: where it is; `nil` where the disk is full.
  mutating func add(_ image: StoreImage) -> StoreReference? {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let bytes = image.packed()
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        pwrite(
          descriptor, buffer.baseAddress! + written, bytes.count - written,
          off_t(byteCount + written))
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return nil }
      written += count
    }
    defer { byteCount += bytes.count }
    return StoreReference(path: path, start: byteCount)
  }
}
