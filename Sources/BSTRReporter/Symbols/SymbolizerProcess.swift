// A running llvm-symbolizer: starts it, sends it requests, and waits for answers with a timeout.
// Knows nothing of modules and build-ids: that is LLVMSymbolicator.

import Glibc

/// A child process that answers which functions are at addresses of files.
///
/// It is started once and asked as often as needed. Whatever it does, `answers` returns: a child
/// that is silent, dies or answers something else than was asked is killed, and not used again.
final class SymbolizerProcess {
  /// An address in a file.
  struct Question: Hashable {
    /// The file's path.
    var file: String
    /// The address, in the file's address space.
    var address: UInt64
  }

  /// A function at an address, as the child answers it.
  struct Answer: Equatable {
    /// The symbol, mangled; `nil` when it is not known.
    var rawName: String?
    /// The source file.
    var file: String?
    /// The line, 0 when it is not known.
    var line: Int
    /// The column, 0 when it is not known.
    var column: Int
  }

  /// The limits of what a child may take.
  struct Limits {
    /// The timeout of the next byte, in milliseconds: the debug information of a large program
    /// takes seconds.
    var silence = 30_000
    /// The timeout of all answers to one request, in milliseconds.
    var total = 300_000
    /// The maximum of bytes of one answer: a longer one is invalid.
    var answerBytes = 1 << 20
  }

  /// The reason why it is not used any more, as the second half of a sentence that starts with its
  /// path; `nil` while it is.
  private(set) var failure: String?
  private var child: pid_t = 0
  private var socket: Int32 = -1
  private let limits: Limits

  /// The maximum of bytes of a path: older versions read lines of 1024.
  private static let maxPathBytes = 960

  /// Starts the program.
  init(path: String, limits: Limits = Limits()) {
    self.limits = limits
    var ends: [Int32] = [-1, -1]
    // A socket and not two pipes: writing to a child that has died is then an error and no signal.
    guard
      socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &ends) == 0
    else {
      failure = "cannot be talked to: \(Self.reason(errno))"
      return
    }
    socket = ends[0]
    let error = HelperProgram.start(
      [path, "--no-demangle", "--addresses", "--inlines", "--output-style=LLVM"],
      reading: ends[1], writing: ends[1], as: &child)
    close(ends[1])
    if error != 0 { fail("cannot be run: \(Self.reason(error))") }
  }

  deinit { end() }

  /// Returns whether a file's path can be written into a request.
  static func canAsk(about path: String) -> Bool {
    path.hasPrefix("/") && path.utf8.count <= maxPathBytes && quote(for: path) != nil
      && path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
  }

  /// Returns the quotes around a path, chosen so that it does not end them itself.
  private static func quote(for path: String) -> String? {
    ["\"", "'"].first { !path.utf8.contains($0.utf8.first ?? 0) }
  }

  /// Returns the functions at each address, innermost first.
  ///
  /// - Returns: as many answers as there are requests, or fewer, those of the first ones, when it
  ///   failed; then `failure` says why.
  func answers(to questions: [Question]) -> [[Answer]] {
    guard failure == nil else { return [] }
    let request = questions.flatMap { question -> [UInt8] in
      let quote = Self.quote(for: question.file) ?? "\""
      let path = "\(quote)\(question.file)\(quote)"
      return Array("CODE \(path) 0x\(String(question.address, radix: 16))\n".utf8)
    }
    var written = 0
    var reader = AnswerReader()
    var answers: [[Answer]] = []
    answers.reserveCapacity(questions.count)
    let start = ContinuousClock.now
    while answers.count < questions.count {
      let spent = Int((ContinuousClock.now - start) / .milliseconds(1))
      guard spent < limits.total else {
        fail("took longer than \(limits.total / 1000) s")
        return answers
      }
      var events = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
      if written < request.count { events.events |= Int16(POLLOUT) }
      let ready = poll(&events, 1, Int32(min(limits.silence, limits.total - spent)))
      if ready < 0 && errno == EINTR { continue }
      guard ready > 0 else {
        fail("did not answer within \(limits.silence) ms")
        return answers
      }
      if events.revents & Int16(POLLOUT) != 0, !send(request, from: &written) { return answers }
      if events.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
        guard receive(into: &reader) else { return answers }
        while let block = reader.next() {
          guard answers.count < questions.count,
            let answer = Self.answer(block, to: questions[answers.count])
          else {
            fail("answered something else than was asked")
            return answers
          }
          answers.append(answer)
        }
        guard reader.pendingBytes <= limits.answerBytes else {
          fail("answered without an end")
          return answers
        }
      }
    }
    return answers
  }

  /// Writes as many bytes as fit.
  private func send(_ request: [UInt8], from written: inout Int) -> Bool {
    let sent = request[written...].withUnsafeBytes {
      Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }
    if sent < 0, errno != EAGAIN, errno != EINTR {
      fail("ended before it had answered")
      return false
    }
    written += max(0, sent)
    return true
  }

  /// Reads the bytes that are available.
  private func receive(into reader: inout AnswerReader) -> Bool {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let got = recv(socket, &bytes, bytes.count, Int32(MSG_DONTWAIT))
    if got < 0, errno == EAGAIN || errno == EINTR { return true }
    guard got > 0 else {
      fail("ended before it had answered")
      return false
    }
    reader.add(bytes[..<got])
    return true
  }

  // MARK: answers

  /// Parses the lines of one answer: the address, then two for each function.
  private static func answer(_ block: [Substring], to question: Question) -> [Answer]? {
    guard let first = block.first, first.hasPrefix("0x"),
      UInt64(first.dropFirst(2), radix: 16) == question.address, block.count % 2 == 1
    else { return nil }
    var answers: [Answer] = []
    for index in stride(from: 1, to: block.count, by: 2) {
      guard let answer = answer(name: block[index], location: block[index + 1]) else { return nil }
      answers.append(answer)
    }
    return answers
  }

  /// Parses "main" and "/src/app.c:12:3".
  private static func answer(name: Substring, location: Substring) -> Answer? {
    guard let second = location.lastIndex(of: ":"),
      let first = location[..<second].lastIndex(of: ":"),
      let line = Int(location[location.index(after: first)..<second]),
      let column = Int(location[location.index(after: second)...]), line >= 0, column >= 0
    else { return nil }
    let file = String(location[..<first])
    return Answer(
      rawName: name == "??" || name.isEmpty ? nil : String(name),
      file: file == "??" || file.isEmpty ? nil : file, line: line, column: column)
  }

  /// Takes the stream of bytes apart into answers, each of which an empty line ends.
  struct AnswerReader {
    private var bytes: [UInt8] = []
    private var lineStart = 0
    private var looked = 0
    private var lines: [Substring] = []
    private var blockBytes = 0

    /// Bytes of the answer that is not complete.
    var pendingBytes: Int { bytes.count - lineStart + blockBytes }

    /// Appends bytes that were read.
    mutating func add(_ more: some Collection<UInt8>) {
      bytes.removeFirst(lineStart)
      looked -= lineStart
      lineStart = 0
      bytes += more
    }

    /// Returns the next complete answer.
    mutating func next() -> [Substring]? {
      while let end = bytes[looked...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = bytes[lineStart..<end]
        lineStart = end + 1
        looked = lineStart
        if line.isEmpty {
          defer {
            lines = []
            blockBytes = 0
          }
          return lines
        }
        lines.append(Substring(decoding: line, as: UTF8.self))
        blockBytes += line.count
      }
      looked = bytes.count
      return nil
    }
  }

  // MARK: the child

  private func fail(_ why: String) {
    failure = why
    end()
  }

  /// Ends the child and its children, which have nothing to lose.
  private func end() {
    if socket >= 0 { close(socket) }
    socket = -1
    if child > 0 {
      // The group exists for as long as the child is not waited for.
      kill(-child, SIGKILL)
      var status: Int32 = 0
      while waitpid(child, &status, 0) < 0, errno == EINTR {}
    }
    child = 0
  }

  private static func reason(_ error: Int32) -> String { String(cString: strerror(error)) }
}
