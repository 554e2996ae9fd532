// Gives memory back to the system that only the start needed: the pages of code and symbol tables that the linker, the
// command line and the configuration touched. What is needed again is mapped again from the file cache.
// Thread: any, once, when the start is done. Failure: none; memory that cannot be given back stays.
#pragma once

namespace kmem::service {

void give_back_startup_memory();
/// Once a sampling: what was freed, and the pages of program files. The kernel maps 64 KiB around each that is touched, three quarters of which are never run;
/// the next scrape takes back its own by some 50 faults, and what a start, a look for drivers or a person on the page has
/// touched does not stay for ever. It stays in the file cache, as used as it was. Thread: any. Windows trims by itself.
void give_back_unused_memory();
/// What was freed and the allocator keeps for later: after work that is rare and large. Thread: any.
void give_back_freed_memory();

}  // namespace kmem::service
