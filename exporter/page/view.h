// STAGE 6 in, of the page and the JSON API: what they show, gathered by the agent under its lock and rendered outside
// of it. What is not known is nullopt or empty, never 0. Thread: value types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectors/drivers/attribution.h"
#include "collectors/snapshot.h"
#include "exporter/page/findings.h"
#include "exporter/trend/holders.h"
#include "exporter/trend/report.h"

namespace kmem::page {

using Driver = drivers::Candidate;

/// A pool, commit, or free system PTEs: how much, of how much, until when.
struct Resource {
  std::string name;                    // as metrics name it: nonpaged, system_ptes, commit
  bool bytes = true;                   // else entries, of which few are bad
  std::uint64_t amount = 0;            // in use; free entries
  std::optional<std::uint64_t> limit;  // free entries: most since boot
  std::string limit_source, limit_rule;
  bool binding = true;                          // false: the kernel lets it go beyond, or takes it back by itself
  std::optional<std::uint64_t> trim_threshold;  // where the kernel begins to take memory back
  std::optional<std::uint64_t> fewest;          // free entries: fewer are trouble
  std::optional<std::uint64_t> peak, resident;
  std::optional<double> floor;              // lowest of the last day; free entries likewise
  std::optional<double> growth_per_second;  // use that rises is positive, of free entries too
  trend::Verdict verdict = trend::Verdict::kOk;
  std::optional<trend::Exhaustion> exhaustion;  // none: no limit is known, or there is no trend
  std::vector<trend::Room> headrooms;           // of a pool, at this moment, by what it ends with
};

struct TagRow {
  Pool pool = Pool::kPaged;
  std::string tag;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> outstanding;
  std::optional<double> allocations_per_second;  // between the last two ticks
  std::optional<double> growth_per_second;
  trend::Verdict verdict = trend::Verdict::kOk;
  bool exported = false;
  std::vector<Driver> drivers;                      // best first
  std::array<float, trend::kHistoryDays> course{};  // lowest of each day, oldest first

  [[nodiscard]] std::optional<double> bytes_per_allocation() const {
    if (!outstanding || *outstanding == 0) return std::nullopt;
    return static_cast<double>(bytes) / static_cast<double>(*outstanding);
  }
};

/// One subject of the trend with its history.
struct Subject {
  trend::SubjectReport report;
  std::vector<Driver> drivers;
  std::optional<trend::Course> course;
  std::optional<trend::Holder> holder = {};  // of an object's tag: the process that keeps them open
};

struct View {
  std::string error;  // not empty: the kernel gave nothing, and only what the program itself knows is filled in
  std::string host;   // this machine's own name, or of which recording this is; empty: unknown
  std::string version, revision, telemetry_path;
  base::UnixMillis time = 0;  // of the reading
  std::optional<base::UnixMillis> boot_time;
  System system = System::kLinux;

  bool trend_enabled = true;
  trend::Summary history;
  trend::Readiness readiness;
  std::optional<base::UnixMillis> history_saved;
  std::vector<base::UnixMillis> boots;
  std::vector<Subject> leaks;                   // worst first; the first few have their course
  std::size_t leak_count = 0, watch_count = 0;  // of all; `leaks` and `watched` are bounded
  std::vector<Subject> watched;
  std::vector<Subject> surges;  // grow now, beyond all before, and are not called leaks; soonest end first
  std::size_t surge_count = 0;

  std::vector<Finding> findings;  // of the last tick, most severe first

  std::vector<Resource> resources;
  std::optional<std::uint64_t> physical_memory_bytes, available_bytes;
  std::vector<FailureEvents> failure_events;
  std::vector<ProcessUsage> processes;  // most handles first
  std::vector<PartStatus> parts;

  std::vector<TagRow> tags;  // the wanted ones of `tags_matched`
  std::size_t tags_total = 0, tags_matched = 0;
  std::optional<Subject> chosen;  // whose chart was asked for
};

}  // namespace kmem::page
