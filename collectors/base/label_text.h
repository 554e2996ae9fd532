// Raw kernel bytes -> text that is legal everywhere (Prometheus rejects a whole page for one non-UTF-8 label).
// Bytes outside 0x20..0x7E become \xNN (lower-case hex); trailing blanks stay, they are part of a pool tag ("Irp ").
// A backslash in the input stays a single backslash.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace kmem::base {

[[nodiscard]] std::string label_text(std::string_view raw);
[[nodiscard]] std::string label_text(std::span<const std::byte> raw);

}  // namespace kmem::base
