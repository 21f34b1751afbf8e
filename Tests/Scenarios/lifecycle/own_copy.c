// Exports a SysAllocString of its own and calls that.
int SysAllocString(void);
int SysAllocString(void) { return 0; }
int main(void) { return SysAllocString(); }
