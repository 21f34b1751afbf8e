// A program and a plug-in that both reach the functions of what the program was started with, although the plug-in
// needs a library that has other ones.
#include <dlfcn.h>

typedef unsigned short OLECHAR;
OLECHAR *SysAllocStringLen(const OLECHAR *, unsigned);
unsigned SysStringLen(OLECHAR *);
void SysFreeString(OLECHAR *);

static const OLECHAR text[] = {'t', 'e', 'x', 't', 0};

#ifdef PLUGIN
OLECHAR *pluginMake(void) {
  OLECHAR *string = SysAllocStringLen(text, 4);
  __asm__ volatile("");
  return string;
}
unsigned pluginCount(OLECHAR *string) {
  unsigned count = SysStringLen(string);
  __asm__ volatile("");
  return count;
}
void pluginDrop(OLECHAR *string) {
  SysFreeString(string);
  __asm__ volatile("");
}
#else
int main(int count, char **arguments) {
  if (count < 2) return 2;
  OLECHAR *own = SysAllocStringLen(text, 4);
  void *plugin = dlopen(arguments[1], RTLD_NOW);
  if (!plugin) return 3;
  OLECHAR *(*make)(void) = (OLECHAR * (*)(void)) dlsym(plugin, "pluginMake");
  unsigned (*counts)(OLECHAR *) = (unsigned (*)(OLECHAR *))dlsym(plugin, "pluginCount");
  void (*drop)(OLECHAR *) = (void (*)(OLECHAR *))dlsym(plugin, "pluginDrop");
  OLECHAR *other = make();
  int isRight = counts(own) == 4 && SysStringLen(other) == 4;
  SysFreeString(other);
  drop(own);
  return isRight ? 0 : 1;
}
#endif
