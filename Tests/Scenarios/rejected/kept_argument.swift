// error: 'text' is borrowed and cannot be consumed
// Rule 1: a function that keeps its argument makes a copy.
import BSTR

struct Browser: ~Copyable {
  var status: OwnedBSTR

  mutating func putStatusText(_ text: borrowing OwnedBSTR) { status = text }
}
