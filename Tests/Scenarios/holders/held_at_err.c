// options: holders=on
// status: 3
// sanitizers: no; the blocks of their heaps are not known from other memory
// leak: 1 8 in_frame held_at_err.c:12
// held: in_frame the stack of the main thread, in in_frame (weak)
// What holds a string when libc ends the process by its own exit: the frames of the program are still there.
#include <err.h>

#include "text.h"

KEEP static void in_frame(void) {
  BSTR volatile text = SysAllocString(T("held"));
  if (text) errx(3, "the end");
}

int main(void) { in_frame(); }
