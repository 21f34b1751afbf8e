// Looks, before a program is run, for functions inside of its stripped modules: the traced process
// is told of them, and searches no files itself.

import BSTRReporter
import TraceOptions

extension GivenOptions {
  /// Adds the functions that separate symbols of a program's modules show, where functions inside
  /// of modules are to be replaced.
  ///
  /// - Parameter folders: folders of debug files.
  /// - Returns: what was found; `nil` where nothing was looked for.
  mutating func addSeparateFunctions(
    of program: TracedProgram, debugFilesBelow folders: [String]
  ) -> SeparateFamilies? {
    let options = TraceOptions(self)
    guard options.inside else { return nil }
    // What keeps the loader from listing them, it says itself when it runs the program.
    let needed = (try? NeededModules(of: program.executable))?.paths ?? []
    let families = SeparateFamilies(
      of: [program.executable] + needed, below: folders, except: options.functions)
    for function in families.functions { _ = give(TraceOption[\.functions], "\(function)") }
    if !families.unread.isEmpty {
      let count = families.unread.count
      ExitStatus.complain(
        "neither xz nor 7z is here to read the compressed symbols (.gnu_debugdata) of \(count) "
          + (count == 1 ? "module" : "modules"))
    }
    return families
  }
}
