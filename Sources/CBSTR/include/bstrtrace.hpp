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
template <class Parameter, class Tag, class = void>
struct Passing {
  template <class Any>
  explicit Passing(const Any &) {}
  void after(HRESULT) {}
};

/// [in]: lent during the call, also when it ends with an exception.
template <class Tag>
struct Passing<BSTR, Tag> {
  BSTR string;
  explicit Passing(BSTR string) : string(string) { bstrtrace_lend(string); }
  Passing(const Passing &) = delete;
  ~Passing() { bstrtrace_give_back(string); }
  void after(HRESULT) {
    bstrtrace_give_back(string);
    string = nullptr;
  }
};

/// [out] or [in,out], which only the call shows.
template <class Tag>
struct Passing<BSTR *, Tag> {
  BSTR *variable;
  BSTR old;
  explicit Passing(BSTR *variable)
      : variable(variable), old(variable && bstrtrace_lives(*variable) ? *variable : nullptr) {}
  void after(HRESULT result) {
    if (!variable || (old && *variable == old)) {
      bstrtrace_after_in_out(variable, old);
      return;
    }
    // An [out] argument that still owned a string, or an [in,out] one that was replaced: lost in either case.
    if (old && bstrtrace_lives(old)) bstrtrace_say(old, BSTRTRACE_LOST, nullptr);
    bstrtrace_after_out(variable, result);
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
template <class Variant, class Tag>
struct Passing<Variant *, Tag,
               std::void_t<decltype(std::declval<Variant &>().vt),
                           std::enable_if_t<std::is_same_v<
                               decltype(std::declval<Variant &>().bstrVal), BSTR>>>> {
  Variant *variant;
  BSTR old;
  static constexpr int vtBstr = 8;
  explicit Passing(Variant *variant)
      : variant(variant), old(variant && variant->vt == vtBstr ? variant->bstrVal : nullptr) {}
  void after(HRESULT result) {
    if (!variant || variant->vt != vtBstr || variant->bstrVal == old) return;
    if (bstrtrace_lives(old)) bstrtrace_say(old, BSTRTRACE_LOST, nullptr);
    bstrtrace_after_out(&variant->bstrVal, result);
  }
};

/// An argument as its parameter takes it; 0 and NULL are null pointers.
template <class Parameter, class Argument>
decltype(auto) convert(Argument &&argument) {
  if constexpr (std::is_pointer_v<Parameter> && std::is_integral_v<std::decay_t<Argument>>)
    return Parameter{nullptr};
  else return std::forward<Argument>(argument);
}

/// The marks that say of an argument what its parameter's type does not.
template <class Argument>
using tag = std::conditional_t<std::is_same_v<Argument, out> || std::is_same_v<Argument, in_out>,
                               Argument, void>;

template <class Result>
HRESULT status(const Result &result) {
  if constexpr (std::is_same_v<Result, HRESULT>) return result;
  else return (void)result, S_OK;
}

/// Calls what `invoke` is with arguments, and declares what the parameters' types say.
template <class Result, class... Parameters, class Invoke, class... Arguments>
Result declared(Invoke &&invoke, Arguments &&...arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments), "one argument for each parameter");
  std::tuple<Passing<Parameters, tag<std::decay_t<Arguments>>>...> passing(
      convert<Parameters>(arguments)...);
  auto after = [&passing](HRESULT result) {
    std::apply([result](auto &...each) { (each.after(result), ...); }, passing);
  };
  if constexpr (std::is_void_v<Result>) {
    invoke(convert<Parameters>(std::forward<Arguments>(arguments))...);
    after(S_OK);
  } else {
    Result result = invoke(convert<Parameters>(std::forward<Arguments>(arguments))...);
    after(status(result));
    if constexpr (std::is_same_v<Result, BSTR>) bstrtrace_after_out(&result, S_OK);
    return result;
  }
}

}  // namespace detail

/// Calls `method` of `object`, which is an object, a pointer or a smart pointer, and declares what the
/// parameters' types say: a `BSTR` is lent, a `BSTR *` receives or replaces, a `BSTR` that comes back is
/// received.
template <class Object, class Class, class Result, class... Parameters, class... Arguments>
Result call(Object &&object, Result (Class::*method)(Parameters...), Arguments &&...arguments) {
  return detail::declared<Result, Parameters...>(
      [&](auto &&...each) -> Result {
        return std::invoke(method, std::forward<Object>(object),
                           std::forward<decltype(each)>(each)...);
      },
      std::forward<Arguments>(arguments)...);
}

/// The same for a method that does not change its object.
template <class Object, class Class, class Result, class... Parameters, class... Arguments>
Result call(Object &&object, Result (Class::*method)(Parameters...) const,
            Arguments &&...arguments) {
  return detail::declared<Result, Parameters...>(
      [&](auto &&...each) -> Result {
        return std::invoke(method, std::forward<Object>(object),
                           std::forward<decltype(each)>(each)...);
      },
      std::forward<Arguments>(arguments)...);
}

/// The same for a function of no class.
template <class Result, class... Parameters, class... Arguments>
Result call(Result (*function)(Parameters...), Arguments &&...arguments) {
  return detail::declared<Result, Parameters...>(
      [&](auto &&...each) -> Result { return function(std::forward<decltype(each)>(each)...); },
      std::forward<Arguments>(arguments)...);
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
