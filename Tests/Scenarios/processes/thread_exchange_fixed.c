// widths: 2 4
// threads
// Strings that cross threads in both directions, pinned and enlarged on the way, are nobody's fault.
#include <pthread.h>

#include "text.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static BSTR slots[64];

static void *worker(void *seed) {
  unsigned state = (unsigned)(uintptr_t)seed;
  for (int i = 0; i < 5000; i++) {
    state = state * 1103515245u + 12345u;
    BSTR text = SysAllocStringLen(NULL, state >> 16 & 63);
    if (state & 1 << 20) SysReAllocStringLen(&text, NULL, 80);
    SysAddRefString(text);
    pthread_mutex_lock(&mutex);
    BSTR old = slots[state >> 24 & 63];
    slots[state >> 24 & 63] = text;
    SysReleaseString(text);
    pthread_mutex_unlock(&mutex);
    SysFreeString(old);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[4];
  for (uintptr_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, worker, (void *)(i + 1));
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 64; i++) SysFreeString(slots[i]);
  return 0;
}
