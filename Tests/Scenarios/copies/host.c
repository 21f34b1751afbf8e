// Opens a library, calls it and closes it again.
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments) {
  for (int i = 1; i < count; i++) {
    void *handle = dlopen(arguments[i], RTLD_NOW);
    if (!handle) {
      fputs(dlerror(), stderr);
      return 9;
    }
    int (*work)(void) = (int (*)(void))dlsym(handle, "work");
    if (work && work() != 4) return 2;
    dlclose(handle);
  }
  return 0;
}
