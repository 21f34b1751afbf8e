// Leaks one string of three characters and ends as its argument says.
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bstr.h"

static __attribute__((noinline)) void leak(void) {
  BSTR text = SysAllocString(u"end");
  if (SysStringLen(text) != 3) exit(99);
}

int main(int count, char **arguments) {
  const char *how = count > 1 ? arguments[1] : "";
  SysFreeString(SysAllocString(u"freed"));
  leak();
  if (!strcmp(how, "return")) return 0;
  if (!strcmp(how, "exit7")) exit(7);
  if (!strcmp(how, "_exit")) _exit(0);
  if (!strcmp(how, "_Exit7")) _Exit(7);
  if (!strcmp(how, "quick_exit")) quick_exit(0);
  if (!strcmp(how, "abort")) abort();
  if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
  if (!strcmp(how, "alarm")) raise(SIGALRM);
  if (!strcmp(how, "crash")) *(volatile int *)8 = 0;
  if (!strcmp(how, "exec")) execl("/bin/true", "true", (char *)NULL);
  if (!strcmp(how, "exec-self")) execl(arguments[0], arguments[0], "return", (char *)NULL);
  if (!strcmp(how, "wait")) pause();
  return 98;
}
