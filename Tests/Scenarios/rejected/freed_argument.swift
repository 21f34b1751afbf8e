// error: 'text' is borrowed and cannot be consumed
// Rule 1: a function that expects a BSTR does not free it.
import BSTR
import CBSTR

func putStatusText(_ text: borrowing OwnedBSTR) { SysFreeString(text.detach()) }
