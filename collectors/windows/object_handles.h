// STAGE 1: who holds how many handles of which type. Class 64 (SystemExtendedHandleInformation), else 16, and the types'
// names (NtQueryObject, ObjectTypesInformation) -> text in a RawFrame ("kmem/object_handles"), because a table of a
// million handles is too long for one. The text is "handles=N", "skipped=N", then lines "PID COUNT TYPE", most first.
// Layouts: windows-internals of both widths as in nt_layout.h. Thread: pure.
// Failure: a table shorter than its head is kMalformed; rows that a lying count or a torn end leaves out are counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::windows {

/// Longest table that is asked for. Class 64 holds 524,000 handles in it, class 16 873,000 (1.3 million on x86).
inline constexpr std::size_t kMaxHandleTableBytes = 20 << 20;

struct ObjectTypeName {
  std::string name;           // legal label text
  std::uint32_t index = 0;    // from Windows 8.1 on; 0: it goes by the place in the list
  std::uint64_t handles = 0;  // of the whole system
};

/// In the kernel's order; what follows a broken row is left out. Names or indices that no kernel gives are of another
/// layout: an Error, and no type is named.
[[nodiscard]] base::Result<std::vector<ObjectTypeName>> parse_object_types(std::span<const std::byte> bytes,
                                                                           std::uint8_t pointer_bytes);

/// `info_class` 16 or 64. Process ids of class 16 have 16 bits; `pids` (of class 5) tells which is meant, where one is.
/// Types without an index of their own begin at 1, from Windows 7 on at 2: whichever fits the types' own counts.
/// A table most of whose handles belong to none of `pids` is of another layout: an Error. `skipped_before` is added to its rows.
[[nodiscard]] base::Result<std::string> count_handles(std::span<const std::byte> bytes, std::uint32_t info_class,
                                                      std::uint8_t pointer_bytes, std::span<const ObjectTypeName> types,
                                                      std::span<const std::uint64_t> pids, std::uint64_t skipped_before = 0);

/// Appends to `out`; gives the rows skipped, here and when they were counted.
[[nodiscard]] base::Result<std::uint64_t> parse_handle_counts(std::string_view text, std::vector<ObjectHandles>& out);

}  // namespace kmem::windows
