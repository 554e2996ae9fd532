// The lines around the tables of poolmon, memsnap and the debugger: totals of the system, and when. Thread: pure.
// Failure: false or nullopt when a line is not one of them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/history/snapshot_builder.h"

namespace kmem::history {

/// poolmon's first line: "Memory: 8388608K Avail: 1204220K PageFlts: 3 InRam Krnl:31464K P:248372K".
[[nodiscard]] bool apply_memory_line(std::string_view line, SnapshotBuilder& out);
/// Its second: "Commit:12798116K Limit:32880828K Peak:12958348K Pool N:168816K P:303892K". `is_cut`: it ends before the pools.
[[nodiscard]] bool apply_commit_line(std::string_view line, SnapshotBuilder& out, bool* is_cut = nullptr);
/// What !vm says of the nonpaged pool in parts: current debuggers tell what can run code from what cannot.
struct VmParts {
  std::optional<std::uint64_t> nonpaged, nonpaged_nx;
  bool is_broken = false;                    // one of them could not be read
  std::uint64_t kib_a_page = 0;              // of all lines of one machine; 0: not known yet
  std::map<std::string, std::uint64_t> kib;  // of each line that is used, by its name without blanks
  std::string problem;                       // of the line that is broken
  std::optional<Pool> part_of;               // of which pool the line in hand tells a part alone: "PagedPool 0 Usage"
};
enum class VmLine { kOther, kKnown, kUnknown, kBroken };
/// A line of !vm: "NonPagedPool Usage:   20384 (   81536 Kb)". kUnknown: of the same form, and of no use.
/// kBroken: one of use whose numbers are none.
[[nodiscard]] VmLine apply_vm_line(std::string_view line, VmParts& parts, SnapshotBuilder& out);

/// "System Uptime: 5 days 3:22:11.125", "System Up Time: 5 Days, 3 Hours, 22 Minutes, 11 Seconds" and the like:
/// milliseconds.
[[nodiscard]] std::optional<std::int64_t> parse_uptime(std::string_view line);
/// What stands behind "System Boot Time:", "Statistics since", "LastBootUpTime": when the system started.
[[nodiscard]] std::optional<std::string_view> boot_words(std::string_view line);
/// "Original Install Date: 2025-01-17, 04:00:00": no time of what is below it.
[[nodiscard]] bool is_of_installation(std::string_view line);

/// The screen of one session's pools, or of all of them together; of the system itself.
struct PoolOwner {
  enum class Kind { kSystem, kSession, kAllSessions } kind = Kind::kSystem;
  std::uint32_t session = 0;
};
/// " Session 1 pool information", "Session ID is 1".
[[nodiscard]] std::optional<PoolOwner> parse_pool_owner(std::string_view text);

/// "!SystemTime=..." in UTC.
[[nodiscard]] std::optional<base::UnixMillis> parse_system_time(std::string_view line);
/// "!TickCount=...": milliseconds since boot, of most versions modulo 2^32.
[[nodiscard]] std::optional<std::uint64_t> parse_tick_count(std::string_view line);

/// A prompt or the sum below a table: the table is over.
[[nodiscard]] bool ends_table(std::string_view text);

/// Without mail's quote marks, a web page's markup, a wiki's bars, and with every kind of blank as one; `storage` holds
/// the text when it had to change.
[[nodiscard]] std::string_view without_markup(std::string_view line, std::string& storage);
/// The same for what cannot be part of a row as the programs print it: quote marks and bars in the first column.
[[nodiscard]] std::string_view without_quotes(std::string_view line, std::string& storage);

/// Without mail's quote marks and with a web page's blanks as blanks, where bars and angles may be part of a row.
[[nodiscard]] std::string_view as_written(std::string_view line, std::string& storage);

/// Without terminal colours, form feeds and a prompt's leftovers; `storage` holds the text when it had to change.
[[nodiscard]] std::string_view without_escapes(std::string_view line, std::string& storage);

/// A line without terminal colours and without a web page's breaks, <br>, at its end; of every format.
void take_off_dressing(std::string& line);

}  // namespace kmem::history
