/// \file bstrtrace_testkit.h
/// What the kits for C++ test frameworks share: the scope of the test that runs, and its end. Include the
/// header of your framework instead; those of several frameworks can be used together.

#ifndef BSTRTRACE_TESTKIT_H
#define BSTRTRACE_TESTKIT_H

#include <cstddef>
#include <cstdlib>
#include <string>

#include "bstrtrace.hpp"

namespace bstrtrace {

/// The scope of the test that runs, for its threads to join; all zero between tests.
inline bstrtrace_scope &test_scope() {
  static bstrtrace_scope current = {0};
  return current;
}

/// Begins the scope of a test.
inline void begin_test_scope(const std::string &name) {
  test_scope() = bstrtrace_scope_begin(name.c_str());
}

/// Ends the scope of a test: what the test fails with, or nothing.
inline std::string end_test_scope(const std::string &name) {
  char *text = nullptr;
  std::size_t found = bstrtrace_scope_end(test_scope(), &text);
  test_scope() = bstrtrace_scope{0};
  std::string report = text ? text : "";
  std::free(text);
  if (found == 0) return "";
  return name + ": BSTRs left behind or misused: " + std::to_string(found) + ".\n" + report;
}

}  // namespace bstrtrace

#endif
