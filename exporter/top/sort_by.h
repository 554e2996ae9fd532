// What `top` sorts its rows by: the words of --sort, the keys, the titles. Thread: constants.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kmem::top {

enum class SortBy : std::uint8_t { kBytes, kOutstanding, kRate, kGrowth, kTag, kAllocations, kFrees, kPerAllocation };

struct SortWord {
  SortBy by;
  std::string_view word;  // of --sort
  char key;               // as poolmon's, where it has it
  std::string_view help;
};

inline constexpr std::array<SortWord, 8> kSortWords = {{
    {SortBy::kBytes, "bytes", 'b', "bytes in use"},
    {SortBy::kOutstanding, "outstanding", 'd', "live allocations (Diff)"},
    {SortBy::kRate, "rate", 'r', "allocations since the last reading; live ones gained where none are counted"},
    {SortBy::kGrowth, "growth", 'g', "bytes gained since top began"},
    {SortBy::kTag, "tag", 't', "tag"},
    {SortBy::kAllocations, "allocs", 'a', "allocations since boot"},
    {SortBy::kFrees, "frees", 'f', "frees since boot"},
    {SortBy::kPerAllocation, "per-alloc", 'm', "bytes per live allocation"},
}};

[[nodiscard]] constexpr const SortWord& sort_word(SortBy by) { return kSortWords[static_cast<std::size_t>(by)]; }

[[nodiscard]] constexpr std::optional<SortBy> parse_sort(std::string_view word) {
  for (const SortWord& one : kSortWords)
    if (one.word == word) return one.by;
  return std::nullopt;
}

}  // namespace kmem::top
