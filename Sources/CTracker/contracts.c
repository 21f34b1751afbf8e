// Asserts the layout of CTracker.h's structures that others rely on: other copies of this library
// in the process, which may be older, and Swift, which reads them as memory. Defines nothing.

#include "CTracker.h"

#include <limits.h>

#define OFFSET(type, field, bytes)                         \
  _Static_assert(offsetof(struct type, field) == (bytes), \
                 #type "." #field " is where other copies expect it")

// Found by its note, in all versions: of a copy of another version only the first field is known.
OFFSET(ct_recorder, version, 0);
OFFSET(ct_recorder, is_recording, 4);
OFFSET(ct_recorder, serve, 8);
_Static_assert(sizeof(struct ct_recorder) == 16, "a change of ct_recorder is another version");

// Made by one copy and read by another of the same version.
OFFSET(ct_request, operation, 0);
OFFSET(ct_request, arguments, 8);
OFFSET(ct_request, caller, 32);
OFFSET(ct_request, frame, 40);
OFFSET(ct_request, results, 48);
_Static_assert(sizeof(struct ct_request) == 72, "a change of ct_request is another version");

// Lock.swift puts each on a cache line of its own; zero is a free lock.
_Static_assert(sizeof(struct ct_lock) == 8, "a cache line holds a whole number of locks");

// Swift binds it to words, and to the structures in which Registry+Free.swift describes a block.
_Static_assert(offsetof(struct ct_thread, scratch) % 8 == 0, "scratch memory is of words");
// StackCapture.swift: half of it is for addresses, half for the words that the store keeps of them.
_Static_assert(CT_SCRATCH_WORDS % 2 == 0, "scratch memory has two halves");

// A cell of the filter belongs to one shard, whose lock guards it: the shard is the upper 6 bits of
// a hash.
_Static_assert(CT_FILTER_BITS >= 6, "a cell is of one shard");
_Static_assert((CT_PAGE_LAYOUTS & (CT_PAGE_LAYOUTS - 1)) == 0, "an index is a mask away");
_Static_assert(sizeof(uintptr_t) == 8 && CHAR_BIT == 8, "addresses have 64 bits");
