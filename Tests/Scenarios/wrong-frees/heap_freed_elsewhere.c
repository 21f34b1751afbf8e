// flags: -fno-builtin
// fault: invalid-free heap 1 detected=free_name:14 freed=- allocated=-
// fault: invalid-free heap 1 detected=main:27 freed=- allocated=-
// threads
// Bug class 11: heap memory of another thread's arena, a large block, and an object that is full of zeros.
#include <pthread.h>

#include "text.h"

struct person { size_t references; OLECHAR name[20]; };

KEEP static void *free_name(void *unused) {
  struct person *person = calloc(1, sizeof *person);
  SysFreeString(person->name);
  person->references = 1;
  free(person);
  return unused;
}

int main(void) {
  SysFreeString(SysAllocString(T("x")));
  pthread_t thread;
  pthread_create(&thread, NULL, free_name, NULL);
  pthread_join(thread, NULL);
  char *large = malloc(1 << 20);
  memset(large, 1, 1 << 20);
  SysFreeString((BSTR)(void *)(large + 1000));
  free(large);
  return 0;
}
