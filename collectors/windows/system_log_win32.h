// STAGE 1: this machine's System log, by wevtapi where Windows has it (Vista and later), else by the calls that every
// NT has. Failure: Win32 codes as 0xC007nnnn.
#pragma once

#include <memory>

#include "collectors/windows/event_tail.h"

namespace kmem::windows {

[[nodiscard]] std::unique_ptr<SystemLog> make_system_log();

}  // namespace kmem::windows
