// Keeps the string layout of each caller, in the tables that the functions read before they ask
// Swift.

#define _GNU_SOURCE
#include <link.h>

#include "CTracker.h"

uint64_t ct_page_layouts[CT_PAGE_LAYOUTS];
uint64_t ct_call_layouts[CT_CALL_LAYOUTS][2];
struct ct_alias_page ct_alias_pages[CT_ALIAS_PAGES];
uint8_t ct_assumed_layout;

static const struct link_map no_newer_module;
const struct link_map *ct_newest_module = &no_newer_module;
static bool is_kept_by_page;
// Whether modules were found to differ, for good: before the first list of modules was looked at, too.
static bool is_kept_by_call;

void ct_tell_pages_apart(const struct link_map *last) {
  if (__atomic_load_n(&is_kept_by_call, __ATOMIC_ACQUIRE)) return;
  __atomic_store_n(&ct_newest_module, last, __ATOMIC_RELAXED);
  __atomic_store_n(&is_kept_by_page, true, __ATOMIC_RELEASE);
}

void ct_tell_calls_apart(void) {
  __atomic_store_n(&is_kept_by_call, true, __ATOMIC_RELEASE);
  if (!__atomic_load_n(&is_kept_by_page, __ATOMIC_ACQUIRE)) return;
  __atomic_store_n(&is_kept_by_page, false, __ATOMIC_SEQ_CST);
  ct_forget_layouts();
  __atomic_store_n(&ct_newest_module, &no_newer_module, __ATOMIC_RELEASE);
}

static uint64_t *set_of(uintptr_t return_address) {
  return ct_call_layouts[(return_address ^ return_address >> 12) % CT_CALL_LAYOUTS];
}

uint8_t ct_layout_of_call(uintptr_t return_address) {
  uint64_t *set = set_of(return_address), key = (uint64_t)return_address << 8;
  for (int way = 0; way < 2; way++) {
    uint64_t layout = __atomic_load_n(&set[way], __ATOMIC_RELAXED) ^ key;
    if (layout <= UINT8_MAX) return (uint8_t)layout;
  }
  return 0;
}

void ct_set_layout_of_caller(uintptr_t return_address, uint8_t layout) {
  if (ct_has_newer_module()) ct_tell_calls_apart();
  if (__atomic_load_n(&is_kept_by_page, __ATOMIC_ACQUIRE)) {
    // All modules have one layout, so that one that was guessed is certain.
    uint64_t page = return_address >> 12, word = page << 12 | (layout & ~CT_GUESSED);
    __atomic_store_n(&ct_page_layouts[page % CT_PAGE_LAYOUTS], word, __ATOMIC_SEQ_CST);
    // Another thread may have found modules that differ meanwhile, and cleared the table.
    if (!__atomic_load_n(&is_kept_by_page, __ATOMIC_SEQ_CST))
      __atomic_store_n(&ct_page_layouts[page % CT_PAGE_LAYOUTS], 0, __ATOMIC_RELAXED);
    return;
  }
  uint64_t *set = set_of(return_address);
  uint64_t word = (uint64_t)return_address << 8 | layout, first = set[0];
  // An older layout of the same call site is replaced.
  if ((first ^ word) > UINT8_MAX) __atomic_store_n(&set[1], first, __ATOMIC_RELAXED);
  __atomic_store_n(&set[0], word, __ATOMIC_RELAXED);
}

void ct_forget_layouts(void) {
  for (int i = 0; i < CT_ALIAS_PAGES; i++)
    __atomic_store_n(&ct_alias_pages[i].key, 0, __ATOMIC_RELAXED);
  for (int i = 0; i < CT_PAGE_LAYOUTS; i++)
    __atomic_store_n(&ct_page_layouts[i], 0, __ATOMIC_RELAXED);
  for (int i = 0; i < CT_CALL_LAYOUTS; i++) {
    __atomic_store_n(&ct_call_layouts[i][0], 0, __ATOMIC_RELAXED);
    __atomic_store_n(&ct_call_layouts[i][1], 0, __ATOMIC_RELAXED);
  }
}
