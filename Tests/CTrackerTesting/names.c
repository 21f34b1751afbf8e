// Defines the names' part of CTrackerTesting.h.

#include "CTrackerTesting.h"

#include "copies.h"
#include "names.h"

int ctt_function_count(void) { return CT_FUNCTION_COUNT; }
int ctt_linkage_count(void) { return CT_LINKAGE_c + 1; }

const char *ctt_symbol(int function, int linkage) {
  return ct_symbol_of((enum ct_function)function, (enum ct_linkage)linkage);
}

int ctt_function_named(const char *name) { return (int)ct_function_named(name); }

bool ctt_find_name(const char *symbol, int *function, int *linkage) {
  enum ct_function found = CT_FUNCTION_COUNT;
  enum ct_linkage with = CT_LINKAGE_NONE;
  if (!ct_find_name(symbol, &found, &with)) return false;
  *function = (int)found;
  *linkage = (int)with;
  return true;
}

const void *ctt_first_definition(const char *symbol) { return ct_first_definition(NULL, symbol); }

int ctt_definitions(const char *symbol) {
  struct ct_definitions found = {.symbol = symbol};
  if (!ct_visit_modules(ct_note_definition, &found)) return -1;
  return found.are_several ? 2 : found.first != NULL;
}
