/// \file bstrtrace.hpp
/// Calls of methods whose parameters' types say who owns what, `bstrtrace::call`, and scopes that end with
/// a block. For C++17; everything here calls bstrtrace.h, and does nothing where that does nothing.

#ifndef BSTRTRACE_HPP
#define BSTRTRACE_HPP

#include <functional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <cstdio>
#include <cstdlib>

#include "bstrtrace.h"

namespace bstrtrace {

/// Says that a `BSTR *` argument is [out]: its variable must own nothing before the call.
struct out {
  BSTR *variable;
  explicit out(BSTR *variable) : variable(variable) {}
  operator BSTR *() const { return variable; }
};

/// Says that a `BSTR *` argument is [in,out]: the function frees the old string if it stores another.
struct in_out {
  BSTR *variable;
  explicit in_out(BSTR *variable) : variable(variable) {}
  operator BSTR *() const { return variable; }
};

namespace detail {

/// What is declared around a call for one argument; nothing for most types.
template <class Parameter, class Argument, class = void>
struct Passing {
  template <class Any>
  explicit Passing(const Any &) {}
  void after(HRESULT) {}
};

/// [in]: lent during the call.
template <class Argument>
struct Passing<BSTR, Argument> {
  BSTR string;
  explicit Passing(BSTR string) : string(string) { bstrtrace_lend(string); }
  void after(HRESULT) { bstrtrace_give_back(string); }
};

/// [out] or [in,out], which only the call shows: what was there is either kept or freed.
template <class Argument>
struct Passing<BSTR *, Argument> {
  BSTR *variable;
  BSTR old;
  explicit Passing(BSTR *variable) : variable(variable), old(variable ? *variable : nullptr) {}
  void after(HRESULT result) {
    if (old) bstrtrace_after_in_out(variable, old);
    else bstrtrace_after_out(variable, result);
  }
};

template <>
struct Passing<BSTR *, out> {
  BSTR *variable;
  explicit Passing(const out &argument) : variable(argument.variable) {
    bstrtrace_before_out(variable);
  }
  void after(HRESULT result) { bstrtrace_after_out(variable, result); }
};

template <>
struct Passing<BSTR *, in_out> {
  BSTR *variable;
  BSTR old;
  explicit Passing(const in_out &argument)
      : variable(argument.variable), old(variable ? *variable : nullptr) {}
  void after(HRESULT) { bstrtrace_after_in_out(variable, old); }
};

/// A pointer to something like a VARIANT: a string that it holds afterwards was received.
template <class Variant, class Argument>
struct Passing<Variant *, Argument,
               std::void_t<decltype(std::declval<Variant &>().vt),
                           std::enable_if_t<std::is_same_v<
                               decltype(std::declval<Variant &>().bstrVal), BSTR>>>> {
  Variant *variant;
  BSTR old;
  static constexpr int vtBstr = 8;
  explicit Passing(Variant *variant)
      : variant(variant), old(variant && variant->vt == vtBstr ? variant->bstrVal : nullptr) {}
  void after(HRESULT result) {
    if (variant && variant->vt == vtBstr && variant->bstrVal != old)
      bstrtrace_after_out(&variant->bstrVal, result);
  }
};

template <class Result>
HRESULT status(const Result &result) {
  if constexpr (std::is_same_v<Result, HRESULT>) return result;
  else return (void)result, S_OK;
}

}  // namespace detail

/// Calls `method` of `object`, which is an object, a pointer or a smart pointer, and declares what the
/// parameters' types say: a `BSTR` is lent, a `BSTR *` receives or replaces, a `BSTR` that comes back is
/// received.
template <class Object, class Class, class Result, class... Parameters, class... Arguments>
Result call(Object &&object, Result (Class::*method)(Parameters...), Arguments &&...arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments), "one argument for each parameter");
#ifdef BSTRTRACE_DISABLED
  return std::invoke(method, std::forward<Object>(object), std::forward<Arguments>(arguments)...);
#else
  std::tuple<detail::Passing<Parameters, std::decay_t<Arguments>>...> passing{
      detail::Passing<Parameters, std::decay_t<Arguments>>(arguments)...};
  auto after = [&passing](HRESULT result) {
    std::apply([result](auto &...each) { (each.after(result), ...); }, passing);
  };
  if constexpr (std::is_void_v<Result>) {
    std::invoke(method, std::forward<Object>(object), std::forward<Arguments>(arguments)...);
    after(S_OK);
  } else {
    Result result = std::invoke(method, std::forward<Object>(object),
                                std::forward<Arguments>(arguments)...);
    after(detail::status(result));
    if constexpr (std::is_same_v<Result, BSTR>) bstrtrace_after_out(&result, S_OK);
    return result;
  }
#endif
}

/// A scope that ends with the block it is in. See bstrtrace_scope_begin.
class scope {
 public:
  explicit scope(const std::string &name) : token_(bstrtrace_scope_begin(name.c_str())) {}
  scope(const scope &) = delete;
  scope &operator=(const scope &) = delete;

  /// Writes the report to standard error, unless the scope was ended and asked before.
  ~scope() {
    if (isOpen_) std::fputs(end().c_str(), stderr);
  }

  /// For other threads to join.
  bstrtrace_scope token() const { return token_; }

  /// Ends the scope, on the thread that began it; answers with the report, or nothing without findings.
  std::string end() {
    if (!isOpen_) return {};
    isOpen_ = false;
    char *text = nullptr;
    std::size_t found = bstrtrace_scope_end(token_, &text);
    std::string report = text ? text : "";
    std::free(text);
    if (found > 0 && report.empty())
      report = "bstrtrace: BSTRs left behind or misused: " + std::to_string(found) + "\n";
    return report;
  }

 private:
  bstrtrace_scope token_;
  bool isOpen_ = true;
};

/// Puts a thread into a scope for as long as the block lasts.
class joined {
 public:
  explicit joined(bstrtrace_scope scope) : scope_(scope) { bstrtrace_scope_join(scope_); }
  joined(const joined &) = delete;
  joined &operator=(const joined &) = delete;
  ~joined() { bstrtrace_scope_leave(scope_); }

 private:
  bstrtrace_scope scope_;
};

/// What the thread allocates while the block lasts is no leak.
class ignoring {
 public:
  ignoring() { bstrtrace_ignore_begin(); }
  ignoring(const ignoring &) = delete;
  ignoring &operator=(const ignoring &) = delete;
  ~ignoring() { bstrtrace_ignore_end(); }
};

}  // namespace bstrtrace

#endif
