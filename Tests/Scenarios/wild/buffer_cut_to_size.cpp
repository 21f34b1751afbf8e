// flags: -O1
// twin: -DFIXED
// Nothing is wrong here: a buffer larger than its text, joined in place within its room, cut to size, and copied with
// a length that is that of the buffer.
#include "variant.h"
APART void append(BSTR path, const OLECHAR *name) {
  unsigned n = 0, i = 0;
  while (path[n]) n++;
  path[n++] = T('/');
  do path[n++] = name[i]; while (name[i++]);
}
APART unsigned commandLine() {
  static const OLECHAR folder[64] = T("/usr/lib/explorer");
  BSTR path = SysAllocStringLen(folder, 17 + 10 + 1);
  append(path, T("shell32.so"));
  BSTR line = SysAllocStringLen(nullptr, 40);
  unsigned n = 0;
  while (path[n]) { line[n] = path[n]; n++; }
  line[n] = 0;
  SysReAllocStringLen(&line, line, n);
  BSTR copy = SysAllocStringByteLen((const char *)line, SysStringByteLen(line));
  unsigned result = SysStringLen(copy);
  SysFreeString(copy);
  SysFreeString(line);
  SysFreeString(path);
  return result;
}
int main() { return commandLine() == 28 ? 0 : 1; }
