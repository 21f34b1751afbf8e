// leak: 2 44 ui::Window::title(int) three_from_two_places_cpp.cpp:13
// leak: 1 6 char16_t* ui::name<char16_t>(char16_t const*, int) three_from_two_places_cpp.cpp:19
// The same in C++: a method of a class in a namespace, and a template.
#include <cstdio>

#include "bstr.h"

namespace ui {
class Window {
 public:
  __attribute__((noinline)) BSTR title(int index) {
    count_ += index;
    return SysAllocString(u"Status Text");
  }
  int count_ = 0;
};
template <class Character>
__attribute__((noinline)) Character *name(const Character *text, int length) {
  return SysAllocStringLen(text, length);
}
}  // namespace ui

int main() {
  ui::Window window;
  for (int i = 0; i < 2; i++) std::printf("%u\n", SysStringLen(window.title(i)));
  std::printf("%u\n", SysStringLen(ui::name(u"abcdefgh", 3)));
  SysFreeString(ui::name(u"abcdefgh", 4));
}
