// Timing of the workloads: in slices, of which the median counts.

#include <stdlib.h>
#include <time.h>

/// The count of slices of the time, so that other load of the machine in one of them does not
/// distort the result.
#define SLICES 25

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare_times(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

/// Returns the median of `SLICES` times, which it sorts.
static double median(double *times) {
  qsort(times, SLICES, sizeof *times, compare_times);
  return times[SLICES / 2];
}

/// Repeats `statement` for `seconds`, and writes to `times` the nanoseconds that it took in each slice.
#define REPEAT(seconds, times, statement)                              \
  for (int slice = 0; slice < SLICES; slice++) {                       \
    unsigned long slice_count = 0;                                     \
    double slice_start = now(), slice_time;                            \
    do {                                                               \
      for (int i = 0; i < 256; i++) statement;                         \
      slice_count += 256;                                              \
      slice_time = now() - slice_start;                                \
    } while (slice_time < (seconds) / SLICES);                         \
    (times)[slice] = slice_time * 1e9 / (double)slice_count;           \
  }
