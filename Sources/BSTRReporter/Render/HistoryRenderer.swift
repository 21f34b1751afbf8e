// Everything that a store holds on one string, for people.

public import TraceStore

extension Reporter {
  /// Renders the history of the string with a serial number, in each process that has one.
  ///
  /// - Returns: text that ends with a newline; it says so where nothing is recorded.
  public func history(
    ofSerial serial: UInt64, in stores: [StoreReference], symbolicator: inout some Symbolicator
  ) -> String {
    let renderer = TextRenderer()
    var lines: [TextLine] = []
    var most: UInt64 = 0
    for store in stores {
      // What cannot be read any more has no history.
      guard let image = try? store.image() else { continue }
      most = max(most, image.count(.allocations))
      let evidence = SymbolicatedStore(
        image, with: &symbolicator, redact: redact, wrappers: wrappers, isRunning: false)
      let story = Self.lines(of: serial, evidence, renderer)
      if story.isEmpty { continue }
      if !lines.isEmpty { lines.append("") }
      lines.append("BSTR \(serial) of \(image.executable) (pid \(image.header.pid))")
      lines += story
    }
    if lines.isEmpty {
      if serial == 0 || serial > most {
        return "bstrtrace: there is no BSTR \(serial): they are numbered from 1 to \(most)\n"
      }
      return
        "bstrtrace: nothing is recorded of BSTR \(serial): it was freed, and nothing was wrong "
        + "with it or declared of it\n"
    }
    return renderer.text(of: lines)
  }

  private static func lines(
    of serial: UInt64, _ evidence: SymbolicatedStore, _ renderer: TextRenderer
  ) -> [TextLine] {
    var lines: [TextLine] = []
    evidence.image.forEachLiveBlock { block in
      guard block.serial == serial else { return }
      lines.append("   \(block.byteLength) bytes, never freed")
      lines += renderer.render(
        evidence.trace(block.stack, thread: block.thread, time: block.milliseconds),
        label: "allocated by")
    }
    for event in evidence.history(of: serial) {
      lines += renderer.render(event.trace, label: HistoryWording.words(for: event.action))
      if let note = event.note { lines.append("     \(note)") }
    }
    for event in evidence.events where event.serial == serial {
      guard let kind = FindingKind(event) else { continue }
      let sentence = FaultWording(event, in: evidence).sentence
      // A kind without sentences of its own has its verdict's.
      let message = sentence.isEmpty ? kind.ownership(event, evidence).message : sentence
      lines.append("   \(message ?? "")")
      for (label, trace) in [
        (
          "seen at",
          evidence.trace(event.detected, thread: event.detectedThread, time: event.detectedTime)
        ),
        (
          "first freed by",
          evidence.trace(event.freed, thread: event.freedThread, time: event.freedTime)
        ),
        (
          "allocated by",
          evidence.trace(event.allocated, thread: event.allocatedThread, time: event.allocatedTime)
        ),
      ] { lines += renderer.render(trace, label: label) }
    }
    return lines
  }
}
