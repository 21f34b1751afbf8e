// Locations and stacks in SARIF files. Rendered once for each frame: a million frames are a few
// thousand different ones.

/// Renders frames, and remembers them.
struct SARIFLocations {
  /// The folder that files are named relative to, without a slash at its end; `nil` for none.
  private let root: String?
  private var physical: [Frame: JSONValue] = [:]
  private var stackFrames: [Frame: JSONValue] = [:]

  /// The name of the folder in `originalUriBaseIds`.
  private static let rootName = "SRCROOT"
  /// The maximum of frames of one stack, and of steps of one flow: GitHub takes no more.
  static let maxLocations = 1000

  /// Creates a renderer.
  ///
  /// - Parameter sourceRoot: the folder that files below it are named relative to.
  init(sourceRoot: String?) {
    root = sourceRoot.map { SourceRoot.normalized($0) }
  }

  /// The folders that locations are relative to; `nil` without one.
  var baseIDs: JSONValue? {
    root.map { [Self.rootName: ["uri": .string(Self.uri(of: $0) + "/")]] }
  }

  /// Returns where a frame is: in a file where that is known, or else in a module, with line 1.
  mutating func location(
    of frame: Frame, id: Int? = nil, message: String? = nil
  ) -> JSONValue {
    [
      "id": id.map { .number($0) },
      "physicalLocation": physicalLocation(of: frame),
      "logicalLocations": Self.logicalLocations(of: frame),
      "message": message.map { ["text": .string(SARIFText.withoutLinks($0))] },
    ]
  }

  /// Returns where the file of a program is, when no frame is known.
  func location(ofFile path: String) -> JSONValue {
    [
      "physicalLocation": [
        "artifactLocation": artifact(path), "region": Self.region(line: 1, column: nil),
      ]
    ]
  }

  /// Returns where a variable is, whose line is not known; without a name, the file.
  func location(
    ofVariable name: String?, inFile path: String, id: Int, message: String
  ) -> JSONValue {
    [
      "id": .number(id),
      "physicalLocation": [
        "artifactLocation": artifact(path), "region": Self.region(line: 1, column: nil),
      ],
      "logicalLocations": name.map { [["fullyQualifiedName": .string($0), "kind": "variable"]] },
      "message": ["text": .string(SARIFText.withoutLinks(message))],
    ]
  }

  /// Returns a stack, innermost first, rendered.
  mutating func stack(_ frames: [Frame], message: String) -> JSONValue {
    var rendered: [JSONValue] = []
    for frame in frames.prefix(Self.maxLocations) { rendered.append(stackFrame(frame)) }
    let stack: JSONValue = [
      "message": ["text": .string(SARIFText.withoutLinks(message))], "frames": .array(rendered),
    ]
    return .text(stack.bytes)
  }

  private mutating func physicalLocation(of frame: Frame) -> JSONValue? {
    if let known = physical[frame] { return known }
    guard let path = frame.line == nil ? frame.module : frame.file, !path.isEmpty else {
      return nil
    }
    let location: JSONValue = [
      "artifactLocation": artifact(path),
      "region": Self.region(line: frame.line ?? 1, column: frame.line == nil ? nil : frame.column),
    ]
    let text = JSONValue.text(location.bytes)
    physical[frame] = text
    return text
  }

  private mutating func stackFrame(_ frame: Frame) -> JSONValue {
    if let known = stackFrames[frame] { return known }
    // Short: most of a file is stacks.
    let line = frame.line.flatMap { line in
      frame.file.map { file -> JSONValue in
        [
          "artifactLocation": artifact(file),
          "region": [
            "startLine": .number(max(1, line)),
            "startColumn": frame.column.map { .number(max(1, $0)) },
          ],
        ]
      }
    }
    let rendered: JSONValue = [
      "module": frame.module.isEmpty ? nil : .string(frame.moduleName),
      "location": [
        "physicalLocation": line,
        "message": ["text": .string(SARIFText.withoutLinks(frame.name))],
      ],
    ]
    let text = JSONValue.text(rendered.bytes)
    stackFrames[frame] = text
    return text
  }

  private static func logicalLocations(of frame: Frame) -> JSONValue? {
    frame.function.map { [["fullyQualifiedName": .string($0), "kind": "function"]] }
  }

  /// Returns one character of a line: GitHub asks for all four numbers.
  private static func region(line: Int, column: Int?) -> JSONValue {
    // A symbolizer says 0 where it does not know, and a JSON report to compare may say anything.
    let (line, column) = (max(1, line), min(max(1, column ?? 1), .max - 1))
    return [
      "startLine": .number(line), "startColumn": .number(column),
      "endLine": .number(line), "endColumn": .number(column + 1),
    ]
  }

  private func artifact(_ path: String) -> JSONValue {
    if let root, let relative = SourceRoot.relative(path, to: root) {
      return [
        "uri": .string(Self.encoded(relative)), "uriBaseId": .string(Self.rootName),
      ]
    }
    return ["uri": .string(Self.uri(of: path))]
  }

  /// Returns the URI of an absolute path, or the reference that a relative one is (RFC 3986).
  private static func uri(of path: String) -> String {
    (path.hasPrefix("/") ? "file://" : "") + encoded(path)
  }

  private static func encoded(_ path: String) -> String {
    let unreserved = Set("/-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)
    return path.utf8.reduce(into: "") { uri, byte in
      uri +=
        unreserved.contains(byte)
        ? String(Unicode.Scalar(byte)) : "%" + Hexadecimal.text([byte]).uppercased()
    }
  }
}

/// Texts of SARIF messages.
enum SARIFText {
  /// Returns a text in which nothing is a link: `operator[](int)` would be one (clause 3.11.6).
  static func withoutLinks(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "]")) else { return text }
    return text.replacing("](", with: "\\](")
  }
}
