// widths: 2 4
// threads
// leak: 8 64 work thread_leaks.cpp:15 rule=-
// twin: -DFIXED
// Bug class 1 in threads: each leaves one string.
// Corrected: each thread frees its strings.
#include <thread>
#include <vector>

#include "text.h"

KEEP static void work() {
  for (int i = 0; i < 1000; i++) SysFreeString(SysAllocStringLen(nullptr, i % 50));
#ifndef FIXED
  BSTR text = SysAllocString(T("left"));
  if (SysStringLen(text) != 4) abort();
#else
  SysFreeString(SysAllocString(T("left")));
#endif
}

int main() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; i++) threads.emplace_back(work);
  for (auto &thread : threads) thread.join();
}
