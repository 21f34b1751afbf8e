// sanitizers: no; theirs is no heap to fork in a signal handler with
// A signal handler forks in the middle of our work, whatever that is, and nothing hangs.
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text.h"

static volatile sig_atomic_t forks;

static void handler(int number) {
  (void)number;
  pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, NULL, 0);
  forks++;
}

int main(void) {
  signal(SIGALRM, handler);
  // One shot at a time: forking may take longer than the timer.
  struct itimerval timer = {{0, 0}, {0, 1000}};
  sig_atomic_t armed = -1;
  BSTR text = SysAllocString(T("shortened again and again"));
  // Each once before: what a first use sets up is set up under locks that are not ours.
  SysReAllocStringLen(&text, NULL, 24);
  SysAddRefString(text);
  SysReleaseString(text);
  SysFreeString(SysAllocString(T("first")));
  while (forks < 100) {
    if (armed != forks) {
      armed = forks;
      timer.it_value.tv_usec = 200 + forks * 7;
      setitimer(ITIMER_REAL, &timer, NULL);
    }
    SysReAllocStringLen(&text, NULL, 24);
    SysAddRefString(text);
    SysReleaseString(text);
    SysFreeString(SysAllocString(T("another")));
  }
  SysFreeString(text);
  return 0;
}
