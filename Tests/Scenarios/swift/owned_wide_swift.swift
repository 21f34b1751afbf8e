// module: BSTR
// modes: linked
// Swift's types where a character has 4 bytes, as in 7-Zip: the program says so before anything else.
import BSTR
import CBSTR

bstrtrace_set_profile(4, 4)

for text in ["", "Ready", "a\0b", "grün 🎈 \u{10FFFF}"] {
  let string = try OwnedBSTR(text)
  precondition(string.characterCount == text.unicodeScalars.count, text)
  precondition(string.byteCount == 4 * string.characterCount, text)
  precondition(String(string) == text, text)
  precondition(String(validating: string) == text, text)
  precondition(string.utf16 == Array(text.utf16), text)
  let same = try OwnedBSTR(utf16: Array(text.utf16))
  precondition(same == string, text)
}

func unpairedSurrogates() throws {
  let unpaired: [UInt16] = [0x61, 0xDC00, 0xD83C, 0x62, 0xD83C]
  let string = try OwnedBSTR(utf16: unpaired)
  precondition(string.characterCount == 5)
  precondition(string.utf16 == unpaired)
  precondition(String(validating: string) == nil)
  precondition(String(string) == "a\u{FFFD}\u{FFFD}b\u{FFFD}")
  let impossible = try OwnedBSTR.receiving { variable in
    variable.pointee = SysAllocStringByteLen([0, 0, 0x7F, 0x11], 4)
    return 0
  }
  precondition(impossible.utf16 == [0xFFFD])
  precondition(String(impossible) == "\u{FFFD}")
}

try unpairedSurrogates()
