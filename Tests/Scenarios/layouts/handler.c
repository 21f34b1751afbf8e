// Counts a string's characters in a signal handler, which interrupts the functions anywhere, and the loader.
#include <dlfcn.h>
#include <signal.h>
#include <sys/time.h>

typedef unsigned OLECHAR;
OLECHAR *SysAllocStringLen(const OLECHAR *, unsigned);
unsigned SysStringLen(OLECHAR *);
void SysFreeString(OLECHAR *);

static OLECHAR *fixed;
static volatile unsigned signals, wrong;

static void handle(int number) {
  (void)number;
  signals++;
  if (SysStringLen(fixed) != 4) wrong++;
}

int main(int count, char **arguments) {
  static const OLECHAR text[] = {'t', 'e', 'x', 't', 0};
  fixed = SysAllocStringLen(text, 4);
  struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, 0);
  struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &often, 0);
  for (int i = 0; i < 20000 || signals < 200; i++) {
    SysFreeString(SysAllocStringLen(text, 4));
    if (count > 1 && i % 10 == 0) dlclose(dlopen(arguments[1], RTLD_NOW));
    if (SysStringLen(fixed) != 4) wrong++;
  }
  setitimer(ITIMER_REAL, &never, 0);
  SysFreeString(fixed);
  return wrong ? 1 : 0;
}
