// Sentences and examples on a kind of finding and the rule of ownership that it breaks, for readers
// who see one finding of many and do not know the rules.

/// The words for a rule of SARIF files.
struct RuleWording {
  /// What is wrong, in a sentence.
  let summary: String
  /// The rule that was broken, or why it matters, in a sentence.
  let description: String
  /// The wrong example.
  let wrong: String
  /// The right example.
  let right: String

  /// Creates the words for a kind of finding.
  ///
  /// - Parameter broken: the rule of ownership that its findings break; `nil` for none.
  init(_ kind: FindingKind, _ broken: Ownership.Rule?) {
    let words = Self.words(kind, broken)
    summary = words.summary
    description = broken?.sentence ?? Self.consequence(of: kind)
    wrong = words.wrong
    right = words.right
  }

  /// The description with both examples, as plain text.
  var help: String {
    "\(description)\n\nWrong:\n\n\(Self.indented(wrong))\n\nRight:\n\n\(Self.indented(right))\n"
  }

  /// The description with both examples, as Markdown.
  var markdown: String {
    "\(description)\n\n**Wrong**\n\n```cpp\n\(wrong)\n```\n\n**Right**\n\n```cpp\n\(right)\n```\n"
  }

  private static func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
      .joined(separator: "\n")
  }

  /// Returns what comes of a kind of fault, in a sentence.
  private static func consequence(of kind: FindingKind) -> String {
    switch kind {
    case .leak: "Memory of a BSTR is lost when the last pointer to it goes without a SysFreeString."
    case .doubleFree:
      "The second SysFreeString frees what may be another string's memory by then, or ends the program."
    case .invalidFree:
      "SysFreeString takes what SysAllocString and its family returned, and nothing else."
    case .wrongDeallocator:
      "Only SysFreeString knows where the block of a BSTR starts, and whether it is cached."
    case .writeAfterFree: "The memory of a freed BSTR may be another string's by then."
    case .overrun: "What is behind a BSTR in the heap is overwritten."
    case .prefixDamage:
      "The four bytes in front of the characters are the length, which every function reads."
    case .invalidUse:
      "A BSTR has its length in front of its characters; a literal or an array has none."
    default: "What a program declares of its strings holds for every function that it names."
    }
  }

  // MARK: rules

  private typealias Words = (summary: String, wrong: String, right: String)

  private static func words(_ kind: FindingKind, _ broken: Ownership.Rule?) -> Words {
    switch (kind, broken) {
    case (.leak, nil): ("A BSTR was not freed.", forgotten, freedOnEveryWay)
    case (.leak, .in):
      ("A BSTR was not freed by the function that had to free its own.", forgotten, freedOnEveryWay)
    case (.leak, .out):
      (
        "A BSTR was not freed by the caller of the function that had returned it.",
        resultForgotten, resultFreed
      )
    case (.leak, .return), (.ownership, .return):
      ("A function failed and left a BSTR in its [out] argument.", leftByFailure, nothingLeft)
    case (.leak, .inOut), (.ownership, .inOut):
      (
        "A BSTR that was given by reference was not replaced as [in,out] asks.", notFreedBefore,
        freedBefore
      )
    case (.doubleFree, .in):
      (
        "A BSTR was freed by a function that had only borrowed it, and by its owner.",
        borrowedFreed, borrowedUsed
      )
    case (.doubleFree, .return):
      (
        "A BSTR was freed by the function that returned it, and by its caller.", resultFreedInside,
        resultGivenAway
      )
    case (.doubleFree, .inOut):
      (
        "A BSTR was freed by a function that was given it by reference and stored no other.",
        freedAndNotReplaced, freedBefore
      )
    case (.doubleFree, _): ("A BSTR was freed twice.", freedTwice, freedOnce)
    case (.invalidFree, _): ("What was freed is no BSTR.", literalFreed, allocatedAndFreed)
    case (.wrongDeallocator, _):
      (
        "A BSTR was freed by another function than SysFreeString.", freedByHeap,
        freedBySysFreeString
      )
    case (.writeAfterFree, _):
      ("A BSTR was written to after it had been freed.", usedAfterFree, usedBeforeFree)
    case (.overrun, _):
      ("Bytes behind the end of a BSTR were overwritten.", writtenBehind, lengthened)
    case (.prefixDamage, _):
      ("The length of a BSTR was overwritten.", lengthWritten, lengthened)
    case (.invalidUse, _):
      ("What was used as a BSTR is none.", literalUsed, allocatedAndUsed)
    case (.ownership, .out):
      (
        "A BSTR was lost when its variable was given to a function that returns another one.",
        overwritten, freedBeforeOut
      )
    default: ("A function treats a BSTR otherwise than was declared.", borrowedFreed, borrowedUsed)
    }
  }

  // MARK: examples

  private static let forgotten = """
    BSTR text = SysAllocString(L"ready");
    if (!window) return false;    // text is lost
    window->setText(text);
    SysFreeString(text);
    return true;
    """
  private static let freedOnEveryWay = """
    BSTR text = SysAllocString(L"ready");
    if (window) window->setText(text);
    SysFreeString(text);          // on every way out
    return window != nullptr;
    """
  private static let resultForgotten = """
    BSTR status = nullptr;
    browser->get_StatusText(&status);
    show(status);                 // nobody frees what was returned
    """
  private static let resultFreed = """
    BSTR status = nullptr;
    browser->get_StatusText(&status);
    show(status);
    SysFreeString(status);
    """
  private static let leftByFailure = """
    HRESULT Browser::get_StatusText(BSTR *status) {
      *status = SysAllocString(text);
      if (!isReady()) return E_FAIL;    // callers do not free after a failure
      return S_OK;
    }
    """
  private static let nothingLeft = """
    HRESULT Browser::get_StatusText(BSTR *status) {
      *status = nullptr;
      if (!isReady()) return E_FAIL;
      *status = SysAllocString(text);
      return S_OK;
    }
    """
  private static let notFreedBefore = """
    void shorten(BSTR *text) {                  // [in,out]
      *text = SysAllocStringLen(*text, 8);      // the old string is lost
    }
    """
  private static let freedBefore = """
    void shorten(BSTR *text) {                  // [in,out]
      BSTR shorter = SysAllocStringLen(*text, 8);
      SysFreeString(*text);
      *text = shorter;
    }
    """
  private static let freedAndNotReplaced = """
    void shorten(BSTR *text) {                  // [in,out]
      SysFreeString(*text);                     // the caller frees it, too
    }
    """
  private static let borrowedFreed = """
    void show(BSTR text) {        // [in]: the caller's
      print(text);
      SysFreeString(text);        // the caller frees it, too
    }
    """
  private static let borrowedUsed = """
    void show(BSTR text) {        // [in]: the caller's
      print(text);
    }
    """
  private static let resultFreedInside = """
    HRESULT Browser::get_StatusText(BSTR *status) {
      *status = SysAllocString(text);
      SysFreeString(*status);     // it is the caller's by now
      return S_OK;
    }
    """
  private static let resultGivenAway = """
    HRESULT Browser::get_StatusText(BSTR *status) {
      *status = SysAllocString(text);
      return S_OK;
    }
    """
  private static let freedTwice = """
    SysFreeString(text);
    if (hasFailed) SysFreeString(text);
    """
  private static let freedOnce = """
    SysFreeString(text);
    text = nullptr;               // SysFreeString(nullptr) does nothing
    """
  private static let literalFreed = """
    BSTR text = const_cast<BSTR>(L"ready");
    SysFreeString(text);
    """
  private static let allocatedAndFreed = """
    BSTR text = SysAllocString(L"ready");
    SysFreeString(text);
    """
  private static let freedByHeap = """
    BSTR text = SysAllocString(L"ready");
    free(text);
    """
  private static let freedBySysFreeString = """
    BSTR text = SysAllocString(L"ready");
    SysFreeString(text);
    """
  private static let usedAfterFree = """
    SysFreeString(text);
    text[0] = L'R';
    """
  private static let usedBeforeFree = """
    text[0] = L'R';
    SysFreeString(text);
    """
  private static let writtenBehind = """
    BSTR text = SysAllocString(L"ready");
    wcscat(text, L" to go");      // there is room for five characters
    """
  private static let lengthWritten = """
    reinterpret_cast<unsigned *>(text)[-1] = 22;
    """
  private static let lengthened = """
    BSTR text = SysAllocString(L"ready");
    SysReAllocString(&text, L"ready to go");
    """
  private static let literalUsed = """
    BSTR text = const_cast<BSTR>(L"ready");
    SysReAllocString(&text, L"done");
    """
  private static let allocatedAndUsed = """
    BSTR text = SysAllocString(L"ready");
    SysReAllocString(&text, L"done");
    """
  private static let overwritten = """
    BSTR status = SysAllocString(L"ready");
    browser->get_StatusText(&status);     // [out]: the old string is lost
    """
  private static let freedBeforeOut = """
    BSTR status = SysAllocString(L"ready");
    SysFreeString(status);
    status = nullptr;
    browser->get_StatusText(&status);
    """
}
