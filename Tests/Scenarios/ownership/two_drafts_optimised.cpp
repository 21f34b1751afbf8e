// flags: -O3
// leak: 3 24 convert|decode two_drafts_inlined.cpp:10 rule=- owner=-
// twin: -DFIXED
// The same, of which even the caller does not show that it was inlined.
#include "two_drafts_inlined.cpp"
