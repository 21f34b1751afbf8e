import Testing

@testable import BSTRReporter

/// Whether the string is still there on a way out.
@Suite struct WaysOutWithStringTests {
  @Test func aConditionThatExcludesTheStringIsNoWay() throws {
    try expectWaysOut(
      "a.c",
      """
      int f(int way) {
        BSTR text = SysAllocString(L"x"); // owner
        if (!text) return 1;
        if (NULL == text) return 2;
        if (!text || way) return 3; // way
        if (!text && way) return 4;
        if (!text[0]) return 5;
        if (SysStringLen(text) > 7) return 7; // way
        if (text != NULL && way) return 6; // way
        SysFreeString(text); // free
        return 0;
      }
      """)
  }

  /// However it is written.
  @Test func whatSaysThatThereIsNoStringIsKnown() throws {
    let conditions = [
      "!text", "!(text)", "(text) == NULL", "nullptr == text", "text == (BSTR)0", "text == 0",
      "not text", "!(text != NULL)", "!this->text", "!*text", "!list[text]",
    ]
    let lines = conditions.map { "  if (\($0)) return 1;\n" }.joined()
    try expectWaysOut(
      "a.cpp",
      "int f(int w) {\n  text = get(); // owner\n\(lines)  if (w) return 2; // way\n"
        + "  put(text); // free\n}")
    try expectWaysOut(
      "a.swift",
      """
      func f(_ way: Int) -> Int {
        let text = make() // owner
        if text == .none { return 1 }
        if case .none = text { return 1 }
        guard text != nil, way > 1 else { return 2 }
        if (text != nil) {} else { return 3 }
        if way == 3 { return 3 } // way
        SysFreeString(text) // free
        return 0
      }
      """)
  }

  @Test func whatIsStoredOnTheWayIsHandedOver() throws {
    try expectWaysOut(
      "a.c",
      """
      HRESULT f(BSTR *out) {
        BSTR text = SysAllocString(L"x"); // owner
        if (check()) goto fail;
        if (deny()) return E_FAIL; // way
        *out = text;
        return S_OK;
      fail:
        SysFreeString(text); // free
        return E_FAIL;
      }
      """)
    try expectWaysOut(
      "a.cpp",
      """
      int f(int way) {
        BSTR text = make(); // owner
        BSTR other = text;
        if (way) return 1;
        SysFreeString(other);
        release(text); // free
      }
      """)
  }

  @Test func whatIsFreedInABlockBeforeIsNoWay() throws {
    try expectWaysOut(
      "a.cpp",
      """
      int f(int way) {
        Text *text = make(); // owner
        if (way == 1) { text->Release(); return 1; }
        if (way == 2) return 2; // way
        if (way == 3) {
          text->Release(); // free
        }
        if (way == 4) return 4;
        text->Release(); // free
        return 0;
      }
      """)
    try expectWaysOut(
      "a.cpp",
      """
      int f(int way) {
        Text *text = nullptr;
        if (way) {
          text = make(); // owner
          if (way == 2) return 2; // way
          text->Release(); // free
        }
        if (way == 4) return 4;
        text->Release(); // free
        return 0;
      }
      """)
  }

  /// What is behind a block is reached without what was got, or is freed, in it.
  @Test func blocksThatAreAlwaysLeftLeadNowhere() throws {
    try expectWaysOut(
      "a.c",
      """
      int f(int way) {
        BSTR text = NULL;
        if (way) {
          text = make(); // owner
          if (way == 2) goto done;
          if (way == 3) return 3; // way
          goto done;
        }
        if (check()) return 4;
      done:
        release(text); // free
        return 0;
      }
      """)
    try expectWaysOut(
      "a.c",
      """
      int f(int way) {
        BSTR text = NULL;
        if (way) {
          text = make(); // owner
          if (way == 3) return 3; // way
          release(text);
          if (way == 2) goto done;
        }
        if (check()) return 4;
      done:
        release(text); // free
        return 0;
      }
      """)
    try expectWaysOut(
      "a.c",
      """
      int f(int way) {
        static BSTR text;
        switch (way) {
          case 1:
            text = make(); // owner
            break;
          case 2:
            release(text); // free
        }
        return 0;
      }
      """)
  }

  @Test func theResultOfTheCallSaysWhetherThereIsAString() throws {
    try expectWaysOut(
      "a.cpp",
      """
      HRESULT f(Browser *browser) {
        BSTR status = nullptr;
        HRESULT hr = browser->get_StatusText(&status); // owner
        if (FAILED(hr)) return hr;
        hr = browser->check();
        if (FAILED(hr)) return hr; // way
        if (SUCCEEDED(hr)) {
          if (browser->busy()) {
            return E_FAIL; // way
          }
        } else {
          return E_PENDING; // way
        }
        SysFreeString(status); // free
        return hr;
      }
      """)
    try expectWaysOut(
      "a.cpp",
      """
      int f(Browser *browser) {
        BSTR status = nullptr;
        if (browser->get_StatusText(&status) != S_OK) { // owner
          return 1;
        } else if (browser->busy()) {
          return 2;
        }
        SysFreeString(status); // free
        return 0;
      }
      """)
    try expectWaysOut(
      "a.cpp",
      """
      int f(Browser *browser) {
        BSTR status = nullptr;
        if (browser->get_StatusText(&status) == S_OK) { // owner
          if (browser->busy()) return 1; // way
          SysFreeString(status); // free
        }
        return 0;
      }
      """)
  }

  @Test func whatIsHandedOverOrFreedBeforeIsNoWay() throws {
    try expectWaysOut(
      "a.c",
      """
      BSTR f(List *list, int way) {
        BSTR text = SysAllocString(L"x"); // owner
        if (way == 1) { SysFreeString(text); return 0; }
        if (way == 2) { add(list, text); return 0; }
        if (way == 3) return text;
        if (way == 4) return copy(list, text);
        if (way == 5) { printf("%d", SysStringLen(text)); return 0; } // way
        if (way == 6) { list->first = text; return 0; }
        SysFreeString(text); // free
        return 0;
      }
      """)
    try expectWaysOut(
      "a.c",
      """
      int f(int way) {
        BSTR text = SysAllocString(L"x"); // owner
        if (way == 1) return 1; // way
        if (way > 10) {
          SysFreeString(text); // free
          return 2;
        }
        if (way == 3) return 3; // way
        SysFreeString(text); // free
        return 0;
      }
      """)
  }
}
