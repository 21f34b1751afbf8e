// Both kits in one file: a program on its way from one framework to the other. Each has a test that leaks
// and one that does not.
#define CATCH_CONFIG_RUNNER
#define CATCH_CONFIG_PREFIX_ALL
#include <catch2/catch.hpp>
#include <gtest/gtest.h>

#ifdef GOOGLE_FIRST
#include "bstrtrace_gtest.h"
#endif
#include "bstrtrace_catch2.h"
#include "bstrtrace_gtest.h"

BSTRTRACE_FAIL_TESTS_THAT_LEAK

static __attribute__((noinline)) BSTR makeTitle() { return SysAllocString(u"Untitled"); }

TEST(Titles, Forgotten) { EXPECT_EQ(SysStringLen(makeTitle()), 8u); }

TEST(Titles, Freed) { SysFreeString(makeTitle()); }

CATCH_TEST_CASE("forgotten") { CATCH_REQUIRE(SysStringLen(makeTitle()) == 8); }

CATCH_TEST_CASE("freed") {
  SysFreeString(makeTitle());
  CATCH_REQUIRE(true);
}

int main(int count, char **arguments) {
  testing::InitGoogleTest(&count, arguments);
  bstrtrace::fail_tests_that_leak();
  int google = RUN_ALL_TESTS();
  int caught = Catch::Session().run();
  return google * 10 + caught;
}
