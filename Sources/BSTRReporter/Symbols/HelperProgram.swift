// Starts programs that read files for the reporter, such as llvm-symbolizer, so that none of what
// this process has set up reaches them.

import Glibc

/// A program that works for the reporter, as a child.
enum HelperProgram {
  /// Starts a program in a process group of its own.
  ///
  /// Processes that it starts, as a script does, can be ended with it. What it writes to its
  /// standard error goes nowhere.
  ///
  /// - Parameters:
  ///   - words: its path and its arguments.
  ///   - input: its standard input.
  ///   - output: its standard output.
  ///   - child: its id, when it was started.
  /// - Returns: 0, or the error's number.
  static func start(
    _ words: [String], reading input: Int32, writing output: Int32, as child: inout pid_t
  ) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    // Its messages are about files that it cannot read: those are named in another way.
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETPGROUP))
    let argv = words.map { strdup($0) } + [nil]
    let envp = environment.map { strdup($0) } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    return posix_spawn(&child, words[0], &actions, &attributes, argv, envp)
  }

  /// The variables that the loader may need: no options from variables, no preloaded libraries, and
  /// no DEBUGINFOD_URLS, so that it uses no network.
  private static var environment: [String] {
    var variables = ["LC_ALL=C"]
    for name in ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH"] {
      if let value = getenv(name) { variables.append("\(name)=\(String(cString: value))") }
    }
    return variables
  }
}
