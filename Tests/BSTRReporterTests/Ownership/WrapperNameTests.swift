import Testing

@testable import BSTRReporter

/// Which functions are wrappers by their names.
@Suite struct WrapperNameTests {
  @Test(arguments: [
    "Text::Text", "Text::~Text", "Text::operator=", "ns::B<x::y>::B", "CComBSTR::Detach",
    "VariantClear",
  ])
  func theseActForTheirCallers(name: String) { #expect(Wrappers().isWrapper(name)) }

  @Test(arguments: ["Text::operator==", "Text::operator+", "Text::clear", "operator==", "main"])
  func theseDoNot(name: String) { #expect(!Wrappers().isWrapper(name)) }
}
