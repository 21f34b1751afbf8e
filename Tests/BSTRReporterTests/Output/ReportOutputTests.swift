import Foundation
import Synchronization
import Testing

@testable import BSTRReporter

/// Where reports go: whose links are followed, that all is written, and when there is colour.
@Suite struct ReportOutputTests {
  // MARK: paths

  /// A folder of the test's own, removed at its end.
  private final class Folder {
    let path: String

    init() {
      path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
      mkdir(path, 0o755)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A folder in it.
    func make(_ name: String, mode: mode_t = 0o755) -> String {
      let path = "\(path)/\(name)"
      mkdir(path, mode)
      // The mask does not apply.
      chmod(path, mode)
      return path
    }

    /// A file in it.
    func file(_ name: String, _ text: String = "old") throws -> String {
      let path = "\(path)/\(name)"
      try text.write(toFile: path, atomically: false, encoding: .utf8)
      return path
    }
  }

  private func write(_ path: String) -> String? {
    do throws(ReportOutput.Failure) {
      let descriptor = try ReportOutput.open(path)
      defer { close(descriptor) }
      try ReportOutput.replace(Array("new".utf8), in: descriptor)
      return nil
    } catch {
      return error.description
    }
  }

  private func text(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }

  @Test func filesAreMadeAndReplaced() throws {
    let folder = Folder()
    let made = "\(folder.path)/made"
    #expect(write(made) == nil)
    #expect(text(made) == "new")
    let old = try folder.file("old", "longer than the new one")
    let name = folder.path.split(separator: "/").last ?? ""
    #expect(write("\(folder.path)/./../\(name)//old") == nil)
    #expect(text(old) == "new")
    let missing = "\(folder.path)/no/such"
    #expect(write(missing) == "'\(missing)': No such file or directory")
    #expect(write("\(folder.path)/old/x") == "'\(folder.path)/old/x': Not a directory")
    for folder in ["\(folder.path)/", "\(folder.path)", "/", ".", ".."] {
      #expect(write(folder) == "'\(folder)': Is a directory")
    }
    #expect(write("") == "'': No such file or directory")
    #expect(write("/dev/null") == nil)
  }

  @Test func linksAreFollowed() throws {
    let folder = Folder()
    _ = folder.make("far")
    let target = try folder.file("far/target")
    symlink("far", "\(folder.path)/near")
    symlink("\(folder.path)/near/target", "\(folder.path)/absolute")
    symlink("../far/target", "\(folder.path)/far/back")
    #expect(write("\(folder.path)/absolute") == nil)
    #expect(text(target) == "new")
    #expect(write("\(folder.path)/near/back") == nil)
    // A link to nothing makes its target.
    symlink("far/fresh", "\(folder.path)/dangling")
    #expect(write("\(folder.path)/dangling") == nil)
    #expect(text("\(folder.path)/far/fresh") == "new")
    symlink("loop", "\(folder.path)/loop")
    #expect(write("\(folder.path)/loop")?.hasSuffix("Too many levels of symbolic links") == true)
    symlink("/", "\(folder.path)/root")
    #expect(write("\(folder.path)/root") == "'\(folder.path)/root': Is a directory")
  }

  /// What shells give in place of files: the kernel's own links, which have no text.
  @Test func descriptorsAreWrittenTo() throws {
    let folder = Folder()
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    defer { ends.forEach { close($0) } }
    for path in ["/dev/fd/\(ends[1])", "/proc/self/fd/\(ends[1])"] {
      #expect(write(path) == nil)
      var bytes = [UInt8](repeating: 0, count: 16)
      #expect(read(ends[0], &bytes, 16) == 3)
    }
    let target = try folder.file("target")
    let descriptor = Glibc.open(target, O_RDONLY)
    defer { close(descriptor) }
    #expect(write("/proc/self/fd/\(descriptor)") == nil)
    #expect(text(target) == "new")
  }

  private static let nobody: uid_t = 65534

  @Test(.enabled(if: geteuid() == 0, "only root can give files away"))
  func othersLinksAndFilesAreNotWrittenTo() throws {
    let folder = Folder()
    let target = try folder.file("target")
    let shared = folder.make("shared", mode: 0o1777)
    let open = folder.make("open", mode: 0o777)
    for folder in [shared, open] {
      symlink(target, "\(folder)/theirs")
      lchown("\(folder)/theirs", Self.nobody, Self.nobody)
    }
    let why = "in a folder that everybody can write to"
    let theirs = "\(shared)/theirs"
    #expect(write(theirs) == "'\(theirs)': 'theirs' is another user's link \(why)")
    #expect(text(target) == "old")
    // Where everybody can take everything away, who owns a link says nothing.
    #expect(write("\(open)/theirs") == nil)
    #expect(text(target) == "new")

    // On the way, and behind a link of our own.
    symlink(folder.path, "\(shared)/way")
    lchown("\(shared)/way", Self.nobody, Self.nobody)
    symlink("\(shared)/way/target", "\(folder.path)/detour")
    for path in ["\(shared)/way/target", "\(folder.path)/detour"] {
      #expect(write(path) == "'\(path)': 'way' is another user's link \(why)")
    }

    let other = "\(shared)/file"
    try "theirs".write(toFile: other, atomically: false, encoding: .utf8)
    chown(other, Self.nobody, Self.nobody)
    let refusal = "'file' is another user's file, or has several names, \(why)"
    #expect(write(other) == "'\(other)': \(refusal)")
    #expect(text(other) == "theirs")
    // A hard link to a file of ours.
    unlink(other)
    #expect(link(target, other) == 0)
    #expect(write(other) == "'\(other)': \(refusal)")

    // Our own link, and that of the folder's owner.
    symlink(target, "\(shared)/ours")
    #expect(write("\(shared)/ours") == nil)
    chown(shared, Self.nobody, Self.nobody)
    #expect(write("\(shared)/theirs") == nil)
  }

  // MARK: writing

  /// A non-blocking pipe takes a part at a time, and nothing while nobody reads.
  @Test func allIsWrittenHoweverLittleFits() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    #expect(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0)
    let output = ends[0]
    let got = Mutex<[UInt8]>([])
    let reader = Thread {
      var bytes = [UInt8](repeating: 0, count: 5000)
      while true {
        usleep(200)
        let count = read(output, &bytes, bytes.count)
        if count <= 0 { break }
        got.withLock { $0 += bytes[..<count] }
      }
    }
    reader.start()
    let text = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
    #expect(ReportOutput.write(text, to: ends[1]) == 0)
    close(ends[1])
    while !reader.isFinished { usleep(1000) }
    close(ends[0])
    // Not the arrays themselves: to say how they differ would take hours.
    let isWhole = got.withLock { $0 == text }
    #expect(isWhole)
  }

  @Test func failuresAreAnswered() {
    #expect(ReportOutput.write("x", to: -1) == EBADF)
    #expect(ReportOutput.write("", to: -1) == 0)
    let full = Glibc.open("/dev/full", O_WRONLY)
    defer { close(full) }
    #expect(ReportOutput.write("x", to: full) == ENOSPC)
  }

  // MARK: colour

  @Test(arguments: [
    ([:], false), (["TERM": "xterm"], true), (["TERM": "dumb"], false), (["TERM": ""], false),
    (["TERM": "xterm", "NO_COLOR": "1"], false), (["TERM": "xterm", "NO_COLOR": ""], true),
    (["TERM": "xterm", "NO_COLOR": "0"], false),
  ])
  func colourIsForTerminalsThatHaveIt(variables: [String: String], isColourful: Bool) {
    #expect(ReportOutput.isColourful(isTerminal: true) { variables[$0] } == isColourful)
    #expect(!ReportOutput.isColourful(isTerminal: false) { variables[$0] })
  }
}
