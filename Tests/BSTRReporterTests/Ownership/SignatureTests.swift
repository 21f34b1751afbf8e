import Testing

@testable import BSTRReporter

/// What a function's name says of the strings that it returns.
@Suite struct SignatureTests {
  private func signature(_ function: String) -> Signature {
    Signature(Frame(function: function, module: "/home/me/app", offset: 0x1000))
  }

  /// A pointer to a BSTR is an array's only beside its length, and a getter's index stands in front.
  @Test(arguments: [
    ("get(char16_t**)", 1), ("get(wchar_t**)", 1), ("get(unsigned short**)", 1),
    ("get(BSTR*)", 1), ("get(com::BSTR*)", 1), ("get(std::map<int, char>, char16_t**) const &", 1),
    ("get_Both(char16_t**, char16_t**)", 2),
    ("TypeInfo::GetDocumentation(int, wchar_t**, wchar_t**, unsigned int*, wchar_t**)", 3),
    ("Handler::GetPropertyInfo(unsigned int, wchar_t**, unsigned int*, unsigned short*)", 1),
    ("parse(char16_t**, Table*)", 0), ("Table::parse(Table*, char16_t**, Table&)", 0),
    ("Lookup(char16_t**, short*)", 0), ("Item::GetValues(unsigned int, char16_t**, VARIANT*)", 0),
    ("get(char16_t**, int)", 0), ("GetIDsOfNames(_GUID const&, wchar_t**, unsigned int, int*)", 0),
    ("Names::find(unsigned int, char16_t**, unsigned int*)", 0),
    ("put_Name(char16_t**)", 0), ("Box::SetName(char16_t**)", 0), ("setup(char16_t**)", 1),
    ("put(char16_t* const*)", 0), ("get(char16_t const**)", 0), ("get(char16_t*)", 0),
    ("get(CComBSTR*)", 0), ("get(std::vector<char16_t**>)", 0), ("get()", 0), ("get", 0),
  ])
  func stringsAreReturned(function: String, count: Int) {
    #expect(signature(function).returnsStrings == (count > 0))
  }

  /// A VARIANT is as well an argument: the name says which, and what else is given.
  @Test(arguments: [
    ("Range::GetAttributeValue(int, VARIANT*)", 1), ("Object::fetch(int, tagVARIANT*)", 1),
    ("Cell::get_Value(VARIANT*)", 1), ("Cell::readAll(int, SAFEARRAY**)", 1),
    ("Handler::GetProperty(unsigned int, unsigned int, tagPROPVARIANT*)", 1),
    ("Handler::GetProperty(unsigned int, PROPVARIANT*) const", 1),
    ("Row::Get(wchar_t const*, long, tagVARIANT*, int*, int*)", 1),
    ("Names::GetNames(tagSAFEARRAY**)", 0), ("convert::ReadLong(VARIANT*)", 0),
    ("Range::get_Item(long, VARIANT*, Range**)", 0), ("Listener::receive(long, VARIANT*)", 0),
    ("GetText(VARIANT*)", 0), ("(anonymous namespace)::getText(VARIANT*)", 0),
    ("Cells::get_Item(VARIANT*, Cell**)", 0), ("Cells::get_Item(VARIANT*, VARIANT*)", 0),
    ("Cell::GetRow(int, VARIANT*, unsigned int)", 0),
    ("Cell::get_Value(int, VARIANT const*)", 0), ("Cell::get_Value(int, VARIANT)", 0),
    ("Cell::get_Value(int, tagSAFEARRAY*)", 0),
    ("Cell::put_Value(int, VARIANT*)", 0), ("put(VARIANT*)", 0), ("Sink::changed(VARIANT*)", 0),
    ("Cell::getter(int, VARIANT*)", 0), ("Cell::get_Text(VARIANT*, char16_t**)", 1),
  ])
  func valuesAreReturned(function: String, count: Int) {
    #expect(signature(function).returnsStrings == (count > 0))
  }

  /// The elements of an enumerator's `Next` are an array behind its length, which a getter fills.
  @Test(arguments: [
    ("Names::Next(unsigned int, char16_t**, unsigned int*)", 1),
    ("Next(unsigned long, tagVARIANT*, unsigned long*)", 1),
    ("Names::Next(unsigned int, VARIANT*, unsigned int*) const", 1),
    ("Names::Next(char16_t**, unsigned int, unsigned int*)", 0),
    ("Names::Next(unsigned int, char16_t* const*, unsigned int*)", 0),
    ("Names::Next(unsigned int, VARIANT const*, unsigned int*)", 0),
    ("Names::Next()", 0), ("", 0), ("(", 0), ("f((", 0), ("f)>(", 0), ("::", 0), ("a::(", 0),
  ])
  func enumeratorsReturnElements(function: String, count: Int) {
    #expect(signature(function).returnsStrings == (count > 0))
  }

  /// What a function that is given a VARIANT receives it may have got for itself.
  @Test(arguments: [
    ("get(char16_t**)", true), ("Table::parse(Table*, wchar_t**)", true),
    ("Names::Next(unsigned int, VARIANT*, unsigned int*)", false),
    ("Cell::get_Value(int, VARIANT*)", false), ("get(char16_t**, Table*)", false),
    ("put(char16_t**)", false), ("get()", false),
  ])
  func someFunctionsPassOn(function: String, passesOn: Bool) {
    #expect(signature(function).passesOn == passesOn)
  }

  /// In C, where a name has no types, the names of COM are known.
  @Test(arguments: [
    ("SafeArrayGetElement", true), ("ErrorInfoImpl_GetSource", true),
    ("ITypeInfo_fnGetDocumentation", true), ("IRecordInfoImpl_GetField", true),
    ("VariantCopy", false), ("VariantChangeType", false), ("GetSource", false),
    ("Log::ErrorInfoGetSource(int)", false),
  ])
  func someAreKnownByName(function: String, isKnown: Bool) {
    #expect(signature(function).isKnown == isKnown)
    #expect(!signature(function).returnsStrings)
  }
}
