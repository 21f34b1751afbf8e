// What another version of the library looks like to this one: a note, and a number that is not its own.
struct recorder {
  unsigned version, is_recording;
  void (*serve)(void *request);
};
__attribute__((visibility("hidden"))) struct recorder other_recorder = {999, 1, 0};
__asm__(".pushsection .note.bstrtrace,\"a\",%note\n"
        ".balign 4\n.long 10, 8, 1\n.asciz \"bstrtrace\"\n.balign 4\n"
        ".quad other_recorder - .\n.popsection\n");
