// STAGE 1: this machine's facts, from RtlGetVersion (what GetVersionEx tells depends on the program's manifest).
#pragma once

#include <memory>

#include "collectors/windows/system_facts.h"

namespace kmem::windows {

[[nodiscard]] std::unique_ptr<SystemProbe> make_system_probe();

}  // namespace kmem::windows
