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

#include "bstrtrace_testkit.h"

namespace bstrtrace {

/// Puts each test, with its fixture's set-up and tear-down, into a scope of its own.
class gtest_leak_listener : public testing::EmptyTestEventListener {
 public:
  void OnTestStart(const testing::TestInfo &test) override { begin_test_scope(name(test)); }

  void OnTestEnd(const testing::TestInfo &test) override {
    std::string failure = end_test_scope(name(test));
    if (!failure.empty()) ADD_FAILURE_AT(test.file(), test.line()) << failure;
  }

 private:
  static std::string name(const testing::TestInfo &test) {
    return std::string(test.test_suite_name()) + "." + test.name();
  }
};

/// Makes every test fail that leaves BSTRs behind. To be called once, before RUN_ALL_TESTS.
inline void fail_tests_that_leak() {
  // GoogleTest owns listeners, and asks the last one first when a test ends: the printer still sees it fail.
  testing::UnitTest::GetInstance()->listeners().Append(new gtest_leak_listener);
}

}  // namespace bstrtrace

#endif
