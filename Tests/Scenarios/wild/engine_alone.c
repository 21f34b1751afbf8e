// links: engine.c
// flags: -Wl,--no-as-needed
// unseen: libengine.so own-copy SysAllocStringLen
// A library that the program is linked with has the string functions inside; nobody else uses any.
unsigned engine_run(int i);

int main(void) {
  for (int i = 0; i < 4; i++) engine_run(i);
  return 0;
}
