// widths: 2 4
// threads
// Corrected: each thread frees its strings.
#include <thread>
#include <vector>

#include "text.h"

KEEP static void work() {
  for (int i = 0; i < 1000; i++) SysFreeString(SysAllocStringLen(nullptr, i % 50));
  SysFreeString(SysAllocString(T("left")));
}

int main() {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; i++) threads.emplace_back(work);
  for (auto &thread : threads) thread.join();
}
