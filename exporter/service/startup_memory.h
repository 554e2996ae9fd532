// Gives memory back to the system that only the start needed: the pages of code and symbol tables that the linker, the
// command line and the configuration touched. What is needed again is mapped again from the file cache.
// Thread: any, once, when the start is done. Failure: none; memory that cannot be given back stays.
#pragma once

namespace kmem::service {

void give_back_startup_memory();
/// Once a sampling: what was freed, and the pages of program files. For each page that is run the kernel maps 64 KiB, three
/// quarters of which never are. The next scrape takes back what it needs by some 50 faults, from the file cache; what a
/// start, a look for drivers or a person on the page has touched stays away. Thread: any. Windows trims by itself.
void give_back_unused_memory();
/// What was freed and the allocator keeps for later: after work that is rare and large. Thread: any.
void give_back_freed_memory();

}  // namespace kmem::service
