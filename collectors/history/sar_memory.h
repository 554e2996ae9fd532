// The columns of sysstat's memory activity, as sar, `sadf -d` and `sadf -j` name them -> Snapshot. Thread: pure.
// Failure: nullopt when a text is none of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/history/notes.h"
#include "collectors/history/snapshot_builder.h"

namespace kmem::history {

inline constexpr std::string_view kSarSlabTag = "kbslab";
inline constexpr std::string_view kSarSlabWarning =
    "kbslab counts reclaimable slab caches too, which grow without leaking; slabinfo tells them apart";

enum class SarValue : std::uint8_t { kAvailable, kCommit, kFileCache, kSlab, kKernelStack, kPageTables, kVmalloc };

struct SarColumn {
  std::size_t at = 0;
  SarValue value = SarValue::kCommit;
  std::string_view name;  // sar's
};
/// Those that are known; none unless it is the memory table.
[[nodiscard]] std::vector<SarColumn> sar_columns(const std::vector<std::string_view>& names);
/// By the name that `sadf -j` has: "slab".
[[nodiscard]] std::optional<SarValue> sar_json_value(std::string_view name);

/// kB -> bytes; also "1.2G", as sar -h rounds it.
[[nodiscard]] std::optional<std::uint64_t> parse_sar_amount(std::string_view text);
void set_sar_value(SarValue value, std::uint64_t bytes, SnapshotBuilder& out);

/// "Linux 5.10.0-21-amd64 (myhost) 	11/05/2026 	_x86_64_	(4 CPU)"
struct SarHeading {
  std::string host;
  std::string_view date;
};
[[nodiscard]] std::optional<SarHeading> parse_sar_heading(std::string_view line);
/// What a value that is lost is of.
[[nodiscard]] RowSubject sar_subject(const std::string& host, SarValue value);
[[nodiscard]] std::string sar_host_label(std::string_view text);

}  // namespace kmem::history
