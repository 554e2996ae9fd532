// Numbers as `top` prints them. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace kmem::top {

/// At most 5 characters: "9999", "12.3k", "123M"; k, M, G, T, P, E by thousands.
[[nodiscard]] std::string short_count(std::uint64_t count);
/// The same by 1,024: "9999", "19.2K", "1.15G".
[[nodiscard]] std::string short_bytes(std::uint64_t bytes);
/// With a minus where it is due.
[[nodiscard]] std::string short_count(std::int64_t count);
[[nodiscard]] std::string short_bytes(std::int64_t bytes);

}  // namespace kmem::top
