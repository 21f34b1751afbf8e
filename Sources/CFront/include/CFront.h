/// \file CFront.h
/// The library that is preloaded. It is small, since every process of a traced program is started
/// with it: it exports the names of the functions that are traced and watched, and loads the tracker
/// (BSTRPreload) into the processes that need it, which then answers them.
///
/// The tracker is loaded
/// - when this library starts, where a module that the program was started with has or uses a BSTR
///   function, or functions inside of modules are to be replaced;
/// - else before the program opens its first module: which modules that brings is known only when
///   they are there, and then is too late;
/// - in any case at the first call of a BSTR function: of a constructor that runs before this
///   library's, or of a function that was looked up by `dlsym`.
///
/// Nothing is declared here: the library has no interface but those names, and the `ct_front` that
/// the tracker finds by its note (CTracker.h).

#ifndef BSTRTRACE_CFRONT_H
#define BSTRTRACE_CFRONT_H
#endif
