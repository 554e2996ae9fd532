// STAGE 1: the only kernel call of the Windows build. Failure: kStatusNotImplemented where ntdll lacks the function.
#pragma once

#include <memory>

#include "collectors/windows/nt_query.h"

namespace kmem::windows {

[[nodiscard]] std::unique_ptr<NtQuery> make_nt_query();

}  // namespace kmem::windows
