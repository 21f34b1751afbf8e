// Calls what may be called before the library of the functions is started, and while the loader waits for this thread.
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

void SysFreeString(void *);
unsigned SysStringLen(void *);
void start(void);
void *make(void);

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
int isWaiting;

static void *openWaiting(void *path) { return dlopen(path, RTLD_NOW); }

int main(int count, char **arguments) {
  if (count < 2) return 2;
  pthread_t thread;
  pthread_mutex_lock(&lock);
  pthread_create(&thread, 0, openWaiting, arguments[1]);
  while (!__atomic_load_n(&isWaiting, __ATOMIC_ACQUIRE)) usleep(1000);
  SysFreeString(0);
  unsigned none = SysStringLen(0);
  pthread_mutex_unlock(&lock);
  pthread_join(thread, 0);
  start();
  SysFreeString(make());
  return none == 0 ? 0 : 1;
}
