// Gives memory back to the system that only the start needed: the pages of code and symbol tables that the linker, the
// command line and the configuration touched. What is needed again is mapped again from the file cache.
// Thread: any, once, when the start is done. Failure: none; memory that cannot be given back stays.
#pragma once

namespace kmem::service {

void give_back_startup_memory();
/// What was freed and the allocator keeps for later: after work that is rare and large. Thread: any.
void give_back_freed_memory();

}  // namespace kmem::service
