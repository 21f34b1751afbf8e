// The map of the page: who produced, owned and freed the strings, as a picture.

/// A flow diagram of ownership maps: producers on the left, owners in the middle, and on the right
/// the functions that freed the strings.
struct HTMLFlow {
  /// The count of strings of each way, by the names of its three ends.
  private var ways: [Way: Int] = [:]
  private let modules: [OwnershipMap.Flow]

  private struct Way: Hashable {
    var ends: [String]
  }

  /// The columns, from left to right.
  private static let heads = ["produced by", "owned by", "freed by"]
  /// The limit of names in a column; the others are one.
  private static let maxNames = 14
  private static let never = "never freed"
  private static let uncertain = "owner uncertain"
  private static let others = "others"

  /// Sums the maps of processes up.
  init(_ maps: [OwnershipMap]) {
    modules = maps.flatMap(\.modules)
    for flow in maps.flatMap(\.functions) {
      let way = Way(ends: [
        Self.name(flow.producer), flow.owner.map(Self.name) ?? Self.uncertain,
        flow.freedBy.map(Self.name) ?? Self.never,
      ])
      ways[way, default: 0] &+= flow.count
    }
    mergeSmall()
  }

  private static func name(_ party: OwnershipMap.Party) -> String {
    party.function ?? party.module
  }

  /// Makes one name of those in a column that have the fewest strings.
  private mutating func mergeSmall() {
    for column in Self.heads.indices {
      // What leaks is what the reader looks for: it stays.
      var weights: [String: (leaks: Int, count: Int)] = [:]
      for (way, count) in ways {
        weights[way.ends[column], default: (0, 0)].count &+= count
        if way.ends[2] == Self.never { weights[way.ends[column]]?.leaks = 1 }
      }
      guard weights.count > Self.maxNames else { continue }
      let kept = Set(
        weights.sorted {
          ($1.value.leaks, $1.value.count, $0.key) < ($0.value.leaks, $0.value.count, $1.key)
        }.prefix(Self.maxNames - 1)
          .map(\.key))
      var merged: [Way: Int] = [:]
      for (way, count) in ways {
        var way = way
        if !kept.contains(way.ends[column]) { way.ends[column] = Self.others }
        merged[way, default: 0] &+= count
      }
      ways = merged
    }
  }

  // MARK: picture

  private static let width = 960.0
  private static let boxWidth = 10.0
  private static let gap = 12.0
  private static let minHeight = 18.0
  /// The left edges of the columns; names are to the right of each.
  private static let edges = [0.0, 370.0, 740.0]

  /// A name in a column.
  private struct Box {
    var name: String
    var count = 0
    var top = 0.0
    var height = 0.0
    /// The heights that are taken by bands on its two sides.
    var left = 0.0
    var right = 0.0
  }

  /// The section with the picture and the modules; empty without strings.
  var section: String {
    if ways.isEmpty { return "" }
    return """
      <section id="map">
      <h2>Who produces, owns and frees</h2>
      <p class="note">Numbers are BSTRs; red ones leaked.</p>
      <div class="scroll">\(picture)</div>
      <h3>Between modules</h3>
      <div class="scroll"><table><thead><tr><th>Produced in</th><th>Freed in</th><th class="n">BSTRs</th>\
      <th class="n">Bytes</th></tr></thead><tbody>
      \(moduleRows)</tbody></table></div>
      </section>

      """
  }

  private var moduleRows: String {
    var sums: [[String]: AllocationProfile.Amount] = [:]
    for flow in modules {
      sums[[flow.producer.module, flow.freedBy?.module ?? Self.never], default: .init()] +=
        .init(count: flow.count, bytes: flow.bytes)
    }
    return sums.sorted {
      ($1.value.count, $0.key[0], $0.key[1]) < ($0.value.count, $1.key[0], $1.key[1])
    }
    .map { key, sum in
      """
      <tr><td class="name">\(Markup.escaped(key[0]))</td>\
      <td class="name\(key[1] == Self.never ? " never" : "")">\(Markup.escaped(key[1]))</td>\
      <td class="n">\(sum.count)</td><td class="n">\(sum.bytes)</td></tr>

      """
    }.joined()
  }

  private var picture: String {
    // What is never freed comes first, at the top of each column.
    let sorted = ways.sorted { first, second in
      let leaks = (first.key.ends[2] == Self.never, second.key.ends[2] == Self.never)
      if leaks.0 != leaks.1 { return leaks.0 }
      if first.value != second.value { return first.value > second.value }
      return first.key.ends.lexicographicallyPrecedes(second.key.ends)
    }
    var columns = Self.heads.indices.map { column in
      var boxes: [Box] = []
      for (way, count) in sorted {
        if let index = boxes.firstIndex(where: { $0.name == way.ends[column] }) {
          boxes[index].count &+= count
        } else {
          boxes.append(Box(name: way.ends[column], count: count))
        }
      }
      return boxes
    }
    let total = sorted.reduce(0) { $0 &+ $1.value }
    let rows = columns.map(\.count).max() ?? 1
    let space = max(120, Double(rows) * 26)
    var bottom = 0.0
    for column in columns.indices {
      var top = 28.0
      for index in columns[column].indices {
        let share = Self.share(columns[column][index].count, of: total)
        columns[column][index].top = top
        columns[column][index].height = max(Self.minHeight, share * space)
        top += columns[column][index].height + Self.gap
      }
      bottom = max(bottom, top)
    }
    var bands = ""
    for (way, count) in sorted {
      for column in 0..<Self.heads.count - 1 {
        bands += band(way, count, from: column, &columns)
      }
    }
    var svg = """
      <svg viewBox="0 0 \(Int(Self.width)) \(Int(bottom))" role="img" \
      aria-label="Flow of BSTRs from the functions that produced them over their owners to the functions that freed them">

      """
    svg += bands
    for (column, boxes) in columns.enumerated() {
      let x = Self.edges[column]
      svg += "<text class=\"head\" x=\"\(x)\" y=\"14\">\(Self.heads[column])</text>\n"
      for box in boxes {
        let isNever = column == 2 && box.name == Self.never
        svg += """
          <rect class="\(isNever ? "never" : "box")" x="\(x)" y="\(Self.number(box.top))" width="\(Self.boxWidth)" \
          height="\(Self.number(box.height))" rx="2"/>
          <text x="\(x + Self.boxWidth + 6)" y="\(Self.number(box.top + box.height / 2 + 4))"\
          \(isNever ? " class=\"never\"" : "")>\(Markup.escaped(Self.shortened(box.name))) \
          <tspan class="c">\(box.count)</tspan><title>\(Markup.escaped(box.name)): \(Self.strings(box.count))</title></text>

          """
      }
    }
    return svg + "</svg>"
  }

  private func band(
    _ way: Way, _ count: Int, from column: Int, _ columns: inout [[Box]]
  ) -> String {
    guard let from = columns[column].firstIndex(where: { $0.name == way.ends[column] }),
      let to = columns[column + 1].firstIndex(where: { $0.name == way.ends[column + 1] })
    else { return "" }
    let (source, target) = (columns[column][from], columns[column + 1][to])
    let left = source.height * Self.share(count, of: source.count)
    let right = target.height * Self.share(count, of: target.count)
    let (y1, y2) = (source.top + source.right, target.top + target.left)
    columns[column][from].right += left
    columns[column + 1][to].left += right
    let (x1, x2) = (Self.edges[column] + Self.boxWidth, Self.edges[column + 1])
    let middle = (x1 + x2) / 2
    let name = way.ends.joined(separator: " → ")
    let n = Self.number
    return """
      <path class="\(way.ends[2] == Self.never ? "lost" : "way")" d="M\(n(x1)) \(n(y1))C\(n(middle)) \(n(y1)) \
      \(n(middle)) \(n(y2)) \(n(x2)) \(n(y2))V\(n(y2 + right))C\(n(middle)) \(n(y2 + right)) \(n(middle)) \(n(y1 + left)) \
      \(n(x1)) \(n(y1 + left))Z"><title>\(Markup.escaped(name)): \(Self.strings(count))</title></path>

      """
  }

  /// Returns the part of a whole, from 0 to 1; counts of damaged stores may have any value.
  private static func share(_ part: Int, of whole: Int) -> Double {
    min(1, max(0, Double(part) / Double(max(1, whole))))
  }

  /// Returns a number with one digit behind the point: the same text on every machine.
  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
  }

  private static func strings(_ count: Int) -> String { TextRenderer.count(count, "BSTR") }

  /// Returns a function's name without its parameters, in so many characters as there is room for.
  private static func shortened(_ name: String) -> String {
    let plain = Frame(function: name, module: "", offset: 0).plainName ?? name
    return plain.count <= 24 ? plain : "\(plain.prefix(23))…"
  }
}
