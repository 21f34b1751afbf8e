// The symbols that the libraries show to other modules. Everything else in them is hidden, the
// Swift run-time above all: a Swift program has another one.

/// The exported symbols.
enum ExportedSymbols {
  /// The linker's version script that exports them.
  static let versionScript =
    "{\nglobal:\n"
    + names.map { "  \($0);\n" }.joined()
    + "local:\n  *;\n};\n"

  private static let names = [
    // bstr.h, and the same functions under their C++ names.
    "Sys*String*", "_Z*Sys*String*", "SetOaNoCache", "VarBstrCat", "VarBstrCmp",
    "bstrtrace_set_profile", "bstrtrace_olechar_bytes",
    // bstrtrace.h
    "bstrtrace_declare", "bstrtrace_is_live", "bstrtrace_begin_scope", "bstrtrace_change_scope",
    "bstrtrace_end_scope", "bstrtrace_report_scope",
    // What is watched.
    "free", "realloc", "reallocarray", "dlclose", "exit", "_exit", "_Exit",
    "__cxa_thread_atexit_impl",
  ]
}
