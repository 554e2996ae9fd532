// STAGE 1: class 5 (SystemProcessInformation) -> one row a process. Thread: pure.
// Entries form a chain of relative offsets and sit at any alignment; the chain may only go forward and inside the
// bytes, what follows a broken link is counted as one skipped row. Image names are pointers into the buffer that the kernel
// filled. A live reading records its address (part "nt/5.base", in decimal), and they are followed exactly. Without it
// the name is taken from right behind the threads, where NT, ReactOS and Wine put it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::windows {

/// Appends to `out`; gives the number of rows refused or whose name could not be found. Pool quotas are left out when
/// no process has any: Wine does not charge.
[[nodiscard]] base::Result<std::uint64_t> parse_processes(std::span<const std::byte> bytes, std::uint8_t pointer_bytes,
                                                          std::optional<std::uint64_t> buffer_address,
                                                          std::vector<ProcessUsage>& out);

/// UTF-16LE -> UTF-8 that is legal as a label and looks like what it is: control characters as \xNN or \uNNNN, those too
/// that are invisible or turn the direction of writing; lone surrogates as U+FFFD.
[[nodiscard]] std::string utf16_label(std::span<const std::byte> utf16);

}  // namespace kmem::windows
