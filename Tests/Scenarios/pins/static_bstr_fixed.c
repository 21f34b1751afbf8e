// A static BSTR and one on the stack, each with its length in front: pinning them is legal.
#include "text.h"

static struct { uint32_t length; OLECHAR characters[6]; } constant = {10, T("hello")};

int main(void) {
  struct { uint64_t padding; uint32_t more, length; OLECHAR characters[6]; } local = {0, 0, 10, T("hello")};
  SysAddRefString(constant.characters);
  SysReleaseString(constant.characters);
  SysAddRefString(local.characters);
  SysReleaseString(local.characters);
  return 0;
}
