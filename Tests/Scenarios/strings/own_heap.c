// flags: -rdynamic -fno-builtin
// sanitizers: no; the program has a heap of its own
// leak: 1 10 main own_heap.c:75
// The executable defines malloc and free: what comes from its heap goes back there, once.
#include <errno.h>
#include <stdatomic.h>

#include "text.h"

enum { ARENA = 64 << 20, LIVE = 0x11FE, FREED = 0xDEAD };

struct head { size_t bytes, state; };

static _Alignas(16) char arena[ARENA];
static atomic_size_t used;

static int is_in_arena(const void *block) {
  return (const char *)block >= arena && (const char *)block < arena + ARENA;
}

static struct head *head_of(void *block) { return (struct head *)block - 1; }

void *malloc(size_t bytes) {
  size_t rounded = (bytes + 15) & ~(size_t)15;
  size_t start = atomic_fetch_add(&used, sizeof(struct head) + rounded);
  if (start + sizeof(struct head) + rounded > ARENA) return NULL;
  struct head *head = (struct head *)(void *)(arena + start);
  *head = (struct head){rounded, LIVE};
  return head + 1;
}

// The arena is zero, and nothing of it is given out twice.
void *calloc(size_t count, size_t bytes) { return malloc(count * bytes); }

void free(void *block) {
  if (!is_in_arena(block)) return;
  if (head_of(block)->state != LIVE) abort();
  head_of(block)->state = FREED;
}

void *realloc(void *block, size_t bytes) {
  void *moved = malloc(bytes);
  if (!block || !moved) return moved;
  size_t old = head_of(block)->bytes;
  memcpy(moved, block, old < bytes ? old : bytes);
  free(block);
  return moved;
}

int posix_memalign(void **block, size_t alignment, size_t bytes) {
  char *start = malloc(bytes + alignment + sizeof(struct head));
  if (!start) return ENOMEM;
  size_t aligned = ((size_t)start + sizeof(struct head) + alignment - 1) & ~(alignment - 1);
  if ((size_t)start % alignment == 0) aligned = (size_t)start;
  struct head *head = head_of((void *)aligned);
  if ((void *)aligned != start) *head = (struct head){bytes, LIVE};
  *block = (void *)aligned;
  return 0;
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  void *block = NULL;
  return posix_memalign(&block, alignment, bytes) == 0 ? block : NULL;
}

size_t malloc_usable_size(void *block) { return block ? head_of(block)->bytes : 0; }

int main(void) {
  // More than quarantine holds.
  for (int i = 0; i < 3000; i++) {
    BSTR text = SysAllocString(T("passes through"));
    if (!is_in_arena((char *)(void *)text - BSTR_PAYLOAD_OFFSET)) return 1;
    SysFreeString(text);
  }
  BSTR kept = SysAllocString(T("stays"));
  return kept == NULL;
}
