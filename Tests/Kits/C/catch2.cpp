// Three test cases, of which two fail for what they leave behind.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

#include "bstrtrace_catch2.h"

BSTRTRACE_FAIL_TESTS_THAT_LEAK

static __attribute__((noinline)) BSTR makeTitle() { return SysAllocString(u"Untitled"); }

TEST_CASE("forgets its title") { REQUIRE(SysStringLen(makeTitle()) == 8); }

TEST_CASE("is clean") {
  SECTION("once") { SysFreeString(makeTitle()); }
  SECTION("twice") { SysFreeString(makeTitle()); }
  REQUIRE(true);
}

TEST_CASE("forgets in one of two sections") {
  SECTION("frees") { SysFreeString(makeTitle()); }
  SECTION("forgets") { REQUIRE(SysStringLen(makeTitle()) == 8); }
  REQUIRE(true);
}
