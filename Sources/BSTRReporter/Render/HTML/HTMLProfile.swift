// The data of the flame graph.

/// The profiles of processes, as the page's script reads them.
///
/// Stacks share their outer frames: `nodes` has pairs of parent and frame, each node behind its
/// parent, and -1 for none. `stacks` has eight numbers for each: its node, the steps from there up
/// to the owner or -1, and counts and bytes of what is leaked, live and allocated.
struct HTMLProfile {
  private var names: [String] = []
  private var nodes: [Int] = []
  private var stacks: [Int] = []
  private var knowsFreed = true

  /// Collects the samples of profiles.
  init(_ profiles: [AllocationProfile]) {
    struct Call: Hashable {
      var parent: Int
      var frame: Int
    }
    var nodeOfCall: [Call: Int] = [:]
    var indexOfName: [String: Int] = [:]
    for profile in profiles {
      knowsFreed = knowsFreed && profile.knowsFreed
      for sample in profile.samples {
        var node = -1
        var steps = 0
        var owner = -1
        // From main inward.
        let shown = StackTrace(frames: sample.frames).framesFromMain
        for (index, frame) in shown.enumerated().reversed() {
          // Calls of one function are one box, whatever their lines.
          let name =
            "\(Printable.escaped(frame.name))\n\(Printable.escaped(frame.moduleName))"
          let nameIndex = indexOfName[name] ?? names.count
          if nameIndex == names.count {
            indexOfName[name] = nameIndex
            names.append(name)
          }
          let call = Call(parent: node, frame: nameIndex)
          if let known = nodeOfCall[call] {
            node = known
          } else {
            node = nodes.count / 2
            nodeOfCall[call] = node
            nodes += [call.parent, nameIndex]
          }
          if index == sample.owner { owner = steps }
          steps += 1
        }
        if node < 0 { continue }
        // From the outermost frame to the innermost one: the steps from the owner inward.
        stacks += [node, owner < 0 ? -1 : steps - 1 - owner]
        for amount in [sample.leaked, sample.live, sample.allocated] {
          stacks += [amount.count, amount.bytes]
        }
      }
    }
  }

  /// Whether there is nothing to show.
  var isEmpty: Bool { stacks.isEmpty }

  /// The section of the flame graph, which the script fills.
  var section: String {
    """
    <section id="flame">
    <h2>Flame graph</h2>
    <noscript><p class="note">The flame graph needs scripts.</p></noscript>
    <div id="graph" hidden></div>
    </section>

    """
  }

  /// The data, as JSON that may be inside of a script element.
  var json: String {
    let value: JSONValue = [
      "knowsFreed": .bool(knowsFreed), "names": .array(names.map(JSONValue.string)),
      "nodes": .array(nodes.map(JSONValue.number)), "stacks": .array(stacks.map(JSONValue.number)),
    ]
    // Neither an end of the script element nor a comment; outside of strings there is none. By
    // bytes: with a letter in front that joins it, "<" is part of another character.
    let bytes = value.bytes.flatMap {
      $0 == UInt8(ascii: "<") ? Array("\\u003c".utf8) : [$0]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
