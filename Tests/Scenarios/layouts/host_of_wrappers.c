// Uses libraries of wrapped_functions.c one after the other, and has all of them count to four.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static int use(void *library) {
  void *(*make)(void) = (void *(*)(void))dlsym(library, "make");
  unsigned (*count)(void *) = (unsigned (*)(void *))dlsym(library, "count");
  void (*drop)(void *) = (void (*)(void *))dlsym(library, "drop");
  void (*dropInlined)(void *) = (void (*)(void *))dlsym(library, "dropInlined");
  void *one = make(), *other = make();
  int isRight = count(one) == 4 && count(other) == 4 && *(char *)one == 't';
  drop(one);
  dropInlined(other);
  return isRight;
}

/// open|keep PATH...: whether each library is closed before the next is opened.
int main(int count, char **arguments) {
  int isRight = 1;
  for (int round = 0; round < 3; round++)
    for (int i = 2; i < count; i++) {
      void *library = dlopen(arguments[i], RTLD_NOW | RTLD_LOCAL);
      if (!library) return puts(dlerror()), 3;
      isRight &= use(library);
      if (strcmp(arguments[1], "open") == 0) dlclose(library);
    }
  return isRight ? 0 : 1;
}
