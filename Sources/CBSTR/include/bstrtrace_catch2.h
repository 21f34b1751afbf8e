/// \file bstrtrace_catch2.h
/// Catch2 (2 and 3): fails the test case that leaves BSTRs behind or frees some wrongly.
///
///     #define CATCH_CONFIG_MAIN        // Catch2 2: in one file of the program
///     #include <catch2/catch.hpp>
///     #include "bstrtrace_catch2.h"
///     BSTRTRACE_FAIL_TESTS_THAT_LEAK
///
/// The program is linked with bstrtrace-linked. A test case that has sections is looked at for each of its
/// runs. Its other threads join its scope, which `bstrtrace::test_scope()` is.

#ifndef BSTRTRACE_CATCH2_H
#define BSTRTRACE_CATCH2_H

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
#else
#include <catch2/catch.hpp>
#define BSTRTRACE_CATCH2_2
#endif

#include <string>

#include "bstrtrace.hpp"

namespace bstrtrace {

/// The scope of the test case that runs, for its threads to join; all zero between test cases.
inline bstrtrace_scope &test_scope() {
  static bstrtrace_scope current = {0};
  return current;
}

#ifdef BSTRTRACE_CATCH2_2
using catch_listener = Catch::TestEventListenerBase;
#else
using catch_listener = Catch::EventListenerBase;
#endif

/// Puts each run of a test case into a scope of its own.
class leak_listener : public catch_listener {
 public:
  using catch_listener::catch_listener;

  void sectionStarting(const Catch::SectionInfo &section) override {
    catch_listener::sectionStarting(section);
    // The outermost section is the test case itself.
    if (depth_++ == 0) test_scope() = bstrtrace_scope_begin(section.name.c_str());
  }

  void sectionEnded(const Catch::SectionStats &section) override {
    if (--depth_ == 0) {
      char *text = nullptr;
      std::size_t found = bstrtrace_scope_end(test_scope(), &text);
      test_scope() = bstrtrace_scope{0};
      std::string report = text ? text : "";
      std::free(text);
      // The test case's result is settled after its sections have ended.
      if (found > 0)
        FAIL_CHECK(section.sectionInfo.name << ": BSTRs left behind or misused: " << found << ".\n"
                                            << report);
    }
    catch_listener::sectionEnded(section);
  }

 private:
  int depth_ = 0;
};

}  // namespace bstrtrace

/// Makes every test case of the program fail that leaves BSTRs behind; once, at file scope.
#define BSTRTRACE_FAIL_TESTS_THAT_LEAK                              \
  using bstrtrace_leak_listener = bstrtrace::leak_listener; \
  CATCH_REGISTER_LISTENER(bstrtrace_leak_listener)

#endif
