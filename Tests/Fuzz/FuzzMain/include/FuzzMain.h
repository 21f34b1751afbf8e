/// \file FuzzMain.h
/// What the fuzz targets have in common: libFuzzer's entry, and a `main` for builds without it.

#ifndef BSTRTRACE_FUZZMAIN_H
#define BSTRTRACE_FUZZMAIN_H

#include <stddef.h>
#include <stdint.h>

/// Makes a program fuzz a function of one of the Swift modules.
#define FUZZ_TARGET(function)                                         \
  void function(const uint8_t *bytes, size_t count);                  \
  int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);     \
  int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {    \
    function(bytes, count);                                           \
    return 0;                                                         \
  }

#endif
