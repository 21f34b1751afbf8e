// Two libraries with strings of two layouts, opened beside each other as a managed host and a plug-in are.
// Each makes, counts and frees its own; with "cross", one frees the other's through its SysFreeString.
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

struct library {
  void *(*make)(void);
  void (*free)(void *bstr), (*free_inlined)(void *bstr);
  unsigned (*length)(const void *bstr);
  int (*replace)(void **bstr);
};

static void *find(void *handle, const char *prefix, const char *name) {
  char symbol[100];
  snprintf(symbol, sizeof symbol, "%s_%s", prefix, name);
  return dlsym(handle, symbol);
}

static struct library open_library(const char *path, const char *prefix) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return (struct library){0};
  return (struct library){
      .make = (void *(*)(void))find(handle, prefix, "make"),
      .free = (void (*)(void *))find(handle, prefix, "free"),
      .free_inlined = (void (*)(void *))find(handle, prefix, "free_inlined"),
      .length = (unsigned (*)(const void *))find(handle, prefix, "length"),
      .replace = (int (*)(void **))find(handle, prefix, "replace"),
  };
}

int main(int count, char **arguments) {
  struct library libraries[] = {open_library(arguments[1], "lib"), open_library(arguments[2], "other")};
  for (int i = 0; i < 100; i++) {
    struct library *library = &libraries[i % 2];
    if (!library->make) return 9;
    void *text = library->make();
    if (library->length(text) != 4) return 2;
    if (i % 3 == 0) library->free(text);
    if (i % 3 == 1) library->free_inlined(text);
    if (i % 3 == 2) {
      if (!library->replace(&text) || library->length(text) != 2) return 3;
      library->free(text);
    }
  }
  if (count > 3 && strcmp(arguments[3], "cross") == 0) libraries[0].free(libraries[1].make());
  return 0;
}
