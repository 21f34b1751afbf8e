// Defines the call frame information's part of CTrackerTesting.h.

#define _GNU_SOURCE
#include "CTrackerTesting.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <ucontext.h>

struct search {
  const char *library;
  struct ctt_function *functions;
  size_t room, count;
};

// The table that GNU ld, gold and lld all write (Linux Standard Base, ".eh_frame_hdr"): offsets of 4 bytes from
// the section's start, sorted; in front of it the encodings and the number of entries.
enum { PCREL_SDATA4 = 0x1B, DATAREL_SDATA4 = 0x3B, UDATA4 = 0x03 };

static void list(const uint8_t *header, struct search *search) {
  if (header[0] != 1 || header[1] != PCREL_SDATA4 || header[2] != UDATA4 || header[3] != DATAREL_SDATA4)
    return;
  uint32_t count;
  memcpy(&count, header + 8, sizeof count);
  for (uint32_t index = 0; index < count; index++) {
    int32_t pair[2];
    memcpy(pair, header + 12 + 8 * (size_t)index, sizeof pair);
    uint32_t bytes;
    // Behind its length, its CIE and its start.
    memcpy(&bytes, header + pair[1] + 12, sizeof bytes);
    if (search->count < search->room)
      search->functions[search->count] =
          (struct ctt_function){.start = (uintptr_t)(header + pair[0]), .bytes = bytes};
    search->count++;
  }
}

static int visit(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size;
  struct search *search = context;
  size_t path = strlen(info->dlpi_name), wanted = strlen(search->library);
  bool found = wanted == 0 ? path == 0
                           : path >= wanted &&
                                 strcmp(info->dlpi_name + path - wanted, search->library) == 0;
  if (!found) return 0;
  for (int index = 0; index < info->dlpi_phnum; index++)
    if (info->dlpi_phdr[index].p_type == PT_GNU_EH_FRAME)
      list((const uint8_t *)(info->dlpi_addr + info->dlpi_phdr[index].p_vaddr), search);
  return 1;
}

size_t ctt_functions(const char *library, struct ctt_function *functions, size_t room) {
  struct search search = {.library = library, .functions = functions, .room = room};
  dl_iterate_phdr(visit, &search);
  return search.count;
}

int ctt_unwind(struct ctt_frame *frame) {
  unw_context_t context;
  unw_getcontext(&context);
  context.uc_mcontext.gregs[REG_RIP] = (greg_t)frame->address;
  context.uc_mcontext.gregs[REG_RSP] = (greg_t)frame->stack_pointer;
  context.uc_mcontext.gregs[REG_RBP] = (greg_t)frame->frame_pointer;
  unw_cursor_t cursor;
  // The address is one that is returned to: the call in front of it is what is unwound from.
  int result = unw_init_local(&cursor, &context);
  if (result < 0) return result;
  result = unw_step(&cursor);
  if (result <= 0) return result;
  unw_word_t address, stack_pointer, frame_pointer;
  if (unw_get_reg(&cursor, UNW_REG_IP, &address) || unw_get_reg(&cursor, UNW_REG_SP, &stack_pointer) ||
      unw_get_reg(&cursor, UNW_X86_64_RBP, &frame_pointer))
    return -1;
  *frame = (struct ctt_frame){address, stack_pointer, frame_pointer};
  return result;
}
