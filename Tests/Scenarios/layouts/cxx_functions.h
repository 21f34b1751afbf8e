// The functions as a C++ program declares them that knows no COM headers.

typedef OLECHAR *BSTR;

BSTR SysAllocString(const OLECHAR *);
BSTR SysAllocStringLen(const OLECHAR *, unsigned);
BSTR SysAllocStringByteLen(const char *, unsigned);
int SysReAllocString(BSTR *, const OLECHAR *);
void SysFreeString(BSTR);
unsigned SysStringLen(BSTR);
unsigned SysStringByteLen(BSTR);
