/// \file bstrtrace_gtest.h
/// GoogleTest: fails the test that leaves BSTRs behind or frees some wrongly.
///
///     int main(int count, char **arguments) {
///       testing::InitGoogleTest(&count, arguments);
///       bstrtrace::fail_tests_that_leak();
///       return RUN_ALL_TESTS();
///     }
///
/// The program is linked with bstrtrace-linked. A test's other threads join its scope, which
/// `bstrtrace::test_scope()` is.

#ifndef BSTRTRACE_GTEST_H
#define BSTRTRACE_GTEST_H

#include <gtest/gtest.h>

#include <string>

#include "bstrtrace.hpp"

namespace bstrtrace {

/// The scope of the test that runs, for its threads to join; all zero between tests.
inline bstrtrace_scope &test_scope() {
  static bstrtrace_scope current = {0};
  return current;
}

/// Puts each test, with its fixture's set-up and tear-down, into a scope of its own.
class leak_listener : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo &test) override {
    std::string name = std::string(test.test_suite_name()) + "." + test.name();
    test_scope() = bstrtrace_scope_begin(name.c_str());
  }

  void OnTestEnd(const testing::TestInfo &test) override {
    char *report = nullptr;
    std::size_t found = bstrtrace_scope_end(test_scope(), &report);
    test_scope() = bstrtrace_scope{0};
    if (found > 0)
      ADD_FAILURE_AT(test.file(), test.line())
          << test.test_suite_name() << "." << test.name()
          << ": BSTRs left behind or misused: " << found << ".\n"
          << (report ? report : "");
    std::free(report);
  }
};

/// Makes every test fail that leaves BSTRs behind. To be called once, before RUN_ALL_TESTS.
inline void fail_tests_that_leak() {
  // GoogleTest owns listeners, and asks the last one first when a test ends: the printer still sees it fail.
  testing::UnitTest::GetInstance()->listeners().Append(new leak_listener);
}

}  // namespace bstrtrace

#endif
