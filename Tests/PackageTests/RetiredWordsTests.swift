import Foundation
import Testing

/// Identifiers and phrases that were replaced by the field's words stay away (Docs/Contributing.md,
/// glossary).
@Suite struct RetiredWordsTests {
  /// Identifiers, each with what took its place.
  static let identifiers = [
    "Aftermath": "FreeResult", "Unusual": "SlowPath", "isDescribed": "report",
    "isToCheck": "verifyEvicted", "isToMove": "rebalance", "isTold": "alwaysReport",
    "evictElsewhere": "evictFromAnotherShard", "seeTo": "handleSlowPath",
    "releaseUnseen": "freeLeaksOnly", "releaseWatched": "freeChecked", "Standing": "BlockState",
    "bstrtrace_holds": "bstrtrace_owns_block", "giveBack": "freeToHeap, recycleRecord",
    "ct_give_back": "ct_heap_free", "give_place_back": "release_thread_slot",
    "notePlainLayout": "updateFastPath", "ct_plain_layout": "ct_fast_path_layout",
    "forgetsFreed": "skipsFreeChecks", "ProfileProbe": "LayoutProbe",
    "ct_ask_tasks": "ct_set_task_scope_provider", "ct_complain_of_scope": "ct_warn_scope_misuse",
    "ct_forget_stacks": "ct_invalidate_stack_caches", "isIntactBehind": "isTrailerIntact",
    "mendBehind": "restoreTrailer", "Damages": "BlockCorruption", "mostPoison": "maxPoisonBytes",
    "mostRecords": "maxRecords", "mostSlack": "maxSlack", "MOST_COMPLAINTS": "MAX_COMPLAINTS",
    "StringBeginning": "TextPreview", "isOverInNumberOnly": "exceedsCountOnly",
    "canHold": "isRepresentable", "forgetRecords": "markAllInherited", "Depot": "StackDepot",
    "StackIndex": "StackHashTable", "beginnings": "reroots", "isToBegin": "shouldReroot",
    "passLinks": "matchChain", "FrameRule": "CFARule", "isOdd": "isUnsupported",
    "complicate": "markUnsupported", "runLong": "runExtendedOpcode",
    "PairCounts": "FreeSiteCounts", "withoutIdleDoubles": "droppingDuplicateRecorders",
    "Meeting": "Divergence", "isPassedThrough": "isTransparent", "Evidence": "SymbolicatedStore",
    "TrafficExplanation": "NoCallsDiagnosis", "OwnReport": "InProcessReport",
    "BlockStory": "HistoryRenderer", "whyNothing": "missingStoreReason",
    "usualStatus": "baselineStatus", "undisturbed": "runBaseline", "endAndTell": "endAndPrint",
    "Laboratory": "BenchmarkRunner", "Contender": "Tool", "Absentee": "MissingTool",
    "patience": "timeout", "BlockSource": "fail-allocation", "Removal": "FreeOutcome",
    "PinMoment": "PinEvent", "Setting": "TraceOption", "Settings": "TraceOptions, GivenOptions",
    "CodePlace": "CodeLocation", "DataPlace": "DataLocation", "freedPlace": "freedIndex",
    "QuarantinePlace": "QuarantinePosition", "learntOffset": "adoptedOffset",
    "frameNumbers": "frameIndices", "ofPart": "ofShard", "partCountsOffset": "shardCountsOffset",
    "ct_may_be_ours": "ct_may_be_registered",
  ]

  /// Phrases of comments and texts that need two readings, or that name nobody.
  static let phrases = [
    "for our sake", "behind our back", "Whoever holds", "who is inside", "goes inside",
    "What becomes of", "What seldom follows", "For who doubts it", "sees to what", "is to see to",
  ]

  private static func files() -> [URL] {
    let root = ImportRulesTests.root.appending(path: "Sources")
    let all = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
    return (all?.compactMap { $0 as? URL } ?? [])
      .filter { ["swift", "c", "h", "hpp"].contains($0.pathExtension) }
  }

  @Test func noneIsInTheSources() throws {
    let files = Self.files()
    #expect(files.count > 100)
    for file in files {
      let text = try SourceText(file)
      let words = text.words
      for (word, replacement) in Self.identifiers where words.contains(word) {
        Issue.record("\(file.lastPathComponent): '\(word)' is \(replacement) now")
      }
      for phrase in Self.phrases where text.contains(phrase) {
        Issue.record("\(file.lastPathComponent): '\(phrase)'")
      }
    }
  }

  /// Comment lines end at column 100, where the code does.
  @Test func commentsKeepToTheColumn() throws {
    var long: [String] = []
    for file in Self.files() where file.pathExtension == "swift" {
      for (index, line) in try SourceText(file).lines.enumerated()
      where line.utf8.count > 100 && line.count > 100
        && line.drop(while: { $0 == " " }).hasPrefix("//")
      {
        long.append("\(file.lastPathComponent):\(index + 1)")
      }
    }
    #expect(long.isEmpty, "\(long.joined(separator: " "))")
  }
}
