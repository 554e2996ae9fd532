// STAGE 1: this machine's registry. A 32-bit program reads the 64-bit view as well: the key is not redirected.
#pragma once

#include <memory>

#include "collectors/windows/registry.h"

namespace kmem::windows {

[[nodiscard]] std::unique_ptr<Registry> make_registry();

}  // namespace kmem::windows
