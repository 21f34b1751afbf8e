// widths: 2
// leak: 1 10 save ways_out.c:25 leaves=26,30,31,32,36,49
// Ways out of a function that leak a string stand beside those that do not: which are named?
#include <stdlib.h>

#include "text.h"

typedef struct { BSTR kept; int way; } Document;

KEEP static int isOdd(int way) { return way & 1; }
KEEP static BSTR keep(Document *document, BSTR text) {
  if (document->way < 0) document->kept = text;
  return text;
}
KEEP static void release(BSTR text) { SysFreeString(text); }

static int quiet;

KEEP static int save(Document *document, const OLECHAR *characters) {
  int saved = 0;
  if (quiet) return 0;
  for (int attempt = 0; attempt < 2; attempt++) {
    int result = 0;
    BSTR text;
    text = SysAllocString(characters);
    if (!text || document->way == 90) return 1;
    if (text == NULL) return 2;
    // return 3; in a comment
    const char *words = "return 4; { /*";
    if (document->way == 5) return (int)sizeof words;
    if (document->way > 30) exit(1);
    if (document->way == 11) goto cleanup;
    if (isOdd(document->way)) {
      while (document->way > 90) break;
      switch (document->way) {
        case 7: return 7;
        case 9: release(text); return 9;
        default: break;
      }
    }
    if (document->way == 20) {
      keep(document, text);
      return 20;
    }
    if (document->way == 22) goto release;
#if 0
    return 23;
#endif
    if (document->way == 24) continue;
    if (document->way == 26) return SysStringLen(keep(document, text)) != 0;
release:
    release(text);
    saved += result + 1;
  }
  return saved;
cleanup:
  return -1;
}

int main(void) {
  Document document = {NULL, 0};
  save(&document, T("saved"));
  document.way = 5;
  return save(&document, T("saved")) == (int)sizeof(char *) ? 0 : 1;
}
