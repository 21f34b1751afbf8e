// The modules of a program that is not run, and whose strings a run would see.

import Glibc

/// A program, its libraries and plug-ins, by their files.
public struct ProgramReach: Sendable {
  /// A module, by its file.
  public struct Module: Sendable {
    /// Its path.
    public var path: String
    /// Whether the user named it, rather than the loader.
    public var isNamed: Bool
    /// What it has; `nil` when it could not be read.
    var reach: ModuleReach?
    /// A function that it takes from the program, whose functions are not traced.
    var takenFromProgram: String?

    /// Creates a module that was not looked at yet.
    public init(path: String, isNamed: Bool) {
      self.path = path
      self.isNamed = isNamed
    }

    /// Whether its calls of the functions are traced, if it has any.
    var isTraced: Bool { reach?.unseen == nil && takenFromProgram == nil }
  }

  /// The modules that were looked at, the program first; each file once.
  let modules: [Module]
  /// The names of libraries that were not found.
  let missing: [String]
  /// The count of modules with compressed symbols that no program here decompresses.
  let unread: Int

  /// Looks at modules.
  ///
  /// - Parameters:
  ///   - modules: the program first.
  ///   - missing: the names of libraries that one of them needs, and that were not found for it.
  ///   - isInside: whether functions inside of modules are to be replaced.
  ///   - folders: folders of debug files.
  public init(
    of modules: [Module], missing: [String], isInside: Bool, debugFilesBelow folders: [String] = []
  ) {
    let programs = getenv("PATH").map { String(cString: $0) } ?? ""
    var search = SeparateSymbolSearch(below: folders, programs: programs)
    var seen: Set<[UInt]> = []
    var looked = modules.filter { module in
      var status = stat()
      // One that is gone is listed as such.
      guard stat(module.path, &status) == 0 else { return true }
      return seen.insert([status.st_dev, status.st_ino]).inserted
    }
    for index in looked.indices {
      looked[index].reach = ModuleReach(
        ofModuleAt: looked[index].path, isProgram: index == 0, isInside: isInside, &search)
    }
    unread = search.unread.count
    if let program = looked.first?.reach {
      for index in looked.indices.dropFirst() {
        looked[index].takenFromProgram = looked[index].reach?.function(takenFrom: program)
      }
    }
    self.modules = looked
    // What the program loads is there for its plug-ins, wherever that was found.
    let names = Set(modules.map { String(Frame.lastComponent(of: $0.path)) })
    self.missing = Set(missing).subtracting(names).sorted()
  }

  /// Whether some strings would not be seen.
  public var hasUnseen: Bool { modules.contains { !$0.isTraced } }

  /// Whether all modules were found and could be read.
  public var isComplete: Bool { missing.isEmpty && !modules.contains { $0.reach == nil } }
}
