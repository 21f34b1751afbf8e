// A profile in pprof's format: the numbers of its fields are those of profile.proto, which pprof
// documents. Strings, functions, locations and modules are each written once.

/// A profile that grows sample by sample.
struct PprofProfile {
  private var profile = ProtobufMessage()
  private var texts: [String] = []
  private var indexOfText: [String: Int] = [:]
  private var idOfModule: [String: Int] = [:]
  private var idOfFunction: [Function: Int] = [:]
  private var idOfLocation: [[Frame]: Int] = [:]

  private struct Function: Hashable {
    var name: String
    var file: String
  }

  /// A quantity of samples.
  struct SampleType {
    /// Its name: `inuse_space`.
    var name: String
    /// Its unit: `bytes`, or `count`.
    var unit: String
  }

  /// Something that is known of a sample: its key, with a text or a number.
  struct Label {
    var key: String
    var text: String?
    var number = 0
  }

  /// Begins a profile.
  ///
  /// - Parameter types: the quantities of each sample; the last one is what readers show first.
  init(_ types: [SampleType]) {
    // Field 6, string_table, begins with "".
    _ = index(of: "")
    for type in types { profile.add(1, message(of: type)) }
    if let last = types.last {
      profile.add(11, message(of: last))
      profile.add(12, 1)
      profile.add(14, index(of: last.name))
    }
  }

  private mutating func message(of type: SampleType) -> ProtobufMessage {
    var message = ProtobufMessage()
    message.add(1, index(of: type.name))
    message.add(2, index(of: type.unit))
    return message
  }

  /// Adds a sample.
  ///
  /// - Parameters:
  ///   - frames: its stack, innermost first.
  ///   - values: one for each quantity.
  mutating func add(_ frames: [Frame], _ values: [Int], _ labels: [Label] = []) {
    var sample = ProtobufMessage()
    var locations: [Int] = []
    var inlined: [Frame] = []
    for (index, frame) in frames.enumerated() {
      // Inlined functions are lines of the location of the function that has them.
      inlined.append(frame)
      if frame.inlined, index < frames.count - 1 { continue }
      locations.append(location(of: inlined))
      inlined = []
    }
    sample.add(1, locations)
    sample.add(2, values)
    for label in labels {
      var message = ProtobufMessage()
      message.add(1, index(of: label.key))
      message.add(2, label.text.map { index(of: $0) } ?? 0)
      message.add(3, label.number)
      sample.add(3, message)
    }
    profile.add(2, sample)
  }

  /// Returns the whole profile.
  func finished(comment: String) -> [UInt8] {
    var finished = self
    finished.profile.add(13, [finished.index(of: comment)])
    for text in finished.texts { finished.profile.add(6, text) }
    return finished.profile.bytes
  }

  // MARK: tables

  private mutating func index(of text: String) -> Int {
    if let known = indexOfText[text] { return known }
    indexOfText[text] = texts.count
    texts.append(text)
    return texts.count - 1
  }

  /// Returns the id of a location: a function with those that are inlined at it, innermost first.
  private mutating func location(of frames: [Frame]) -> Int {
    if let known = idOfLocation[frames] { return known }
    let id = idOfLocation.count + 1
    idOfLocation[frames] = id
    var location = ProtobufMessage()
    location.add(1, id)
    if let frame = frames.last, !frame.module.isEmpty {
      let module = module(of: frame)
      location.add(2, module)
      // Offsets of damaged stores may be any.
      let offset = Int(frame.offset & UInt64(Self.moduleSize - 1))
      // The return address is one instruction behind the call.
      location.add(3, Self.start(ofModule: module) + max(0, offset - 1))
    }
    for frame in frames {
      var line = ProtobufMessage()
      line.add(1, function(of: frame))
      line.add(2, frame.line ?? 0)
      line.add(3, frame.column ?? 0)
      location.add(4, line)
    }
    profile.add(4, location)
    return id
  }

  private mutating func function(of frame: Frame) -> Int {
    let key = Function(name: frame.name, file: frame.file ?? "")
    if let known = idOfFunction[key] { return known }
    let id = idOfFunction.count + 1
    idOfFunction[key] = id
    var function = ProtobufMessage()
    function.add(1, id)
    function.add(2, index(of: Printable.escaped(key.name)))
    function.add(3, index(of: Printable.escaped(key.name)))
    function.add(4, index(of: key.file))
    profile.add(5, function)
    return id
  }

  /// Bytes of address space for each module: addresses count from a module's file, and must differ.
  private static let moduleSize = 1 << 40

  private static func start(ofModule id: Int) -> Int { id * moduleSize }

  private mutating func module(of frame: Frame) -> Int {
    let key = "\(frame.module)\n\(frame.buildID ?? "")"
    if let known = idOfModule[key] { return known }
    let id = idOfModule.count + 1
    idOfModule[key] = id
    var mapping = ProtobufMessage()
    mapping.add(1, id)
    mapping.add(2, Self.start(ofModule: id))
    mapping.add(3, Self.start(ofModule: id + 1))
    mapping.add(5, index(of: frame.module))
    mapping.add(6, index(of: frame.buildID ?? ""))
    // Functions, files, lines and inlined functions are named: no reader needs the modules.
    for field in 7...10 { mapping.add(field, 1) }
    profile.add(3, mapping)
    return id
  }
}
