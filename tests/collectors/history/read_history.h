// A whole history at once, for tests of this room.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "collectors/base/time_words.h"
#include "collectors/history/history.h"
#include "collectors/made_up_pid.h"
#include "tests/support/memory_files.h"

namespace kmem::test {

struct WholeHistory {
  std::string error;
  std::vector<Snapshot> snapshots;
  std::vector<std::string> skipped;  // "file:line: reason"
  std::vector<std::string> warnings;
  std::vector<std::string> lost;  // "host: pool tag rows", what there is of each
  std::uint64_t skipped_count = 0;
  history::Progress progress;
};

inline WholeHistory read_history(base::FileSystem& files, const std::vector<std::string>& paths,
                                 const history::HistoryOptions& options = {}) {
  WholeHistory found;
  auto source = history::open_history(files, paths, options);
  history::HistoryOptions learning = options;
  for (int looks = 1; source && looks < history::kMostLooks; ++looks) {
    while ((*source)->advance()) {}
    const bool is_known = (*source)->learned() == learning.learned;
    learning.learned = (*source)->learned();
    source = history::open_history(files, paths, learning);
    if (is_known) break;
  }
  if (!source) {
    found.error = source.error().message;
    return found;
  }
  do {
    Snapshot snapshot;
    EXPECT_TRUE((*source)->read(snapshot).ok());
    found.snapshots.push_back(std::move(snapshot));
  } while ((*source)->advance());
  EXPECT_FALSE((*source)->advance());
  for (const history::Skipped& one : (*source)->skipped())
    found.skipped.push_back(one.file + ":" + std::to_string(one.line) + ": " + one.reason);
  found.skipped_count = (*source)->skipped_count();
  found.warnings = (*source)->warnings();
  found.progress = (*source)->progress();
  for (const history::FileReading& reading : (*source)->readings())
    for (const auto& [of, rows] : reading.lost)
      found.lost.push_back((of.host.empty() ? "" : of.host + ": ") + (of.pool ? std::string(pool_name(*of.pool)) + " " : "") +
                           of.tag + " " + std::to_string(rows));
  return found;
}

inline WholeHistory read_text(const std::string& content, base::UnixMillis modified = 99) {
  MemoryFiles files;
  files.put("f", content);
  files.set_modified(modified);
  return read_history(files, {"f"});
}

inline WholeHistory read_fixture(const std::string& name) {
  return read_history(base::os_file_system(), {"fixtures/history/" + name});
}

/// "pool tag bytes outstanding bits allocations frees", sorted; "?" for what was not counted.
inline std::vector<std::string> tags_of(const Snapshot& snapshot) {
  std::vector<std::string> lines;
  for (const TagUsage& tag : snapshot.tags) {
    EXPECT_EQ(tag.key, tag_key(tag.pool, tag.tag));
    std::string line = std::string(pool_name(tag.pool)) + " '" + tag.tag + "' " + std::to_string(tag.bytes) + " " +
                       (tag.has_outstanding ? std::to_string(tag.outstanding) : "?");
    if (tag.counter_bits != 0)
      line += " " + std::to_string(tag.counter_bits) + " " + std::to_string(tag.allocations) + " " + std::to_string(tag.frees);
    lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

/// What is there of the totals: "paged.bytes" -> value.
inline std::map<std::string, std::uint64_t> totals_of(const Snapshot& snapshot) {
  std::map<std::string, std::uint64_t> found;
  const auto note = [&](const std::string& name, const auto& value) {
    if (value) found[name] = static_cast<std::uint64_t>(*value);
  };
  for (const PoolTotals& pool : snapshot.pools) {
    const std::string name(pool_name(pool.pool));
    note(name + ".bytes", pool.bytes);
    note(name + ".resident", pool.resident_bytes);
    note(name + ".allocations", pool.allocations);
    note(name + ".frees", pool.frees);
  }
  note("ptes", snapshot.system_ptes_free);
  note("commit", snapshot.commit_bytes);
  note("commit.limit", snapshot.commit_limit_bytes);
  note("commit.peak", snapshot.commit_peak_bytes);
  note("physical", snapshot.physical_memory_bytes);
  note("available", snapshot.available_bytes);
  note("cache", snapshot.file_cache_bytes);
  note("cache.peak", snapshot.file_cache_peak_bytes);
  return found;
}

/// "18:00:00@host boot=... tag... process... total..."
inline std::string line_of(const Snapshot& snapshot, const std::string& host) {
  std::string line = base::rfc3339(snapshot.time);
  if (!host.empty()) line += "@" + host;
  line += snapshot.system == System::kWindows ? " windows" : " linux";
  if (snapshot.boot_time) line += " boot=" + base::rfc3339(*snapshot.boot_time);
  for (const std::string& tag : tags_of(snapshot)) line += "; " + tag;
  std::vector<std::string> processes;
  const auto number = [](const std::optional<std::uint64_t>& value) { return value ? std::to_string(*value) : "-"; };
  for (const ProcessUsage& process : snapshot.processes)
    processes.push_back(process.name + " (" + (process.pid < kMadeUpPids ? std::to_string(process.pid) : "?") + ") " +
                        number(process.handles) + " " + number(process.paged_pool_bytes) + " " +
                        number(process.nonpaged_pool_bytes));
  std::sort(processes.begin(), processes.end());
  for (const std::string& process : processes) line += "; " + process;
  for (const auto& [name, value] : totals_of(snapshot)) line += "; " + name + "=" + std::to_string(value);
  return line;
}

/// All hosts' snapshots in a file, and what is said first of it: the error, or a piece that was passed over.
struct Told {
  std::vector<std::string> lines;
  std::string said;
};
inline Told told_by(const std::string& path, const std::string& text, base::UnixMillis modified = 99) {
  MemoryFiles files;
  files.put(path, text);
  files.set_modified(modified);
  auto source = history::open_history(files, {path}, {.all_hosts = true});
  Told told;
  if (!source) {
    told.said = source.error().message;
    return told;
  }
  Snapshot snapshot;
  do {
    EXPECT_TRUE((*source)->read(snapshot).ok());
    told.lines.push_back(line_of(snapshot, (*source)->host()));
  } while ((*source)->advance());
  if (const auto& skipped = (*source)->skipped(); !skipped.empty())
    told.said = skipped[0].file + ":" + std::to_string(skipped[0].line) + ": " + skipped[0].reason;
  return told;
}

/// Little-endian, with its mark; of ASCII alone.
inline std::string utf16(const std::string& text) {
  std::string wide = "\xff\xfe";
  for (const char c : text) wide.append({c, '\0'});
  return wide;
}

}  // namespace kmem::test
