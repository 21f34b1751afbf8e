// The report as Valgrind's Memcheck would write it: protocol 4 of its XML output, which IDEs and CI
// servers load. Docs/ReportFormat.md says what of the report is in it.

/// Renders Valgrind's XML.
public struct ValgrindXMLRenderer: TextualRenderer {
  /// Creates a renderer.
  public init() {}

  /// Renders the whole report, ending with a newline.
  ///
  /// The process is the one that the user started: a file has one. Findings of the others are
  /// there, too, and say which they are of.
  public func render(_ report: Report) -> String {
    let program = report.mainProcess.map { report.processes[$0] }
    let errors = report.processes.flatMap { process in
      let other = process.pid == program?.pid ? nil : process
      return process.findings.map { error(of: $0, in: other) }
    }
    return document(of: program, lines: report.circumstances, errors)
  }

  /// Renders the difference between two runs, ending with a newline: what is new and has grown.
  ///
  /// The format has no word for what is gone; the preamble counts it.
  public func render(_ diff: FindingDiff) -> String {
    let errors = diff.entries.filter { $0.change == .new || $0.change == .grown }.map { entry in
      let kind = Self.kind(ofID: entry.key.kind)
      let text = "\(entry.change.rawValue): \(entry.key.text)"
      let function = Frame(function: entry.key.text, module: "", offset: 0)
      return Self.what(kind, text, bytes: 0, blocks: entry.after)
        + Self.stack([entry.frame ?? function])
    }
    return document(of: nil, lines: [diff.summary], errors)
  }

  // MARK: document

  private func document(of process: ProcessReport?, lines: [String], _ errors: [String]) -> String {
    var xml = """
      <?xml version="1.0"?>

      <valgrindoutput>

      <protocolversion>4</protocolversion>
      <protocoltool>memcheck</protocoltool>

      <preamble>

      """
    for line in ["bstrtrace, leak detector for BSTRs"] + lines {
      xml += "  \(Self.element("line", line))\n"
    }
    let arguments = process?.arguments ?? []
    xml += """
      </preamble>

      <pid>\(process?.pid ?? 0)</pid>
      <ppid>\(process?.parentPid ?? 0)</ppid>
      <tool>memcheck</tool>

      <args>
        <vargv>
          <exe>bstrtrace</exe>
        </vargv>
        <argv>
          \(Self.element("exe", arguments.first ?? process?.executable ?? ""))

      """
    for argument in arguments.dropFirst() { xml += "    \(Self.element("arg", argument))\n" }
    xml += "  </argv>\n</args>\n\n"
    xml += Self.status("RUNNING")
    for (index, error) in errors.enumerated() {
      xml += "<error>\n  <unique>0x\(String(index, radix: 16))</unique>\n\(error)</error>\n\n"
    }
    return xml + Self.status("FINISHED")
      + "<errorcounts>\n</errorcounts>\n\n<suppcounts>\n</suppcounts>\n\n</valgrindoutput>\n"
  }

  /// Returns a state; times differ between runs, and are left at zero.
  private static func status(_ state: String) -> String {
    "<status>\n  <state>\(state)</state>\n  <time>00:00:00:00.000</time>\n</status>\n\n"
  }

  // MARK: error

  /// Memcheck's word for a kind of finding: readers give up on a file with any other.
  private static func kind(ofID id: String) -> String {
    switch id {
    case "leak": "Leak_DefinitelyLost"
    case "double-free", "invalid-free": "InvalidFree"
    case "wrong-deallocator": "MismatchedFree"
    case "write-after-free", "overrun", "prefix-damage": "InvalidWrite"
    default: "ClientCheck"
    }
  }

  /// Returns one error; readers recognise it in later runs by its text, which has no counts.
  private func error(of finding: Finding, in process: ProcessReport?) -> String {
    let sentences = [finding.stableSentence, finding.stableReason].compactMap(\.self)
    let program = process.map { "in \($0.name): " } ?? ""
    let text = "\(program)\(finding.kind.title.lowercased()): \(sentences.joined(separator: " "))"
    var xml = Self.what(
      Self.kind(ofID: finding.kind.id), text, bytes: finding.bytes, blocks: finding.count,
      thread: finding.culprit?.context?.thread)
    for (index, stack) in stacks(of: finding).enumerated() {
      // The first one's words are the error's.
      if index > 0 { xml += "  \(Self.element("auxwhat", stack.label))\n" }
      xml += Self.stack(stack.frames)
    }
    return xml + Self.suppression(finding)
  }

  /// Returns the stacks: in front the one to change, from the blamed frame outward, because readers
  ///  take the first frame with a line for the place of the error.
  private func stacks(of finding: Finding) -> [(label: String, frames: [Frame])] {
    var stacks = finding.labelledStacks
      .map { (label: $0.label, frames: $0.trace.framesFromMain) }.filter { !$0.frames.isEmpty }
    let culprit = finding.culprit?.framesFromMain ?? []
    if let blamed = finding.blamed,
      let frames = stacks.lazy.map(\.frames).last(where: { $0.contains(blamed) }),
      let index = frames.lastIndex(of: blamed)
    {
      if index > 0 || frames != stacks.first?.frames {
        stacks.insert((label: "", frames: Array(frames[index...])), at: 0)
      }
    } else if let index = stacks.firstIndex(where: { $0.frames == culprit }) {
      stacks.insert(stacks.remove(at: index), at: 0)
    }
    return stacks
  }

  /// Returns thread, kind and sentence; leaks have their sizes.
  private static func what(
    _ kind: String, _ text: String, bytes: Int, blocks: Int, thread: Int? = nil
  ) -> String {
    let sentence =
      kind.hasPrefix("Leak")
      ? """
        <xwhat>
          \(element("text", text))
          <leakedbytes>\(bytes)</leakedbytes>
          <leakedblocks>\(blocks)</leakedblocks>
        </xwhat>
      """ : "  \(element("what", text))"
    return "  <tid>\(thread ?? 1)</tid>\n  <kind>\(kind)</kind>\n\(sentence)\n"
  }

  private static func stack(_ frames: [Frame]) -> String {
    var xml = "  <stack>\n"
    for frame in frames {
      xml += "    <frame>\n      <ip>0x\(String(frame.offset, radix: 16, uppercase: true))</ip>\n"
      if !frame.module.isEmpty { xml += "      \(element("obj", frame.module))\n" }
      if let function = frame.function ?? (frame.module.isEmpty ? frame.name : nil) {
        xml += "      \(element("fn", function))\n"
      }
      if let file = frame.file {
        let name = Frame.lastComponent(of: file)
        let folder = file.utf8.count > name.utf8.count ? file.dropLast(name.count + 1) : ""
        if !folder.isEmpty { xml += "      \(element("dir", String(folder)))\n" }
        xml += "      \(element("file", String(name)))\n"
        if let line = frame.line { xml += "      <line>\(line)</line>\n" }
      }
      xml += "    </frame>\n"
    }
    return xml + "  </stack>\n"
  }

  /// Returns the rule that would silence the finding, for bstrtrace: as text, which readers show to
  /// be copied.
  private static func suppression(_ finding: Finding) -> String {
    """
      <suppression>
        <sname>bstrtrace</sname>
        <skind>bstrtrace:\(finding.kind.id)</skind>
        <sframe> \(element("fun", finding.culprit?.frames.first?.suppressionPattern ?? "*")) </sframe>
        \(element("rawtext", finding.suppression))
      </suppression>

    """
  }

  private static func element(_ name: String, _ text: String) -> String {
    "<\(name)>\(Markup.escaped(text))</\(name)>"
  }
}
