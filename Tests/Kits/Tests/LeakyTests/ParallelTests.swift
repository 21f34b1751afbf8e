// Two hundred tests at once: a hundred leak as many strings as their argument says, a hundred none.
import BSTRTesting
import CBSTR
import Testing

/// Allocates strings and forgets them.
@inline(never)
func leak(_ count: Int) {
  for _ in 0..<count { _ = SysAllocStringLen(nil, 3) }
}

/// Allocates strings and frees them.
@inline(never)
func exchange(_ count: Int) {
  for _ in 0..<count { SysFreeString(SysAllocStringLen(nil, 3)) }
}

actor Store {
  func leak(_ count: Int) { LeakyTests.leak(count) }
  func exchange(_ count: Int) { LeakyTests.exchange(count) }
}

/// Does the same in every way in which work can be given to tasks: what those do that inherit the
/// scope is `inside`, what others do is not counted.
func spread(_ number: Int, _ inside: @Sendable @escaping (Int) -> Void) async {
  switch number % 5 {
  case 0: inside(number)
  case 1:
    async let first: Void = inside(number / 2)
    async let second: Void = inside(number - number / 2)
    _ = await (first, second)
  case 2:
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<number { group.addTask { inside(1) } }
    }
  case 3: await Task { inside(number) }.value
  default:
    inside(number)
    // A detached task inherits no scope.
    await Task.detached { leak(number) }.value
  }
  await Task.yield()
}

@Suite(.noBSTRLeaks) struct ParallelTests {
  @Test(arguments: 1...100) func leaks(_ number: Int) async {
    await spread(number) { leak($0) }
  }

  @Test(arguments: 1...100) func isClean(_ number: Int) async {
    await spread(number) { exchange($0) }
    await Store().exchange(number)
  }
}
