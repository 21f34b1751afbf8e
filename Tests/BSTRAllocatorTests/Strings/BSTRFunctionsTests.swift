import Glibc
import Testing

@testable import BSTRAllocator

/// Every function over all four layouts, without a tracker: what comes back, byte for byte.
@Suite struct BSTRFunctionsTests {
  /// The functions of one layout.
  ///
  /// Sendable, because nobody else has its tracker: it has none.
  struct Subject: CustomTestStringConvertible, @unchecked Sendable {
    let functions: BSTRFunctions
    var stringLayout: StringLayout { functions.stringLayout }
    var width: Int { stringLayout.olecharBytes }

    init(_ stringLayout: StringLayout) {
      functions = BSTRFunctions(layout: stringLayout.stored, tracker: nil)
    }

    var testDescription: String { "\(stringLayout.olecharBytes)/\(stringLayout.payloadOffset)" }

    /// Characters in this width, with a zero behind them.
    func characters(_ codes: [UInt32]) -> [UInt8] {
      (codes + [0]).flatMap { code in (0..<width).map { UInt8(code >> (8 * UInt32($0)) & 0xFF) } }
    }

    func text(_ string: String) -> [UInt8] { characters(string.unicodeScalars.map(\.value)) }

    /// Checks prefix, payload and terminator.
    func expect(
      _ bstr: UnsafeMutableRawPointer?, holds payload: [UInt8],
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      guard let bstr else {
        Issue.record("NULL where a BSTR was expected", sourceLocation: sourceLocation)
        return
      }
      let prefix = (bstr - 4).loadUnaligned(as: UInt32.self)
      #expect(prefix == UInt32(payload.count), sourceLocation: sourceLocation)
      let found = Array(UnsafeRawBufferPointer(start: bstr, count: payload.count))
      #expect(found == payload, sourceLocation: sourceLocation)
      // A whole zero character behind the last, even behind half of one.
      let end = (payload.count + width - 1) / width * width + width
      for index in payload.count..<end {
        #expect(
          bstr.load(fromByteOffset: index, as: UInt8.self) == 0, sourceLocation: sourceLocation)
      }
      #expect(
        UInt(bitPattern: bstr - stringLayout.payloadOffset) % 16 == 0,
        sourceLocation: sourceLocation)
    }
  }

  static let subjects = StringLayout.all.map(Subject.init)

  // MARK: SysAllocString

  @Test(arguments: subjects) func allocString(_ subject: Subject) {
    #expect(subject.functions.allocate(zeroTerminated: nil, caller: CallSite(0, 0)) == nil)
    for text in ["", "a", "Status Text", String(repeating: "x", count: 5000)] {
      let bstr = subject.functions.allocate(
        zeroTerminated: subject.text(text), caller: CallSite(0, 0))
      subject.expect(bstr, holds: Array(subject.text(text).dropLast(subject.width)))
      subject.functions.free(bstr, caller: CallSite(0, 0))
    }
    // Up to the first zero, not beyond.
    let bstr = subject.functions.allocate(
      zeroTerminated: subject.characters([0x61, 0, 0x62]), caller: CallSite(0, 0))
    subject.expect(bstr, holds: Array(subject.text("a").dropLast(subject.width)))
    subject.functions.free(bstr, caller: CallSite(0, 0))
  }

  // MARK: SysAllocStringLen

  @Test(arguments: subjects) func allocStringLen(_ subject: Subject) {
    let functions = subject.functions
    let embedded = Array(subject.characters([0x61, 0, 0x62]).dropLast(subject.width))
    let cases: [(source: [UInt8]?, count: Int, payload: [UInt8])] = [
      (nil, 0, []),
      (nil, 3, [UInt8](repeating: 0, count: 3 * subject.width)),
      ([], 0, []),
      (embedded, 3, embedded),
      (embedded, 2, Array(embedded.prefix(2 * subject.width))),
    ]
    for (source, count, payload) in cases {
      let bstr =
        source.map { functions.allocate(characters: count, from: $0, caller: CallSite(0, 0)) }
        ?? functions.allocate(characters: count, from: nil, caller: CallSite(0, 0))
      subject.expect(bstr, holds: payload)
      #expect(functions.characterCount(ofString: bstr) == count)
      functions.free(bstr, caller: CallSite(0, 0))
    }
  }

  @Test(arguments: subjects) func allocStringLenOverflow(_ subject: Subject) {
    let limit = subject.width == 2 ? 0x7FFF_FFFC : 0x3FFF_FFFD
    for count in [limit, limit + 1, 0xFFFF_FFFF] {
      #expect(
        subject.functions.allocate(characters: count, from: nil, caller: CallSite(0, 0)) == nil)
    }
    // One below the limit is a matter of memory alone, which the kernel hands out untouched.
    if let bstr = subject.functions.allocate(
      characters: limit - 1, from: nil, caller: CallSite(0, 0))
    {
      #expect(subject.functions.characterCount(ofString: bstr) == limit - 1)
      subject.functions.free(bstr, caller: CallSite(0, 0))
    }
  }

  // MARK: SysAllocStringByteLen

  @Test(arguments: subjects) func allocStringByteLen(_ subject: Subject) {
    let functions = subject.functions
    let bytes: [UInt8] = [1, 2, 3, 0, 5, 6, 7]
    for count in 0...7 {
      let bstr = functions.allocate(bytes: count, from: bytes, caller: CallSite(0, 0))
      subject.expect(bstr, holds: Array(bytes.prefix(count)))
      #expect(BSTRFunctions.byteLength(of: bstr) == count)
      #expect(functions.characterCount(ofString: bstr) == count / subject.width)
      functions.free(bstr, caller: CallSite(0, 0))
    }
    let zeros = functions.allocate(bytes: 5, from: nil, caller: CallSite(0, 0))
    subject.expect(zeros, holds: [0, 0, 0, 0, 0])
    functions.free(zeros, caller: CallSite(0, 0))
    for count in [0xFFFF_FFF9, 0xFFFF_FFFF] {
      #expect(functions.allocate(bytes: count, from: nil, caller: CallSite(0, 0)) == nil)
    }
  }

  // MARK: SysFreeString, lengths

  @Test(arguments: subjects) func nullIsEmptyAndFreeingItDoesNothing(_ subject: Subject) {
    subject.functions.free(nil, caller: CallSite(0, 0))
    #expect(BSTRFunctions.byteLength(of: nil) == 0)
    #expect(subject.functions.characterCount(ofString: nil) == 0)
  }

  @Test(arguments: subjects) func lengthsArePureReadsOfThePrefix(_ subject: Subject) {
    // No block of ours: a string that the compiler built.
    var memory: [UInt32] = [7, 0x0062_0061, 0x63, 0]
    memory.withUnsafeMutableBytes { bytes in
      #expect(BSTRFunctions.byteLength(of: bytes.baseAddress! + 4) == 7)
      #expect(
        subject.functions.characterCount(ofString: bytes.baseAddress! + 4) == 7 / subject.width)
    }
  }

  // MARK: SysReAllocString

  @Test(arguments: subjects) func reAllocString(_ subject: Subject) {
    let functions = subject.functions
    var place = functions.allocate(zeroTerminated: subject.text("old"), caller: CallSite(0, 0))
    #expect(
      functions.reallocate(&place, zeroTerminated: subject.text("newer"), caller: CallSite(0, 0)))
    subject.expect(place, holds: Array(subject.text("newer").dropLast(subject.width)))
    // From inside the old string.
    let inside = UnsafeRawPointer(place! + subject.width)
    #expect(functions.reallocate(&place, zeroTerminated: inside, caller: CallSite(0, 0)))
    subject.expect(place, holds: Array(subject.text("ewer").dropLast(subject.width)))
    // Out of memory: the old string stays.
    #expect(functions.reallocate(&place, zeroTerminated: nil, caller: CallSite(0, 0)))
    #expect(place == nil)
    // From NULL.
    #expect(functions.reallocate(&place, zeroTerminated: subject.text(""), caller: CallSite(0, 0)))
    subject.expect(place, holds: [])
    functions.free(place, caller: CallSite(0, 0))
  }

  // MARK: SysReAllocStringLen

  @Test(arguments: subjects) func reAllocStringLen(_ subject: Subject) {
    let functions = subject.functions
    let width = subject.width
    var place: UnsafeMutableRawPointer?
    // NULL acts as SysAllocStringLen.
    #expect(
      functions.reallocate(&place, characters: 3, from: subject.text("abc"), caller: CallSite(0, 0))
    )
    subject.expect(place, holds: Array(subject.text("abc").dropLast(width)))
    // Shrinking keeps the pointer, with and without a source.
    let first = place
    #expect(functions.reallocate(&place, characters: 2, from: nil, caller: CallSite(0, 0)))
    #expect(place == first)
    subject.expect(place, holds: Array(subject.text("ab").dropLast(width)))
    #expect(
      functions.reallocate(&place, characters: 1, from: subject.text("z"), caller: CallSite(0, 0)))
    #expect(place == first)
    subject.expect(place, holds: Array(subject.text("z").dropLast(width)))
    // Growing keeps the old characters; the new ones are zero.
    #expect(functions.reallocate(&place, characters: 3, from: nil, caller: CallSite(0, 0)))
    subject.expect(place, holds: Array(subject.characters([0x7A, 0, 0]).dropLast(width)))
    functions.free(place, caller: CallSite(0, 0))
  }

  @Test(arguments: subjects) func reAllocStringLenFromItself(_ subject: Subject) {
    let functions = subject.functions
    let width = subject.width
    var place = functions.allocate(zeroTerminated: subject.text("abcd"), caller: CallSite(0, 0))
    // Growing from itself: no byte behind the old end is read, the rest is zero.
    var source = UnsafeRawPointer(place)
    #expect(functions.reallocate(&place, characters: 2000, from: source, caller: CallSite(0, 0)))
    let grown = Array(subject.text("abcd").dropLast(width))
    subject.expect(place, holds: grown + [UInt8](repeating: 0, count: 1996 * width))
    // Shrinking from itself.
    source = UnsafeRawPointer(place)
    #expect(functions.reallocate(&place, characters: 3, from: source, caller: CallSite(0, 0)))
    #expect(UnsafeRawPointer(place) == source)
    subject.expect(place, holds: Array(subject.text("abc").dropLast(width)))
    // Shrinking from inside.
    source = UnsafeRawPointer(place! + width)
    #expect(functions.reallocate(&place, characters: 2, from: source, caller: CallSite(0, 0)))
    subject.expect(place, holds: Array(subject.text("bc").dropLast(width)))
    // Growing from inside.
    source = UnsafeRawPointer(place! + width)
    #expect(functions.reallocate(&place, characters: 4, from: source, caller: CallSite(0, 0)))
    subject.expect(place, holds: Array(subject.characters([0x63, 0, 0, 0]).dropLast(width)))
    functions.free(place, caller: CallSite(0, 0))
  }

  @Test(arguments: subjects) func reAllocStringLenKeepsTheOldStringOnFailure(_ subject: Subject) {
    var place = subject.functions.allocate(
      zeroTerminated: subject.text("abc"), caller: CallSite(0, 0))
    let old = place
    let limit = subject.width == 2 ? 0x7FFF_FFFC : 0x3FFF_FFFD
    #expect(
      !subject.functions.reallocate(&place, characters: limit, from: nil, caller: CallSite(0, 0)))
    #expect(place == old)
    subject.expect(place, holds: Array(subject.text("abc").dropLast(subject.width)))
    subject.functions.free(place, caller: CallSite(0, 0))
  }

  // MARK: VarBstrCat, VarBstrCmp

  @Test(arguments: subjects) func concatenation(_ subject: Subject) {
    let functions = subject.functions
    let odd = functions.allocate(bytes: 3, from: [1, 2, 3] as [UInt8], caller: CallSite(0, 0))
    let even = functions.allocate(bytes: 2, from: [4, 5] as [UInt8], caller: CallSite(0, 0))
    let cases: [(UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, [UInt8])] = [
      (nil, nil, []), (odd, nil, [1, 2, 3]), (nil, even, [4, 5]), (odd, even, [1, 2, 3, 4, 5]),
    ]
    for (left, right, sum) in cases {
      let result = functions.concatenate(left, right, caller: CallSite(0, 0))
      subject.expect(result, holds: sum)
      functions.free(result, caller: CallSite(0, 0))
    }
    functions.free(odd, caller: CallSite(0, 0))
    functions.free(even, caller: CallSite(0, 0))
  }

  @Test(arguments: subjects) func comparison(_ subject: Subject) {
    let functions = subject.functions
    func bstr(_ text: String?) -> UnsafeMutableRawPointer? {
      text.map { functions.allocate(zeroTerminated: subject.text($0), caller: CallSite(0, 0)) }
        ?? nil
    }
    let cases: [(String?, String?, Int)] = [
      (nil, nil, 0), (nil, "", 0), ("", nil, 0), (nil, "a", -1), ("a", nil, 1), ("a", "a", 0),
      ("a", "b", -1), ("b", "a", 1), ("a", "ab", -1), ("ab", "a", 1),
    ]
    for (left, right, order) in cases {
      let (first, second) = (bstr(left), bstr(right))
      #expect(BSTRFunctions.compare(first, second).signum() == order)
      functions.free(first, caller: CallSite(0, 0))
      functions.free(second, caller: CallSite(0, 0))
    }
  }

  // MARK: memory exhaustion

  /// In a process of its own, whose address space is limited: strings of half a gigabyte do not
  /// fit.
  @Test func whatDoesNotFitIsRefusedAndNothingIsLost() async {
    await #expect(processExitsWith: .success) {
      var limit = rlimit(rlim_cur: 1 << 30, rlim_max: 1 << 30)
      precondition(setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
      let nowhere = CallSite(0, 0)
      for layout in StringLayout.all {
        let functions = BSTRFunctions(layout: layout.stored, tracker: nil)
        let large = (1 << 30) / layout.olecharBytes
        precondition(functions.allocate(characters: large, from: nil, caller: nowhere) == nil)
        precondition(functions.allocate(bytes: 1 << 30, from: nil, caller: nowhere) == nil)
        var variable: UnsafeMutableRawPointer?
        precondition(
          !functions.reallocate(&variable, characters: large, from: nil, caller: nowhere)
            && variable == nil)
        variable = functions.allocate(bytes: 8, from: "12345678", caller: nowhere)
        let old = variable
        precondition(
          !functions.reallocate(&variable, characters: large, from: nil, caller: nowhere)
            && variable == old)
        precondition(BSTRFunctions.byteLength(of: variable) == 8)
      }
    }
  }
}
