// Starts as many threads as the first argument says, each of which allocates and frees 2,000 strings
// at ten places, and prints the resident memory in KiB that each takes while all of them are alive.
// Then they end, and it prints the KiB that each has left, and the KiB that the address space has
// grown for each when a second round of threads has ended.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bstr.h"

static pthread_barrier_t worked, measured;
static volatile int last;

struct memory {
  long address_space, resident;
};

static struct memory memory(void) {
  long pages = sysconf(_SC_PAGESIZE) / 1024;
  struct memory memory;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file || fscanf(file, "%ld %ld", &memory.address_space, &memory.resident) != 2) exit(1);
  fclose(file);
  return (struct memory){memory.address_space * pages, memory.resident * pages};
}

#define PLACE(n)                                        \
  __attribute__((noinline)) static void place##n(void) { \
    SysFreeString(SysAllocString(u"text"));             \
    last = n;                                           \
  }
PLACE(0) PLACE(1) PLACE(2) PLACE(3) PLACE(4) PLACE(5) PLACE(6) PLACE(7) PLACE(8) PLACE(9)
static void (*const places[])(void) = {place0, place1, place2, place3, place4,
                                       place5, place6, place7, place8, place9};

static void *work(void *unused) {
  for (int i = 0; i < 2000; i++) places[i % 10]();
  pthread_barrier_wait(&worked);
  pthread_barrier_wait(&measured);
  return unused;
}

int main(int count, char **arguments) {
  int threads = count > 1 ? atoi(arguments[1]) : 10;
  pthread_t *ids = malloc(sizeof *ids * (size_t)threads);
  pthread_attr_t attributes;
  if (!ids || pthread_attr_init(&attributes) != 0) return 1;
  pthread_attr_setstacksize(&attributes, 256 << 10);
  pthread_barrier_init(&worked, NULL, (unsigned)threads + 1);
  pthread_barrier_init(&measured, NULL, (unsigned)threads + 1);
  struct memory before = memory(), alive, ended[2];
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < threads; i++)
      if (pthread_create(&ids[i], &attributes, work, NULL) != 0) return 1;
    pthread_barrier_wait(&worked);
    if (round == 0) alive = memory();
    pthread_barrier_wait(&measured);
    for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
    ended[round] = memory();
  }
  printf("%ld\n", (alive.resident - before.resident) / threads);
  printf("%ld\n", (ended[0].resident - before.resident) / threads);
  printf("%ld\n", (ended[1].address_space - ended[0].address_space) / threads);
  return 0;
}
