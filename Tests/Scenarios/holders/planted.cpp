// options: holders=on
// threads
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 2 20 in_map planted.cpp:102
// leak: 2 20 in_vector planted.cpp:94
// leak: 1 10 behind_number planted.cpp:196
// leak: 1 10 behind_vector planted.cpp:110
// leak: 1 10 in_dead_frame planted.cpp:122
// leak: 1 10 in_fastbin planted.cpp:146
// leak: 1 10 in_frame_of_thread planted.cpp:159
// leak: 1 10 in_freed_block planted.cpp:134
// leak: 1 10 in_global planted.cpp:50
// leak: 1 10 in_local_static planted.cpp:60
// leak: 1 10 in_object planted.cpp:72
// leak: 1 10 in_objects planted.cpp:85
// leak: 1 10 in_static_member planted.cpp:55
// leak: 1 10 in_thread_local planted.cpp:65
// leak: 1 10 inside planted.cpp:170
// leak: 1 10 of_block planted.cpp:177
// leak: 1 10 without_class planted.cpp:184
// held: in_global g_text (program .bss) → the string
// held: in_static_member Registry::last (program .bss) → the string
// held: in_local_static in_local_static()::kept (program .bss) → the string
// held: in_thread_local t_text (program, of the main thread) → the string
// held: in_object g_object (program .bss) → Status, 24 bytes, +8 → the string
// held: in_objects g_objects +8 (program .bss) → Holder<4>, 24 bytes, +8 → Holder<3>, 24 bytes, +8 → Holder<2>, 24 bytes, +8 → Status, 24 bytes, +8 → the string
// held: in_vector g_vector (program .bss) → block, 24 bytes, +0 → the string
// held: in_map g_map +* (program .bss) → block, 56 bytes, +40 → the string, 1 of 2 strings
// held: in_map g_map +* (program .bss) → block, 56 bytes, +40 → the string, 1 of 2 strings
// held: behind_vector g_shrunk (program .bss) → block, 24 bytes, +8 → the string (weak)
// held: in_dead_frame nobody
// held: in_freed_block nobody|*block, 24 bytes, +16 → the string (weak)
// held: in_fastbin nobody
// held: in_frame_of_thread the stack of thread *, in worker(void*) (weak)
// held: inside g_inside (program .bss) → the string
// held: behind_number g_behind (program .bss) → block, 24 bytes, +8 → the string (weak)
// held: of_block g_block (program .bss) → the string
// held: without_class g_plain (program .bss) → block, 24 bytes, +16 → the string (weak)
// What holds a string, planted in every way; and words that are out of use.
#include <pthread.h>
#include <unistd.h>

#include <map>
#include <vector>

#include "text.h"

static BSTR g_text;

KEEP static void in_global() { g_text = SysAllocString(T("held.")); }

struct Registry {
  static BSTR last;
};
KEEP static void in_static_member() { Registry::last = SysAllocString(T("held.")); }
BSTR Registry::last;

KEEP static void in_local_static() {
  static BSTR kept;
  kept = SysAllocString(T("held."));
  if (SysStringLen(kept) != 5) abort();
}

static thread_local BSTR t_text;
KEEP static void in_thread_local() { t_text = SysAllocString(T("held.")); }

struct Status {
  BSTR text = nullptr;
  virtual ~Status() {}
};
static Status *g_object;
KEEP static void in_object() { g_object = new Status, g_object->text = SysAllocString(T("held.")); }

template <int depth> struct Holder {
  void *next;
  explicit Holder(void *next) : next(next) {}
  virtual ~Holder() {}
};
struct {
  long before;
  void *first;
} g_objects;
KEEP static void in_objects() {
  Status *status = new Status;
  status->text = SysAllocString(T("held."));
  g_objects.first = new Holder<4>(new Holder<3>(new Holder<2>(status)));
}

// Its destructor frees the memory, and not the strings.
static std::vector<BSTR> g_vector;
KEEP static void in_vector() {
  g_vector.reserve(2);
  for (int i = 0; i < 2; i++)
    g_vector.push_back(SysAllocString(T("held.")));
}

static std::map<int, BSTR> g_map;
KEEP static void in_map() {
  for (int i = 0; i < 2; i++) {
    int key = i * 7;
    // One line.
    g_map[key] = SysAllocString(T("held."));
  }
}

static std::vector<BSTR> g_shrunk;
KEEP static void behind_vector() {
  g_shrunk.reserve(3);
  g_shrunk.push_back(nullptr);
  g_shrunk.push_back(SysAllocString(T("held.")));
  g_shrunk.pop_back();
}

KEEP static void overwrite() {
  volatile char room[2048];
  for (size_t i = 0; i < sizeof room; i++) room[i] = 1;
}

// A frame that is gone.
KEEP static void in_dead_frame() {
  BSTR volatile text =
      SysAllocString(T("held."));
  (void)text;
}

struct Plain {
  void *one, *two;
  BSTR text;
};

// Memory that was freed, in a thread's cache.
KEEP static void in_freed_block() {
  Plain *plain = (Plain *)malloc(sizeof(Plain));
  plain->text = SysAllocString(T("held."));
  free(plain);
}

// Memory that was freed, in a list of small chunks that are not marked.
KEEP static void in_fastbin() {
  struct Larger {
    Plain plain;
    long more[7];
  };
  Larger *blocks[9];
  for (Larger *&block : blocks) block = (Larger *)malloc(sizeof(Larger));
  blocks[7]->plain.text = SysAllocString(T("held."));
  for (Larger *block : blocks) free(block);
}

static pthread_barrier_t barrier;

static void *worker(void *text) {
  BSTR volatile mine = (BSTR)text;
  pthread_barrier_wait(&barrier);
  while (mine) pause();
  return nullptr;
}
KEEP static void in_frame_of_thread() {
  void *text = SysAllocString(T("held."));
  pthread_t thread;
  pthread_barrier_init(&barrier, nullptr, 2);
  if (pthread_create(&thread, nullptr, worker, text) != 0) abort();
  pthread_detach(thread);
  pthread_barrier_wait(&barrier);
  usleep(50000);
}

static char *g_inside;
KEEP static void inside() {
  g_inside = (char *)SysAllocString(T("held.")) + 2 * sizeof(OLECHAR);
}

static char *g_block;
KEEP static void of_block() {
  // What a private copy of SysFreeString passes to free.
  g_block = (char *)
      SysAllocString(T("held."));
  g_block -= (size_t)g_block % 16;
}

static Plain *g_plain;
KEEP static void without_class() {
  g_plain = (Plain *)calloc(1, sizeof(Plain));
  g_plain->text = SysAllocString(T("held."));
}

// The first word of a block is no address, and near the end of the address space.
struct Behind {
  long delta;
  BSTR text;
};
static Behind *g_behind;
KEEP static void behind_number() {
  g_behind = (Behind *)malloc(sizeof(Behind));
  g_behind->delta = -8;
  g_behind->text = SysAllocString(T("held."));
}

int main() {
  in_global(), in_static_member(), in_local_static(), in_thread_local();
  in_object(), in_objects(), in_vector(), in_map(), behind_vector(), behind_number();
  in_dead_frame(), in_freed_block(), in_fastbin();
  in_frame_of_thread(), inside(), of_block(), without_class();
  overwrite();
}
