import Testing

@testable import BSTRReporter

/// What the types of parameters say of strings.
@Suite struct FunctionSignatureTests {
  private static func signature(_ name: String) -> FunctionSignature? {
    let frame = Frame(function: name, module: "/app", offset: 1)
    return frame.plainName.flatMap { FunctionSignature(demangled: name, plainName: $0) }
  }

  @Test(arguments: [
    ("get_Text(char16_t**)", 1), ("Range::text(int, wchar_t**) const", 1),
    ("Range::text(BSTR&) &", 1), ("Range::text(unsigned short**)", 1),
    ("Names::Next(unsigned int, char16_t**, unsigned int*)", 1),
    ("get_Both(char16_t**, char16_t**)", 2), ("update(char16_t**, bool)", 1),
    ("Range::GetAttributeValue(int, VARIANT*)", 1),
    ("Handler::GetProperty(int, tagPROPVARIANT*)", 1),
    ("Server::call(int, tagVARIANT&)", 1), ("fill(tagSAFEARRAY**)", 1),
    ("Server::Invoke(long, _GUID const&, tagVARIANT*, tagEXCEPINFO*, unsigned int*)", 4),
    ("(anonymous namespace)::get(char16_t**)", 1),
    ("char16_t* get<int>(std::function<void (int, int)> const&, char16_t**)", 1),
    ("settle(tagVARIANT*)", 1), ("get_Settings(tagVARIANT*)", 1),
  ])
  func resultsAreCounted(name: String, count: Int) throws {
    #expect(try #require(Self.signature(name)).results == count)
  }

  @Test(arguments: [
    "put_Text(char16_t*)", "Range::text(char16_t const**)", "Range::text(char16_t* const*)",
    "Handler::GetProperty(int, tagPROPVARIANT const*)", "show(tagVARIANT const&)",
    "show(tagVARIANT)",
    "take(char16_t*&&)", "adopt(tagSAFEARRAY*)", "get(void**)", "f()",
    // An array and its count.
    "Source::GetIDsOfNames(_GUID const&, wchar_t**, unsigned int, unsigned int, int*)",
    "fill(tagVARIANT*, int)",
    // Setters store what they are given.
    "Window::put_Value(tagVARIANT*)", "Window::setValue(tagVARIANT*)", "window_set(tagEXCEPINFO*)",
    "Window::SetValue(tagVARIANT*)",
  ])
  func theseReturnNone(name: String) throws {
    #expect(try #require(Self.signature(name)).results == 0)
  }

  /// One result and a draft are not what a structure has room for.
  @Test func someNumbersFillParameters() throws {
    let invoke = try #require(Self.signature("invoke(tagVARIANT*, tagEXCEPINFO*, unsigned int*)"))
    #expect((0...5).filter(invoke.fills) == [0, 1, 3, 4])
    let both = try #require(Self.signature("get_Both(char16_t**, char16_t**)"))
    #expect((0...3).filter(both.fills) == [0, 1, 2])
  }

  @Test(arguments: ["get_Text", "main", "closure #1 in f", "(anonymous", "f(int", "f)("])
  func withoutParametersNothingIsKnown(name: String) {
    #expect(Self.signature(name) == nil)
  }
}
