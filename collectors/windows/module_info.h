// STAGE 1: class 11, the list of loaded kernel modules: bytes -> paths as the kernel has them, and such a path as
// programs open it. Thread: pure. Failure: kMalformed when the list is no list; entries beyond the bytes are left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/result.h"

namespace kmem::windows {

inline constexpr std::size_t kMaxModules = 4096;

/// In the system's ANSI code page, in load order.
[[nodiscard]] base::Result<std::vector<std::string>> parse_module_paths(std::span<const std::byte> bytes,
                                                                        std::uint8_t pointer_bytes);

/// "\SystemRoot\x", "\??\C:\x", "\WINDOWS\x" (the boot drive's), "C:\x"; a bare name is in system32\drivers.
/// `system_root` is like "C:\WINDOWS". Empty for what no program can open.
[[nodiscard]] std::string module_file(std::string_view kernel_path, std::string_view system_root);

}  // namespace kmem::windows
