// Pairs of malloc and free in a program without BSTRs. Prints nanoseconds per pair.
//
//   heap SECONDS WARM-UP

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/// Nanoseconds per pair over about `seconds`.
static double pairs(double seconds) {
  double start = now(), end = start;
  unsigned long count = 0;
  while (end - start < seconds) {
    for (int i = 0; i < 256; i++) {
      void *block = malloc(42);
      __asm__ volatile("" : : "r"(block) : "memory");
      free(block);
    }
    count += 256;
    end = now();
  }
  return (end - start) * 1e9 / (double)count;
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 0.1;
  pairs(argc > 2 ? atof(argv[2]) : 0.025);
  printf("ns_per_pair %.3f\n", pairs(seconds));
  return 0;
}
