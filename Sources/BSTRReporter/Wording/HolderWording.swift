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
    case .some(.none), .complete, .partial, .needless, nil: nil
    }
  }

  /// Returns the rows on what holds the strings of a finding: one for each variable, object or
  /// stack that does, by the best of its ways.
  ///
  /// - Parameter count: the count of all strings of the finding, of which a few were looked for.
  static func rows(on holders: Holders, ofStrings count: Int) -> [String] {
    func share(_ strings: Int) -> String {
      if holders.looked < count {
        return ", \(strings) of \(holders.looked) strings looked for, of \(count)"
      }
      return strings == holders.looked ? "" : ", \(strings) of \(holders.looked) strings"
    }
    let keepers = holders.keepers
    var rows = keepers.prefix(Holders.maxListed).map { text(of: $0) + share($0.strings) }
    if keepers.count > Holders.maxListed {
      rows.append("… and \(TextRenderer.count(keepers.count - Holders.maxListed, "more holder"))")
    }
    if holders.unheld > 0 { rows.append("nobody" + share(holders.unheld)) }
    return rows
  }

  /// Returns the best way from a keeper, and how many others there are.
  static func text(of keeper: Holders.Keeper) -> String {
    let others = keeper.chains.count - 1
    return text(of: keeper.chains[0])
      + (others == 0 ? "" : ", and \(TextRenderer.count(others, "other way"))")
  }

  /// Returns the way to the string.
  static func text(of chain: HolderChain) -> String {
    let steps = chain.steps.map(text)
    // A stack or variable alone says it; a way of several steps names its end.
    let isStack = chain.steps.count == 1 && chain.steps[0].place == .stack
    return (steps + (isStack ? [] : ["the string"])).joined(separator: " → ")
      + (chain.isWeak ? " (weak)" : "")
  }

  /// Returns the name of a place.
  static func name(of holder: Holder) -> String {
    switch holder.place {
    case .data, .threadLocal: holder.symbol ?? address(of: holder)
    case .heap: holder.type ?? "block"
    case .stack: text(of: holder)
    }
  }

  /// Returns a variable without a name, by its address.
  private static func address(of holder: Holder) -> String {
    Frame.lastComponent(of: holder.module ?? "") + "+0x" + String(max(0, holder.offset), radix: 16)
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
        return "\(address(of: holder)) (\(holder.section ?? "data")\(owner))"
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
