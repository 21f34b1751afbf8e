// Frees a string twice, unless it has an argument: a program of the check of an installed
// bstrtrace.
#include <bstr.h>

struct Window {
  BSTR title;
  explicit Window(const OLECHAR *text) : title(SysAllocString(text)) {}
  ~Window() { SysFreeString(title); }
};

int main(int count, char **) {
  Window window(u"title");
  if (count == 1) SysFreeString(window.title);
  return 0;
}
