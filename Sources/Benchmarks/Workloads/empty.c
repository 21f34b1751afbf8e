// A program that does nothing: measures the start and end of a process.

int main(void) { return 0; }
