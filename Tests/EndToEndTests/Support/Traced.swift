import Foundation
import Testing

/// A program that was run under `bstrtrace run`, with its report.
struct Traced {
  /// How the tool ended and what was written.
  var command: Command
  /// The JSON report.
  var report: Report

  /// Runs a program under the tool.
  ///
  /// - Parameters:
  ///   - words: the program and its arguments.
  ///   - flags: flags of `bstrtrace run`.
  static func run(
    _ words: [String], flags: [String] = [], environment: [String: String] = [:],
    in folder: URL, reportFile: URL? = nil
  ) throws -> Traced {
    let file = reportFile ?? folder.appending(path: "report-\(UUID().uuidString).json")
    let command = try Command.run(
      [Built.tool, "run", "--format", "json", "--output", file.path] + flags + ["--"] + words,
      environment: environment, in: folder)
    guard let data = try? Data(contentsOf: file), !data.isEmpty else {
      throw PreparationFailure(
        description: "no report of \(words): status \(command.status), \(command.errors)")
    }
    return Traced(command: command, report: try Report(data))
  }

  /// The report as programs read it.
  struct Report: Decodable {
    var processes: [Process]
    var merged: [Finding]
    var damage: [String]
    var explanation: String?
    var symbolizer: String?
    var summary: Summary

    struct Summary: Decodable {
      var findings: Int
      var leakedBstrs: Int
      var leakedBytes: Int
    }
    struct Process: Decodable {
      var pid: Int
      var parentPid: Int
      var executable: String
      var arguments: [String]
      var ended: String
      var status: Int?
      var profile: Profile
      var totals: Totals
      var findings: [Finding]
      var notes: [String]
      var coverage: [Unseen]
      var coverageComplete: Bool
    }
    struct Profile: Decodable {
      var olecharBytes: Int?
      var payloadOffset: Int?
    }
    struct Totals: Decodable {
      var allocations: Int
      var frees: Int
      var foreignFrees: Int
      var live: Int
      var liveBytes: Int
      var peakLive: Int
    }
    struct Finding: Decodable {
      var kind: String
      var detail: String?
      var count: Int
      var bytes: Int
      var message: String
      var values: [String]
      var stacks: Stacks
      var pinned: [[Frame]]
      var rule: String?
      var basis: String?
      var owner: Frame?
      var producer: Frame?
      var consumer: Frame?
      var doubt: String?
      var evidence: String?
      var siblings: Siblings?
      var source: Source?
      var serials: [Int]
      var places: Int
      var processes: Int
      var key: [String]
      var suppression: String
      var holders: [Holder]?
      var holdersOf: Int?

      /// What holds its strings, as the text of the report says it.
      var heldBy: [String] {
        guard let holders else { return ["-"] }
        if holders.isEmpty { return ["nobody"] }
        return holders.map { holder in
          let count = holdersOf ?? 1
          return holder.text
            + (holder.strings == count ? "" : ", \(holder.strings) of \(count) strings")
        }
      }
    }
    struct Holder: Decodable {
      var strings: Int
      var weak: Bool
      var text: String
      var place: String
      var certainty: String
      var symbol: String?
      var type: String?
      var offset: Int
    }
    struct Siblings: Decodable {
      var freed: Int
      var total: Int
      var freedBy: Frame
    }
    struct Source: Decodable {
      var file: String
      var newer: Bool
      var owner: Int
      var lines: [Line]
      var frees: [Line]
      var leaves: [Line]

      struct Line: Decodable {
        var line: Int
        var text: String
      }
    }
    struct Unseen: Decodable {
      var module: String?
      var reason: String
      var symbol: String?
      var message: String
    }
    struct Stacks: Decodable {
      var allocated: [Frame]
      var freed: [Frame]
      var detected: [Frame]
    }
    struct Frame: Decodable, Equatable {
      var function: String?
      var file: String?
      var line: Int?
      var module: String
      var buildId: String?
      var offset: Int
      var inlined: Bool
    }

    /// All findings of all processes.
    var findings: [Finding] { processes.flatMap(\.findings) }

    /// Reads a JSON report, and records an issue for each place where it names the tracker itself:
    /// no report of any program may.
    init(_ json: Data) throws {
      self = try JSONDecoder().decode(Self.self, from: json)
      let places = Self.trackersFrames(in: try JSONSerialization.jsonObject(with: json), at: "")
      for (path, frame) in places {
        Issue.record("the report names the tracker: \(path): \(frame)")
      }
    }

    /// Where the report names a module of the tracker's, and how: in stacks, owners, producers,
    /// consumers, pins, declarations, the map and suppressions, whatever their keys are.
    static func trackersFrames(in value: Any, at path: String) -> [(path: String, frame: String)] {
      switch value {
      case let list as [Any]:
        return list.enumerated().flatMap { trackersFrames(in: $1, at: "\(path)[\($0)]") }
      case let object as [String: Any]:
        let module = object["module"] as? String ?? ""
        if isTrackers(module) { return [(path, "\(object["function"] ?? "?") in \(module)")] }
        let rule = object["suppression"] as? String ?? ""
        let rules = isTrackers(rule) ? [(path: "\(path).suppression", frame: rule)] : []
        return rules
          + object.sorted { $0.key < $1.key }
          .flatMap { trackersFrames(in: $1, at: path.isEmpty ? $0 : "\(path).\($0)") }
      default: return []
      }
    }

    /// Whether a module, or a rule that consists of a module and an offset, is one of the
    /// tracker's.
    private static func isTrackers(_ text: String) -> Bool {
      ["preload", "tracker", "linked"].contains { text.contains("libbstrtrace-\($0).so") }
    }
  }
}
