// Names code in no module, from the files that run-times write for `perf`; passes everything else
// on.

import Glibc

/// Symbolicates code of just-in-time compilers by `perf-PID.map`, and modules by another
/// symbolicator.
///
/// A map is believed when it is a regular file of the user who makes the report, written after the
/// process began. Docs/Limits.md says what that leaves open.
public struct PerfMapSymbolicator<Base: Symbolicator>: Symbolicator {
  /// The symbolicator of modules.
  public private(set) var base: Base
  private let folders: [String]
  private let owner: uid_t
  private let latest: Int64
  private let clocks: @Sendable () -> MachineClocks
  private var maps: [RecordedProcess: PerfMap?] = [:]

  /// Creates a symbolicator in front of one for modules.
  ///
  /// - Parameter latest: when a map may have been written last, in nanoseconds since 1970: a kept
  ///   store is older than what a later process of the same id writes.
  public init(_ base: Base, latest: Int64 = .max) {
    let temporary = getenv("TMPDIR").map { String(cString: $0) }.flatMap {
      $0.hasPrefix("/") && $0 != "/tmp" ? $0 : nil
    }
    self.init(base, latest: latest, folders: ["/tmp"] + (temporary.map { [$0] } ?? []))
  }

  /// Creates a symbolicator that looks for maps elsewhere.
  init(
    _ base: Base, latest: Int64 = .max, folders: [String], owner: uid_t = geteuid(),
    clocks: @escaping @Sendable () -> MachineClocks = { .now }
  ) {
    self.base = base
    self.clocks = clocks
    self.latest = latest
    self.folders = folders
    self.owner = owner
  }

  /// The symbolizer that has named locations in modules.
  public var source: NameSource? { base.source }

  /// Returns the functions at each location, innermost first.
  public mutating func symbols(for locations: Set<CodeLocation>) -> [CodeLocation: [Symbol]] {
    var found = base.symbols(for: locations.filter { $0.process == nil })
    for location in locations {
      guard let process = location.process, location.offset > 0,
        // A return address points behind the call.
        let name = map(of: process)?.name(at: location.offset - 1)
      else { continue }
      found[location] = [Symbol(name: name)]
    }
    return found
  }

  /// Returns the data of a module's file at a location.
  public mutating func dataSymbol(at location: CodeLocation) -> DataSymbol? {
    base.dataSymbol(at: location)
  }

  private mutating func map(of process: RecordedProcess) -> PerfMap? {
    if let known = maps[process] { return known }
    let map = readMap(of: process)
    maps[process] = .some(map)
    return map
  }

  private func readMap(of process: RecordedProcess) -> PerfMap? {
    let now = clocks()
    guard let age = now.age(of: process) else { return nil }
    let (began, _) = now.sinceEpoch.subtractingReportingOverflow(age)
    guard began <= latest else { return nil }
    let trust = PerfMap.Trust(owner: owner, modified: began - Self.clockSlack...max(began, latest))
    for folder in folders {
      if let map = PerfMap(path: "\(folder)/perf-\(process.pid).map", trust: trust) { return map }
    }
    return nil
  }

  /// Files have the time of the kernel's last tick; recording may begin shortly after the run-time.
  private static var clockSlack: Int64 { 1_000_000_000 }
}

extension PerfMapSymbolicator: Sendable where Base: Sendable {}
