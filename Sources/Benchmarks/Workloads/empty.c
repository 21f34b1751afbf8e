// A program that does nothing: what is left is its start and its end.

int main(void) { return 0; }
