// One file of the fuzzer's bytes -> the whole history in it, with what every history promises.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/base/utf8.h"
#include "collectors/history/history.h"
#include "tests/support/memory_files.h"

namespace kmem::fuzz {

inline bool is_legal(std::string_view label) {
  return std::all_of(label.begin(), label.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}
/// Letters of other scripts stay, controls do not.
inline bool is_shown(std::string_view text) {
  return base::find_non_utf8(text) == std::string_view::npos &&
         std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// `head` comes first, so that the format is settled. Read a second time beside itself, every snapshot merges.
inline void read_whole_history(std::string_view head, const std::uint8_t* data, std::size_t size) {
  std::string bytes(head);
  bytes.append(reinterpret_cast<const char*>(data), size);
  test::MemoryFiles files;
  for (const char* const name : {"f", "g"}) files.put(name, bytes);
  std::vector<std::vector<std::string>> ways = {{"f"}, {"f", "g"}};
#ifdef KMEM_LIBFUZZER
  // Dates are looked for in every line: long inputs cost milliseconds and teach nothing new.
  if (size > 1024) return;
  ways = {ways[size % 2]};
#endif
  for (const auto& paths : ways) {
    auto source = history::open_history(files, paths);
    if (!source) return;
    Snapshot snapshot;
    bool first = true;
    base::UnixMillis last = 0;
    do {
      if (!(*source)->read(snapshot)) __builtin_trap();
      if (!first && snapshot.time <= last) __builtin_trap();
      first = false;
      last = snapshot.time;
      std::vector<std::uint64_t> keys;
      for (const TagUsage& tag : snapshot.tags) {
        if (!is_legal(tag.tag) || tag.key != tag_key(tag.pool, tag.tag)) __builtin_trap();
        keys.push_back(tag.key);
      }
      std::sort(keys.begin(), keys.end());
      if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) __builtin_trap();
      for (const SessionTagUsage& row : snapshot.session_tags)
        if (!is_legal(row.usage.tag)) __builtin_trap();
      for (const ProcessUsage& process : snapshot.processes)
        if (!is_legal(process.name)) __builtin_trap();
    } while ((*source)->advance());
    for (const history::Skipped& skipped : (*source)->skipped())
      if (!is_shown(skipped.reason)) __builtin_trap();
    const history::Progress progress = (*source)->progress();
    if (progress.bytes_read != bytes.size() * paths.size()) __builtin_trap();
  }
}

}  // namespace kmem::fuzz
