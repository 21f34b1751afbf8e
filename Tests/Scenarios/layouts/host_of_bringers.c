// Opens and closes plug-ins that bring the library themselves; the first argument keeps that open.
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments) {
  dlopen(arguments[1], RTLD_NOW);
  int isRight = 1;
  for (int i = 2; i < count; i++) {
    void *plugin = dlopen(arguments[i], RTLD_NOW | RTLD_LOCAL);
    if (!plugin) return puts(dlerror()), 3;
    unsigned (*work)(void) = (unsigned (*)(void))dlsym(plugin, "work");
    isRight &= work() == 4;
    dlclose(plugin);
  }
  return isRight ? 0 : 1;
}
