// Defines the heap's part of CTrackerTesting.h.

#include "CTrackerTesting.h"

#include <pthread.h>
#include <stdlib.h>

#include "CTracker.h"

// More than a thread's cache holds of one size.
enum { BLOCKS = 9 };

static void *run(void *key) {
  void *separators[3][BLOCKS];
  for (size_t index = 0; index < 3; index++) {
    void *blocks[BLOCKS];
    for (int block = 0; block < BLOCKS; block++) {
      blocks[block] = malloc(952 + 16 * index);
      // What is free is not to become one with its neighbour.
      separators[index][block] = malloc(1200);
    }
    for (int block = 0; block < BLOCKS; block++) free(blocks[block]);
  }
  *(uint64_t *)key = ct_tcache_key();
  for (size_t index = 0; index < 3; index++)
    for (int block = 0; block < BLOCKS; block++) free(separators[index][block]);
  return NULL;
}

uint64_t ctt_key_with_full_caches(void) {
  uint64_t key = 0;
  pthread_t thread;
  if (pthread_create(&thread, NULL, run, &key) == 0) pthread_join(thread, NULL);
  return key;
}
