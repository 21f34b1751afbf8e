// The fuzz target for stores: any bytes, through all that makes a report of them. Docs/Security.md
// has the commands.

import BSTRReporter
import TraceOptions
import TraceStore

/// Drives the reporter with the bytes of a store that may be damaged.
public enum StoreFuzzing {
  /// Makes every kind of report over the store that the bytes may be.
  ///
  /// Traps where the reporter does, and where what it renders is not whole.
  ///
  /// - Returns: whether the bytes could be read as a store.
  @discardableResult
  public static func report(on bytes: UnsafeRawBufferPointer) -> Bool {
    guard let image = try? StoreImage(bytes: bytes) else { return false }
    var names = OffsetSymbolicator()
    let reporter = Reporter(hasMap: true, hasProfile: true)
    // Twice, as two processes are: what is summed up over processes must not trap either.
    let report = reporter.report(on: [image, image], symbolicator: &names)
    let format = format(for: bytes)
    check(report, in: format)
    for scope in image.scopes.indices.prefix(2) {
      let first = max(1, image.header.firstScope)
      let id = ScopeID(rawValue: first &+ UInt32(scope))
      check(reporter.report(on: [image], symbolicator: &names, scope: id), in: format)
    }
    let serials = Set(
      image.events.prefix(2).map(\.serial) + image.histories.prefix(2).map(\.serial))
    for serial in serials {
      _ = reporter.history(ofSerial: serial, in: [StoreReference(image)], symbolicator: &names)
    }
    checkPacked(image)
    return true
  }

  /// Returns one format: another for other bytes, the same one each time.
  private static func format(for bytes: UnsafeRawBufferPointer) -> ReportFormat {
    let sum = stride(from: 0, to: bytes.count - 7, by: 8).reduce(UInt64(bytes.count)) {
      $0 &* 31 &+ bytes.loadUnaligned(fromByteOffset: $1, as: UInt64.self)
    }
    return ReportFormat.allCases[Int(sum >> 32) % ReportFormat.allCases.count]
  }

  private static func check(_ report: Report, in format: ReportFormat) {
    precondition(!format.renderer().bytes(of: report).isEmpty)
    let sums = FindingSums(of: report)
    guard let diff = FindingDiff(from: sums, to: sums) else {
      preconditionFailure("a run has no key in common with itself")
    }
    precondition(!diff.isWorse && JSONRenderer().render(diff).hasSuffix("}\n"))
    let baseline = Baseline(of: report)
    var known = report
    baseline.apply(to: &known)
    precondition(known.findings.isEmpty)
  }

  /// What is kept of a store reads as the store did.
  private static func checkPacked(_ image: StoreImage) {
    let packed = image.packed()
    guard let again = try? packed.withUnsafeBytes({ try StoreImage(bytes: $0) }) else {
      preconditionFailure("a packed store cannot be read")
    }
    precondition(again.damage.isEmpty)
    precondition(again.packed() == packed)
  }
}

/// Names places by their offsets: the same names on every machine, of all the kinds that the
/// reporter looks at, without a file being read.
struct OffsetSymbolicator: Symbolicator {
  private static let names = [
    "main", "Window::title(char16_t**)", "Window::~Window()", "operator delete(void*)",
    "take(BSTR)", "std::vector<char16_t*>::clear()", "closure #1 in main", "bstrtrace_lend",
    "_start", "VariantClear", "release_all()", "Window::Window()",
    "get_Both(char16_t**, char16_t**)", "(anonymous namespace)::f(int)",
  ]

  mutating func symbols(for places: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
    var found: [CodeLocation: [Symbol]] = [:]
    for place in places {
      let count = UInt64(Self.names.count)
      let index = Int(place.offset % (count + 2))
      guard index < Self.names.count else { continue }
      let line = Int(place.offset / count % 100)
      found[place] = [
        Symbol(name: Self.names[index], file: "/src/\(index % 3).cpp", line: line == 0 ? nil : line)
      ]
      if place.offset % 5 == 0 {
        found[place]?.insert(
          Symbol(name: Self.names[Int(place.offset / 5 % count)], inlined: true), at: 0)
      }
    }
    return found
  }

  mutating func dataSymbol(at location: CodeLocation) -> DataSymbol? {
    switch location.offset % 4 {
    case 0: nil
    case 1: DataSymbol(name: nil, offset: 0, isReadOnly: true)
    case 2: DataSymbol(name: "greeting", offset: Int(location.offset % 16), isReadOnly: false)
    default: DataSymbol(name: "greeting_literal", offset: 8, isReadOnly: true)
    }
  }
}

/// The entry of StoreFuzz.
@_cdecl("bstrtrace_fuzz_store")
public func fuzzStore(_ bytes: UnsafePointer<UInt8>?, _ count: Int) {
  StoreFuzzing.report(on: UnsafeRawBufferPointer(start: bytes, count: count))
}
