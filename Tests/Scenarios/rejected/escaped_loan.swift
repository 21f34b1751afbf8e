// error: overlapping accesses to 'text'
// Rule 1: a string does not change or end while it is lent.
import BSTR

func use(_ text: BorrowedBSTR) { print(text.characterCount) }

func outlive() throws {
  var text = try OwnedBSTR("Ready")
  let loan = text.borrowed
  text = try OwnedBSTR("Loading")
  use(loan)
}
