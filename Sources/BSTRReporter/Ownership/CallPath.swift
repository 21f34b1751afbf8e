// A stack as a path of activations from the root down; two stacks can share the start of theirs.

import TraceStore

/// The activations of a stack, outermost first, down to the one that called a BSTR function.
struct CallPath {
  /// One activation; equal to others in the same line, whichever call in that line they made.
  struct Step: Hashable {
    /// The index of its frame: function and line.
    var frame: Int
    /// The index of its function; `nil` when nothing names it.
    var function: Int?
    /// The return address of the call that it made: distinguishes two calls in one line.
    var call: FrameWord

    static func == (one: Step, other: Step) -> Bool {
      one.frame == other.frame && one.function == other.function
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(frame)
      hasher.combine(function)
    }
  }

  /// Outermost first; without the frames that every thread starts with.
  var steps: [Step]
  /// Whether the outermost step is the start of its thread.
  var isComplete: Bool

  /// The divergence of two paths.
  enum Divergence: Equatable {
    /// The deepest activation that is on both paths, as an index into both.
    case at(Int)
    /// The paths have no activation in common.
    case nowhere
    /// The paths diverge below code that nothing names: which activation that is cannot be decided.
    case unknown
  }

  /// Returns the deepest activation that is on both paths.
  ///
  /// It is the last common step, or the one behind it where both are in the same function at
  /// different lines, or made two calls in one line. That it is one activation, and not two of the
  /// same function one after the other, is assumed: where a function is called from one address
  /// again and again, stacks do not show which.
  func deepestCommonActivation(with other: CallPath) -> Divergence {
    var shared = 0
    while shared < min(steps.count, other.steps.count),
      steps[shared].frame == other.steps[shared].frame
    {
      if makesAnotherCall(than: other, at: shared) { return .at(shared) }
      shared += 1
    }
    guard shared < steps.count, shared < other.steps.count else {
      return shared == 0 ? .nowhere : .at(shared - 1)
    }
    switch (steps[shared].function, other.steps[shared].function) {
    case (let one?, let another?) where one == another: return .at(shared)
    case (.some, .some): return shared == 0 ? .nowhere : .at(shared - 1)
    default: return .unknown
    }
  }

  /// Returns whether the steps of two paths at an index, which are in one line, made two different
  /// calls.
  ///
  /// The steps of inlined functions have the address of the last of them, which says nothing of the
  /// others.
  func makesAnotherCall(than other: CallPath, at index: Int) -> Bool {
    steps[index].call != other.steps[index].call
      && (endsCall(at: index) || other.endsCall(at: index))
  }

  /// Returns whether the step made its call itself, and not through what was inlined into it.
  private func endsCall(at index: Int) -> Bool {
    index + 1 == steps.count || steps[index + 1].call != steps[index].call
  }

  /// Returns the path without innermost steps that only carry out what others decided.
  func withoutWrappers(_ isWrapper: (Step) -> Bool) -> CallPath {
    var path = self
    while path.steps.count > 1, let last = path.steps.last, isWrapper(last) {
      path.steps.removeLast()
    }
    return path
  }
}

/// Assigns indices to functions, and turns stacks into paths.
struct CallPaths {
  private let resolver: StackResolver
  private let image: StoreImage
  /// The function index of each frame.
  private let functions: [Int?]
  private let isStartup: [Bool]
  /// Transparent frames: they pass calls through and own nothing.
  private let isTransparent: [Bool]
  /// The function that the one of each frame is written in, where it is a closure.
  private let enclosing: [String?]

  init(_ resolver: StackResolver, _ image: StoreImage) {
    self.resolver = resolver
    self.image = image
    var indices: [String: Int] = [:]
    functions = resolver.frames.map { frame in
      frame.function.map { name in
        let key = "\(frame.module)\u{0}\(name)"
        if let index = indices[key] { return index }
        indices[key] = indices.count
        return indices.count - 1
      }
    }
    isStartup = resolver.frames.map(\.isStartup)
    isTransparent = resolver.frames.map { $0.isTransparent }
    enclosing = resolver.frames.map(\.enclosingFunction)
  }

  /// Returns the path to where a stack was taken.
  func path(of stack: StackID) -> CallPath {
    let (words, isTruncated) = image.stack(stack)
    var calls: [(frame: Int, call: FrameWord)] = []
    for word in words {
      for frame in resolver.framesOfCall(word) { calls.append((frame, word)) }
    }
    var end = calls.count
    while end > 0, isStartup[calls[end - 1].frame] { end -= 1 }
    var steps: [CallPath.Step] = []
    for (frame, call) in calls[..<end].reversed() where !isTransparent[frame] {
      // A closure that runs in the function that it is written in acts for that function.
      if let enclosing = enclosing[frame], let last = steps.last,
        resolver.frames[last.frame].function == enclosing
      {
        continue
      }
      steps.append(CallPath.Step(frame: frame, function: functions[frame], call: call))
    }
    return CallPath(
      steps: steps, isComplete: end < calls.count && !isTruncated)
  }

  func frame(_ step: CallPath.Step) -> Frame { resolver.frames[step.frame] }

  /// Returns the frame of a step.
  func frame(at index: Int) -> Frame { resolver.frames[index] }

  /// Returns the class that a step destroys: "Window" of "Window::~Window".
  func destroyedClass(_ step: CallPath.Step) -> String? {
    guard let name = frame(step).plainName, let range = name.firstRange(of: "::~") else {
      return nil
    }
    return String(name[..<range.lowerBound])
  }

  /// Returns the classes whose members are on a path, constructors included.
  func classes(on path: CallPath) -> Set<String> {
    Set(path.steps.compactMap { frame($0).enclosingClass })
  }
}

extension Frame {
  /// Whether the function is transparent: it passes on what its caller says or is given.
  var isTransparent: Bool {
    isDeclaration || isSwiftString || isStandardLibrary
      || function?.hasPrefix("freestanding macro expansion #") == true
  }

  /// Whether this is code of bstrtrace.h or bstrtrace.hpp.
  var isDeclaration: Bool {
    // By name: clang's inlined frames have the caller's file, and gcc's callers have the file of
    // what is inlined.
    let declaring: Set = [
      "bstrtrace_say", "bstrtrace_lives", "bstrtrace_immortal", "bstrtrace_lend",
      "bstrtrace_give_back", "bstrtrace_hand_over", "bstrtrace_adopt", "bstrtrace_disown",
      "bstrtrace_note", "bstrtrace_before_out", "bstrtrace_after_out", "bstrtrace_after_in_out",
      "bstrtrace_scope_begin",
    ]
    guard let plainName else { return false }
    return declaring.contains(plainName) || plainName.hasPrefix("bstrtrace::")
      || plainName.contains(" bstrtrace::")
      || Self.isMangledDeclaration(plainName)
  }

  /// Lambdas inside templates are not demangled.
  private static func isMangledDeclaration(_ name: String) -> Bool {
    name.hasPrefix("_Z") && name.dropFirst(2).drop { $0 == "Z" }.hasPrefix("N9bstrtrace")
  }

  /// Whether this is code of Swift's `OwnedBSTR` or `BorrowedBSTR`, which act for their holders.
  var isSwiftString: Bool {
    guard let function, function.contains("OwnedBSTR") || function.contains("BorrowedBSTR") else {
      return false
    }
    // Code that the compiler makes to copy, move and end values has no file.
    guard let file, file.hasSuffix(".swift") else { return true }
    return file.contains("/Sources/BSTR/")
  }

  /// Whether this is a function of the standard libraries of C++ or Swift or of its test libraries,
  /// as far as it only calls what it is given.
  var isStandardLibrary: Bool {
    guard let plainName else { return false }
    if ["/libswift", "/libXCTest.so", "/libTesting.so"].contains(where: module.contains) {
      return true
    }
    // Some of its names, those with lambdas inside, are not demangled.
    if plainName.hasPrefix("_ZSt") { return true }
    // Templates' names begin with their return types.
    return plainName.hasPrefix("std::") || plainName.contains(" std::")
  }

  /// The class or namespace of a C++ function: "a::Window" of "a::Window::title(int)".
  var enclosingClass: String? {
    guard let plainName, let range = plainName.ranges(of: "::").last else { return nil }
    return String(plainName[..<range.lowerBound])
  }

  /// The enclosing function of a closure, a lambda or a `defer`; `nil` for other functions.
  var enclosingFunction: String? {
    guard let function else { return nil }
    let kinds = ["closure #", "implicit closure #", "$defer #"]
    if kinds.contains(where: function.hasPrefix), let range = function.ranges(of: " in ").last {
      return String(function[range.upperBound...])
    }
    return function.ranges(of: "::{lambda(").first.map { String(function[..<$0.lowerBound]) }
  }

  /// Whether this is one of the frames that every thread starts with, below `main`.
  var isStartup: Bool {
    let file = moduleName
    if file.hasPrefix("libswift_Concurrency.so") || file.hasPrefix("libdispatch.so") { return true }
    guard let function else { return file.hasPrefix("libc.so") }
    let version = function.utf8.firstIndex(of: UInt8(ascii: "@")) ?? function.endIndex
    return Self.startupFunctions.contains(String(function[..<version]))
  }

  private static let startupFunctions: Set = [
    "__libc_start_call_main", "__libc_start_main", "__libc_start_main_impl", "_start", "clone",
    "clone3", "__clone3", "__GI___clone3", "start_thread",
  ]
}
