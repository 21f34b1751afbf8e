// Calls no BSTR function.
int main(void) { return 0; }
