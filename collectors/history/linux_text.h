// Lines that Linux tools print -> what kind of table they begin or belong to, and their rows. Thread: pure.
// Failure: false or nullopt when a line is not one of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/snapshot.h"

namespace kmem::history {

enum class LinuxTable : std::uint8_t { kNone, kMeminfo, kSlabinfo, kVmallocinfo, kAllocinfo, kSlabtop, kVmstat };

/// What a table of that kind is called: "/proc/slabinfo", "slabtop".
[[nodiscard]] std::string_view table_name(LinuxTable table);

/// The kind of table that begins here. meminfo and vmallocinfo have no heading: their rows begin them.
[[nodiscard]] LinuxTable begins_table(std::string_view line);
/// Whether it begins with the name of a row of meminfo that is of use.
[[nodiscard]] bool names_meminfo_row(std::string_view line);

/// Whether a line may belong to a table of that kind, as a row, a heading or a broken row.
[[nodiscard]] bool belongs_to(LinuxTable table, std::string_view line);

/// "SUnreclaim:  32104KB" as the kernel writes it, "SUnreclaim: 32104 kB"; empty: it is as that, or another line.
[[nodiscard]] std::string whole_meminfo_row(std::string_view line);

/// Nothing of it is cut or contradicts itself: active objects, all of them, and the slabs that hold them.
[[nodiscard]] bool is_whole_slab_row(std::string_view line);
/// Bytes of objects in a page of this row of slabinfo: a page has no less. 0: it does not tell.
[[nodiscard]] std::uint64_t page_need(std::string_view line);
/// The bytes of a row of vmallocinfo are what its addresses say, as far as these are whole.
[[nodiscard]] bool fits_addresses(std::string_view line);
/// Slabs of vmstat -m's row are filled by more than half, as the kernel fills them: else a digit is lost.
[[nodiscard]] bool fills_slabs(std::string_view line);
/// What the kernel says of every area stands behind its caller, and no second area.
[[nodiscard]] bool is_whole_vmalloc_row(std::string_view line);

/// " 325542 325542 100%    0.10K   8347       39     33388K buffer_head"
[[nodiscard]] bool parse_slabtop_row(std::string_view line, TagUsage& row);
/// How many caches there are, by slabtop's head: " Active / Total Caches (% used)       : 98 / 130 (75.4%)".
[[nodiscard]] std::optional<std::uint64_t> parse_slabtop_caches(std::string_view line);
/// "kmalloc-64   1024  2048     64     64": what vmstat calls pages are the objects of a slab.
[[nodiscard]] bool parse_vmstat_row(std::string_view line, TagUsage& row);

/// How long the system runs, by a line of `uptime`: " 03:15:31 up 12 days,  3:04,  2 users,  load average: ...", or of
/// /proc/uptime: "1234567.89 9876543.21".
struct Uptime {
  std::int64_t millis = 0;
  std::int64_t precision_ms = 0;
};
[[nodiscard]] std::optional<Uptime> parse_linux_uptime(std::string_view line);
/// "btime 1793952000" of /proc/stat.
[[nodiscard]] std::optional<base::UnixMillis> parse_btime(std::string_view line);
/// A line of `date +%s`: seconds since 1970, between 2001 and 2100.
[[nodiscard]] std::optional<base::UnixMillis> parse_unix_line(std::string_view line);

}  // namespace kmem::history
