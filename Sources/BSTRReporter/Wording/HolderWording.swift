// The words for what holds a string. Golden tests hold the wording.

import TraceStore

/// Phrases on holders.
enum HolderWording {
  /// Returns the sentence on a search that was not made to its end; `nil` where it was, or none was
  /// asked for.
  static func note(on header: StoreHeader) -> String? {
    let notLooked = "What holds its strings was not looked for:"
    return switch HolderScan(rawValue: header.holderScan) {
    case .awaited: "\(notLooked) that is done when exit is called or main returns."
    case .tooLarge:
      "\(notLooked) it had more than \(header.holdersLimit) MiB of resident memory (--holders-limit)."
    case .unreadable: "\(notLooked) its memory could not be read."
    case .cutShort:
      "The search for what holds its strings ended when its time was over: a holder may have holders that are not named."
    case .some(.none), .complete, .needless, nil: nil
    }
  }

  /// Returns the rows on what holds the strings of a finding.
  static func rows(on holders: Holders) -> [String] {
    if holders.entries.isEmpty { return ["nobody"] }
    var rows = holders.entries.map { entry in
      let isOfAll = holders.looked == 1 || entry.strings == holders.looked
      return text(of: entry.chain)
        + (isOfAll ? "" : ", \(entry.strings) of \(holders.looked) strings")
    }
    if holders.unheld > 0 {
      rows.append("nobody, \(holders.unheld) of \(holders.looked) strings")
    }
    return rows
  }

  /// Returns the way to the string.
  static func text(of chain: HolderChain) -> String {
    let steps = chain.steps.map(text)
    // A stack or variable alone says it; a way of several steps names its end.
    let isStack = chain.steps.count == 1 && chain.steps[0].place == .stack
    return (steps + (isStack ? [] : ["the string"])).joined(separator: " → ")
      + (chain.isWeak ? " (weak)" : "")
  }

  /// Returns the words for one place.
  static func text(of holder: Holder) -> String {
    let offset = holder.offset == 0 ? "" : " +\(holder.offset)"
    switch holder.place {
    case .data, .threadLocal:
      let module = Frame.lastComponent(of: holder.module ?? "")
      let section = holder.section.map { " \($0)" } ?? ""
      let owner = holder.place == .threadLocal ? ", of \(thread(of: holder))" : ""
      guard let symbol = holder.symbol else {
        let address = String(max(0, holder.offset), radix: 16)
        return "\(module)+0x\(address) (\(holder.section ?? "data")\(owner))"
      }
      return "\(symbol)\(offset) (\(module)\(section)\(owner))"
    case .heap:
      return "\(holder.type ?? "block"), \(TextRenderer.count(holder.bytes ?? 0, "byte"))"
        + (holder.offset == 0 ? ", +0" : ",\(offset)")
    case .stack:
      return "the stack of \(thread(of: holder))"
        + (holder.function.map { ", in \($0)" } ?? "")
    }
  }

  private static func thread(of holder: Holder) -> String {
    holder.isMainThread ? "the main thread" : "thread \(holder.thread ?? 0)"
  }
}
