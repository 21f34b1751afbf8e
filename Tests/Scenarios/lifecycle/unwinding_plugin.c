// Built twice, as libraries that are as large as each other: one is loaded where the other was.
static volatile int sink;
#ifdef OTHER
void run(void (*call)(void)) { call(); sink += 2; }
static __attribute__((used)) void first(void) { sink++; }
#else
static __attribute__((used)) void first(void) { sink++; }
void run(void (*call)(void)) { call(); sink += 1; }
#endif
