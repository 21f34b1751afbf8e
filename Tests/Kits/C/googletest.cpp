// Three tests, of which two fail for what they leave behind.
#include <gtest/gtest.h>

#include <thread>

#include "bstrtrace_gtest.h"

static __attribute__((noinline)) BSTR makeTitle() { return SysAllocString(u"Untitled"); }

TEST(Titles, ForgetsItsTitle) { EXPECT_EQ(SysStringLen(makeTitle()), 8u); }

TEST(Titles, IsClean) { SysFreeString(makeTitle()); }

TEST(Titles, FreesTwice) {
  BSTR title = makeTitle();
  SysFreeString(title);
  SysFreeString(title);
}

TEST(Titles, ForgetsInAThread) {
  bstrtrace_scope scope = bstrtrace::test_scope();
  std::thread([scope] {
    bstrtrace::joined joined(scope);
    EXPECT_EQ(SysStringLen(makeTitle()), 8u);
  }).join();
}

int main(int count, char **arguments) {
  testing::InitGoogleTest(&count, arguments);
  bstrtrace::fail_tests_that_leak();
  return RUN_ALL_TESTS();
}
