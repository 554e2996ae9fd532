// Well-known Windows pool tags and Linux slab caches: what ships with the systems, in our own words. A '?' in a tag
// stands for any one character. Thread: constant data. Failure: nullptr for what is not in the tables.
#pragma once

#include <span>
#include <string_view>

namespace kmem::drivers {

struct KnownTag {
  std::string_view tag;
  std::string_view driver;  // empty: a shared tag, or a part of the kernel that is no driver
  std::string_view description;
};

/// Sorted by tag.
[[nodiscard]] std::span<const KnownTag> known_pool_tags();
[[nodiscard]] std::span<const KnownTag> known_slab_caches();

/// An exact row wins over one with '?'.
[[nodiscard]] const KnownTag* find_known_pool_tag(std::string_view tag);
/// Also by family: "kmalloc-512" is the row "kmalloc-".
[[nodiscard]] const KnownTag* find_known_slab_cache(std::string_view cache);

}  // namespace kmem::drivers
