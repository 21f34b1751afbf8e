// error: 'text' used after consume
// A hand-over: the caller has the string no more.
import BSTR

func take(_ text: consuming OwnedBSTR) {}

func give() throws {
  let text = try OwnedBSTR("Ready")
  take(text)
  print(text.characterCount)
}
