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

#include "bstrtrace_testkit.h"

// With CATCH_CONFIG_PREFIX_ALL, as beside another framework, Catch2's macros have longer names.
#ifdef CATCH_FAIL_CHECK
#define BSTRTRACE_CATCH2_FAIL CATCH_FAIL_CHECK
#else
#define BSTRTRACE_CATCH2_FAIL FAIL_CHECK
#endif

namespace bstrtrace {

#ifdef BSTRTRACE_CATCH2_2
using catch_listener = Catch::TestEventListenerBase;
#else
using catch_listener = Catch::EventListenerBase;
#endif

/// Puts each run of a test case into a scope of its own.
class catch2_leak_listener : public catch_listener {
 public:
  using catch_listener::catch_listener;

  void sectionStarting(const Catch::SectionInfo &section) override {
    catch_listener::sectionStarting(section);
    // The outermost section is the test case itself.
    if (depth_++ == 0) begin_test_scope(section.name);
  }

  void sectionEnded(const Catch::SectionStats &section) override {
    if (--depth_ == 0) {
      std::string failure = end_test_scope(section.sectionInfo.name);
      // The test case's result is settled after its sections have ended.
      if (!failure.empty()) BSTRTRACE_CATCH2_FAIL(failure);
    }
    catch_listener::sectionEnded(section);
  }

 private:
  int depth_ = 0;
};

}  // namespace bstrtrace

/// Makes every test case of the program fail that leaves BSTRs behind; once, at file scope.
#define BSTRTRACE_FAIL_TESTS_THAT_LEAK                             \
  using bstrtrace_leak_listener = bstrtrace::catch2_leak_listener; \
  CATCH_REGISTER_LISTENER(bstrtrace_leak_listener)

#endif
