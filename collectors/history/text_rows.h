// Rows of the tables that poolmon, memsnap and the debugger print. Columns move when values are wide and people cut and
// indent what they post, so rows are read by their words; only a tag is taken by position where it is in place, for its
// blanks belong to it. Tags are four bytes, filled up with blanks as poolmon prints them ("Irp "). Thread: pure.
// Failure: kBroken with a reason when a line begins like a row and does not go on like one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/snapshot.h"

namespace kmem::history {

enum class RowKind { kRow, kBroken, kOther };

/// " Leak Nonp  14 ( 14)  0 ( 0)  14 1468006400 (104857600) 104857600 [driver]", the parentheses and what follows the
/// last number optional. Diff overflows at 2^31, and so do Bytes, which are mended up to 2^32; what contradicts itself is broken.
/// A broken row tells pool and tag, too. Cells that touch are parted where there is one way to do it.
/// What Per Alloc says of Bytes and Diff beside it; people make such columns up, too.
/// kParted: it was what told where cells end that touch.
enum class PerAlloc { kLoose, kExact, kOff, kContradicts, kParted };
[[nodiscard]] RowKind parse_poolmon_row(std::string_view line, TagUsage& row, std::string& reason,
                                        PerAlloc* per_alloc = nullptr);

/// The columns of a table of !poolused: once or twice Allocs, Used and, verbose, Frees and Diff between them.
struct PoolusedColumns {
  std::vector<Pool> pools;  // of the groups, from the left
  bool verbose = false;
};
/// `titles` is the line above, "NonPaged  Paged", which says whose the groups are. No pools: nothing does.
/// nullopt when the line is not such a header.
[[nodiscard]] std::optional<PoolusedColumns> parse_poolused_header(std::string_view line, std::string_view titles);
/// " Leak  14 1468006400  0  0 description".
[[nodiscard]] RowKind parse_poolused_row(std::string_view line, const PoolusedColumns& columns, std::vector<TagUsage>& rows,
                                         std::string& reason);

/// memsnap's columns behind the process' name, counted from 0.
struct ProcessColumns {
  std::size_t count = 0;
  std::vector<std::size_t> widths;  // as the header has them
  std::optional<std::size_t> working_set;
  std::optional<std::size_t> paged_pool;
  std::optional<std::size_t> nonpaged_pool;
  std::optional<std::size_t> handles;
};
/// nullopt when the line is not such a header.
[[nodiscard]] std::optional<ProcessColumns> parse_process_header(std::string_view line);
/// "00000B34  name.exe  numbers"; the name may have blanks, and cells that are full touch. A broken row tells its pid and
/// what stands in the name's place, too. `working_set`: what memsnap has in that column, 0 where it has none.
[[nodiscard]] RowKind parse_process_row(std::string_view line, const ProcessColumns& columns, ProcessUsage& row,
                                        std::string& reason, std::uint64_t* working_set = nullptr);

/// The table of `kmem_exporter top`, on either system.
struct TopColumns {
  bool counters = false;  // Allocs and Frees
};
[[nodiscard]] std::optional<TopColumns> parse_top_header(std::string_view line);
[[nodiscard]] RowKind parse_top_row(std::string_view line, const TopColumns& columns, TagUsage& row, std::string& reason);

}  // namespace kmem::history
