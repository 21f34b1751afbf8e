// The functions as a program declares them that knows no COM headers: with characters of type
// OLECHAR, of C++ linkage unless LINKAGE says otherwise.

#ifndef LINKAGE
#define LINKAGE
#endif

typedef OLECHAR *BSTR;

LINKAGE BSTR SysAllocString(const OLECHAR *);
LINKAGE BSTR SysAllocStringLen(const OLECHAR *, unsigned);
LINKAGE BSTR SysAllocStringByteLen(const char *, unsigned);
LINKAGE int SysReAllocString(BSTR *, const OLECHAR *);
LINKAGE void SysFreeString(BSTR);
LINKAGE unsigned SysStringLen(BSTR);
LINKAGE unsigned SysStringByteLen(BSTR);
