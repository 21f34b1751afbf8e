// The types of functions, from the debug information of the modules that they are in.

/// Looks up types by code location.
enum DebugTypes {
  /// Returns the types of the functions at each location, innermost first.
  ///
  /// A file that is no longer the one that was loaded, by its build-id, says nothing.
  static func types(at locations: Set<CodeLocation>) -> [CodeLocation: [FunctionType]] {
    var found: [CodeLocation: [FunctionType]] = [:]
    for (module, locations) in Dictionary(grouping: locations, by: \.module) where !module.isEmpty {
      guard let file = ElfFile(path: module) else { continue }
      let buildID = file.buildID
      let same = locations.filter { $0.buildID == nil || $0.buildID == buildID }
      guard !same.isEmpty,
        let functions = DebugFunctions(file, keeping: FunctionSignature.namedTypes)
      else { continue }
      // A return address points behind the call.
      let types = functions.types(at: Set(same.map { $0.offset &- 1 }))
      for location in same { found[location] = types[location.offset &- 1] }
    }
    return found
  }
}
