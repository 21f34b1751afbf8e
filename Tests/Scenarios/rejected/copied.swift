// error: 'text' used after consume
// Two variables never own one string: a copy says so.
import BSTR

func twice() throws {
  let text = try OwnedBSTR("Ready")
  let second = text
  print(second.characterCount, text.characterCount)
}
