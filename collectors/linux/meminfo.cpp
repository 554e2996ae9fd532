#include "collectors/linux/meminfo.h"

#include <array>
#include <limits>
#include <optional>

#include "collectors/linux/text_scan.h"

namespace kmem::linux {
namespace {

enum Field : std::size_t {
  kMemTotal,
  kMemAvailable,
  kCached,
  kSReclaimable,
  kSUnreclaim,
  kKernelStack,
  kPageTables,
  kCommitLimit,
  kCommittedAs,
  kVmallocTotal,
  kVmallocUsed,
  kPercpu,
  kFieldCount
};
// In the kernel's order (fs/proc/meminfo.c), so that the search goes on where the last row was found.
constexpr std::array<std::string_view, kFieldCount> kNames = {"MemTotal",     "MemAvailable", "Cached",      "SReclaimable",
                                                              "SUnreclaim",   "KernelStack",  "PageTables",  "CommitLimit",
                                                              "Committed_AS", "VmallocTotal", "VmallocUsed", "Percpu"};

std::size_t field_of(std::string_view name, std::size_t expected) {
  if (expected < kFieldCount && kNames[expected] == name) return expected;
  for (std::size_t i = 0; i < kFieldCount; ++i)
    if (kNames[i] == name) return i;
  return kFieldCount;
}

bool parse_kib(std::string_view text, std::optional<std::uint64_t>& bytes) {
  FieldReader fields(text);
  std::uint64_t kib = 0;
  if (!fields.number(kib) || !fields.literal("kB") || !fields.at_end()) return false;
  if (kib > std::numeric_limits<std::uint64_t>::max() / 1024) return false;
  bytes = kib * 1024;
  return true;
}

}  // namespace

base::Result<std::uint64_t> parse_meminfo(std::string_view text, Snapshot& out) {
  std::array<std::optional<std::uint64_t>, kFieldCount> bytes;
  std::uint64_t skipped = 0;
  std::size_t known = 0;
  std::size_t expected = 0;
  LineReader lines(text);
  for (std::string_view line; lines.next(line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::size_t field = field_of(line.substr(0, colon), expected);
    if (field == kFieldCount) continue;
    expected = field + 1;
    if (parse_kib(line.substr(colon + 1), bytes[field])) ++known;
    else ++skipped;
  }
  if (known == 0) return base::Error{base::ErrorCode::kMalformed, "no field of meminfo is in it"};

  // Linux 4.4 to 5.2 always say 0 here: walking all areas had been too costly, and the cheap counter came with 5.3.
  // A running kernel always has vmalloc areas, so 0 means "not told".
  if (bytes[kVmallocUsed] == 0U) bytes[kVmallocUsed].reset();

  const auto pool = [&](Pool which, Field field, const std::optional<std::uint64_t>& limit, const char* rule) {
    if (!bytes[field]) return;
    PoolTotals& totals = out.pools.emplace_back();
    totals.pool = which;
    totals.bytes = bytes[field];
    if (limit) totals.limit = PoolLimit{*limit, "kernel", rule};
  };
  // What is allocated with vmalloc takes memory as well as address space: on 64 bit it is memory that ends first.
  const bool space_ends_first = bytes[kVmallocTotal] && (!bytes[kMemTotal] || bytes[kVmallocTotal] < bytes[kMemTotal]);
  pool(Pool::kSlabReclaimable, kSReclaimable, bytes[kMemTotal], "MemTotal");
  pool(Pool::kSlabUnreclaimable, kSUnreclaim, bytes[kMemTotal], "MemTotal");
  pool(Pool::kVmalloc, kVmallocUsed, bytes[space_ends_first ? kVmallocTotal : kMemTotal],
       space_ends_first ? "VmallocTotal" : "MemTotal");
  pool(Pool::kPercpu, kPercpu, std::nullopt, "");
  out.physical_memory_bytes = bytes[kMemTotal];
  out.available_bytes = bytes[kMemAvailable];
  out.file_cache_bytes = bytes[kCached];
  out.kernel_stack_bytes = bytes[kKernelStack];
  out.page_table_bytes = bytes[kPageTables];
  out.commit_bytes = bytes[kCommittedAs];
  out.commit_limit_bytes = bytes[kCommitLimit];
  return skipped;
}

}  // namespace kmem::linux
