// A program without errors over a library with BSTR functions of its own; with an argument it forgets a string.
#include <stdlib.h>

void *lib_make(void);
void lib_free(void *bstr);
void lib_free_inlined(void *bstr);
unsigned lib_length(const void *bstr);
int lib_replace(void **bstr);
void *SysAllocString(const char *text);
void SysFreeString(void *bstr);
unsigned SysStringLen(const void *bstr);

int main(int count, char **arguments) {
  (void)arguments;
  if (lib_length(NULL) != 0) return 1;
  for (int i = 0; i < 100; i++) {
    void *text = lib_make();
    if (lib_length(text) != 4 || SysStringLen(text) != 4) return 2;
    if (i % 3 == 0) lib_free(text);
    if (i % 3 == 1) lib_free_inlined(text);
    if (i % 3 == 2) {
      if (!lib_replace(&text) || lib_length(text) != 2) return 3;
      SysFreeString(text);
    }
  }
  if (count > 1) lib_make();
  return 0;
}
