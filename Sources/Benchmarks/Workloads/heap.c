// Pairs of malloc and free in a program without BSTRs. Prints nanoseconds per pair.
//
//   heap SECONDS WARM-UP

#include <stdio.h>
#include <stdlib.h>

#include "slices.h"

/// Nanoseconds per pair over about `seconds`.
static double pairs(double seconds) {
  double times[SLICES];
  REPEAT(seconds, times, {
    void *block = malloc(42);
    __asm__ volatile("" : : "r"(block) : "memory");
    free(block);
  });
  return median(times);
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 0.1;
  pairs(argc > 2 ? atof(argv[2]) : 0.025);
  printf("ns_per_pair %.3f\n", pairs(seconds));
  return 0;
}
