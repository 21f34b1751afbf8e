import CBSTR
import CTracker
import Testing
import TraceStore

@testable import BSTRAllocator

/// The numbers that the C headers and the store have in common.
@Suite struct ContractTests {
  @Test func declarationsHaveTheStoresNumbers() {
    #expect(DeclaredAction.lent.rawValue == UInt32(BSTRTRACE_LENT))
    #expect(DeclaredAction.givenBack.rawValue == UInt32(BSTRTRACE_GIVEN_BACK))
    #expect(DeclaredAction.received.rawValue == UInt32(BSTRTRACE_RECEIVED))
    #expect(DeclaredAction.handedOver.rawValue == UInt32(BSTRTRACE_HANDED_OVER))
    #expect(DeclaredAction.adopted.rawValue == UInt32(BSTRTRACE_ADOPTED))
    #expect(DeclaredAction.noted.rawValue == UInt32(BSTRTRACE_NOTED))
    #expect(ScopeID.ignored.rawValue == UInt32(BSTRTRACE_IGNORED_SCOPE))
  }

  @Test func guessesAreMarkedAlike() {
    let layout = StoredLayout(olecharBytes: 4, payloadOffset: 4, isCertain: true)
    #expect(layout.guess.rawValue == layout.uncertain.rawValue | UInt8(CT_GUESSED))
    #expect(layout.guess.isGuess && !layout.isGuess)
  }
}
