// The lines around the tables of poolmon, memsnap and the debugger: totals of the system, and when. Thread: pure.
// Failure: false or nullopt when a line is not one of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "collectors/base/clock.h"
#include "collectors/history/snapshot_builder.h"

namespace kmem::history {

/// poolmon's first line: "Memory: 8388608K Avail: 1204220K PageFlts: 3 InRam Krnl:31464K P:248372K".
[[nodiscard]] bool apply_memory_line(std::string_view line, SnapshotBuilder& out);
/// Its second: "Commit:12798116K Limit:32880828K Peak:12958348K Pool N:168816K P:303892K".
[[nodiscard]] bool apply_commit_line(std::string_view line, SnapshotBuilder& out);
/// A line of !vm: "NonPagedPool Usage:   20384 (   81536 Kb)".
[[nodiscard]] bool apply_vm_line(std::string_view line, SnapshotBuilder& out);

/// "!SystemTime=..." in UTC.
[[nodiscard]] std::optional<base::UnixMillis> parse_system_time(std::string_view line);
/// "!TickCount=...": milliseconds since boot modulo 2^32.
[[nodiscard]] std::optional<std::uint32_t> parse_tick_count(std::string_view line);

/// Without terminal colours, form feeds and a prompt's leftovers; `storage` holds the text when it had to change.
[[nodiscard]] std::string_view without_escapes(std::string_view line, std::string& storage);

}  // namespace kmem::history
