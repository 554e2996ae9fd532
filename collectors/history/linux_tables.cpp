// Tables of a Linux log from their heading to their end: what of a whole one goes into the look, and what it lacks.
#include "collectors/history/linux_history.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/recognise.h"
#include "collectors/history/row_text.h"
#include "collectors/linux/allocinfo.h"
#include "collectors/linux/meminfo.h"
#include "collectors/linux/slabinfo.h"
#include "collectors/linux/vmallocinfo.h"

namespace kmem::history {
namespace {

bool has_values(const Snapshot& part) {
  return !part.tags.empty() || !part.pools.empty() || part.physical_memory_bytes || part.available_bytes ||
         part.file_cache_bytes || part.kernel_stack_bytes || part.page_table_bytes || part.commit_bytes ||
         part.commit_limit_bytes;
}

}  // namespace

void LinuxHistory::begin(LinuxTable table) {
  close();
  const auto bit = 1U << static_cast<unsigned>(table);
  if ((seen_ & bit) != 0) finish();  // the same again without a date between
  if (seen_ == 0) begun_line_ = lines_.number();
  seen_ |= bit;
  kinds_ |= bit;
  table_ = table;
  rows_ = 0;
  first_cache_.clear();
  caches_of_table_.clear();
  sites_.clear();
  first_area_.clear();
  last_area_.clear();
  pages_ = {};
  dense_.clear();
  again_ = {};
  if (table == LinuxTable::kVmallocinfo) broken_names_ = std::exchange(owed_callers_, {});
  is_below_heading_ = false;
}

// Several rows may add up to one tag: what a broken one was a part of is not known. Where it does not tell of which, and
// tags are sums, none is.
void LinuxHistory::drop_broken_sums(LinuxTable table, std::vector<TagUsage>& tags) {
  for (std::string name : std::exchange(broken_names_, {})) {
    if (table == LinuxTable::kAllocinfo) name = name.starts_with("func:") ? ":" + name.substr(5) + ":" : "";
    const auto is_its = [&](const TagUsage& tag) {
      return table == LinuxTable::kAllocinfo ? tag.tag.find(name) != std::string::npos : tag.tag == name;
    };
    const auto left = std::remove_if(tags.begin(), tags.end(), is_its);
    const bool any = left != tags.end();
    if (any && !name.empty()) tags.erase(left, tags.end());
    else if (table != LinuxTable::kSlabinfo) tags.clear();
    else
      tags.erase(std::remove_if(tags.begin(), tags.end(), [&](const TagUsage& tag) { return several_.contains(tag.tag); }),
                 tags.end());
  }
}

/// "[module]" of "mm/slub.c:1879 [module] func:name"; empty: the kernel itself.
std::string_view LinuxHistory::module_in(std::string_view site) {
  const std::size_t open = site.find(" ["), close = site.find("] ");
  return open == std::string_view::npos || close == std::string_view::npos || close < open ? std::string_view()
                                                                                           : site.substr(open, close - open);
}

/// The kernel lists sites with 0 bytes, too: one that was listed and is not was lost, unless its module is gone, or another
/// kernel runs.
void LinuxHistory::look_for_lost_sites() {
  constexpr std::size_t kFewestOfAnotherKernel = 9, kPartOfAnotherKernel = 8;
  std::set<std::string> now = std::exchange(sites_, {});
  if (now.empty()) return;
  if (std::exchange(sites_host_, host_) != host_) known_sites_.clear();
  std::set<std::string_view> modules = {std::string_view()};  // those that are there
  for (const std::string& site : now) modules.insert(module_in(site));
  std::map<std::string, std::size_t, std::less<>> known;  // sites of each
  for (const std::string& site : known_sites_) ++known[std::string(module_in(site))];
  std::size_t lost = 0;
  for (auto site = known_sites_.begin(); site != known_sites_.end();) {
    // Of a module with one site it cannot be told.
    const bool is_gone =
        !now.contains(*site) && !modules.contains(module_in(*site)) && known.find(module_in(*site))->second > 1;
    lost += !is_gone && !now.contains(*site) ? 1 : 0;
    site = is_gone ? known_sites_.erase(site) : std::next(site);
  }
  if (lost > 0) {
    building_.snapshot().gaps.add(Pool::kAllocinfo);
    if (!std::exchange(told_of_sites_, true))
      notes_.warn(
          "rows of /proc/allocinfo that stood above are missing in a table; the kernel lists rows of 0, too, so what is "
          "missing is unknown, not 0");
  }
  if (lost >= kFewestOfAnotherKernel && lost * kPartOfAnotherKernel > known_sites_.size()) known_sites_ = std::move(now);
  else known_sites_.merge(now);
}

// A table that ends within a name: the whole name was there before, and is not in this one.
void LinuxHistory::drop_cut_name() {
  auto& tags = building_.snapshot().tags;
  const bool is_there = !tags.empty() && tags.back().tag == last_name_;
  const auto whole =
      is_there && !names_before_.contains(last_name_) ? names_before_.upper_bound(last_name_) : names_before_.end();
  if (whole != names_before_.end() && whole->starts_with(last_name_) && !names_.contains(*whole)) {
    notes_.skip(last_line_, "the table ends within the name " + in_quotes(last_name_));
    tags.pop_back();
    lose_row();
  }
  names_before_ = std::exchange(names_, {});
  last_name_.clear();
}

// What the table that is open lacks now is not gone.
void LinuxHistory::lose_row() {
  Gaps& gaps = building_.snapshot().gaps;
  if (table_ == LinuxTable::kVmallocinfo) gaps.add(Pool::kVmalloc);
  if (table_ == LinuxTable::kAllocinfo) gaps.add(Pool::kAllocinfo);
  if (table_ != LinuxTable::kSlabinfo && table_ != LinuxTable::kSlabtop && table_ != LinuxTable::kVmstat) return;
  gaps.add(Pool::kSlabReclaimable);
  gaps.add(Pool::kSlabUnreclaimable);
}

void LinuxHistory::add(TagUsage&& tag) {
  is_used_ = true;
  if (const char* const why = building_.add(std::move(tag))) notes_.skip(lines_.number(), why);
}

// The open table is whole: into the snapshot.
void LinuxHistory::close() {
  if (table_ == LinuxTable::kSlabtop) drop_cut_name();
  const LinuxTable table = std::exchange(table_, LinuxTable::kNone);
  rows_before_[static_cast<std::size_t>(table)] = rows_;
  std::string text = std::exchange(text_, {});
  told_of_length_ = false;
  if (table == LinuxTable::kSlabtop && caches_seen_ < caches_) {
    table_ = table;
    lose_row();
    table_ = LinuxTable::kNone;
  }
  caches_ = caches_seen_ = 0;
  if (text.empty()) return broken_names_.clear();
  Snapshot part;
  base::Result<std::uint64_t> parsed = 0;
  if (table == LinuxTable::kMeminfo) parsed = linux::parse_meminfo(text, part);
  if (table == LinuxTable::kSlabinfo) parsed = linux::parse_slabinfo(text, {}, page_bytes(part.gaps), part);
  if (table == LinuxTable::kVmallocinfo) parsed = linux::parse_vmallocinfo(text, part);
  if (table == LinuxTable::kAllocinfo) parsed = linux::parse_allocinfo(text, part);
  const bool is_sum_alone = table == LinuxTable::kMeminfo && trimmed(text).starts_with("Slab:");
  if (!parsed)
    notes_.skip(lines_.number(), is_sum_alone ? "Slab alone, which is no pool but the sum of two; take SReclaimable and "
                                                "SUnreclaim as well: cat /proc/meminfo"
                                              : parsed.error().message);
  is_used_ |= has_values(part);
  if (table == LinuxTable::kSlabinfo || table == LinuxTable::kVmallocinfo || table == LinuxTable::kAllocinfo)
    drop_broken_sums(table, part.tags);
  broken_names_.clear();
  caches_of_table_.clear();
  if (table == LinuxTable::kAllocinfo) look_for_lost_sites();
  part.system = System::kLinux;
  (void)building_.merge(std::move(part));
}

// Machines of ARM and POWER may have larger pages: objects that do not fit smaller ones prove them, and where most rows do.
// A row that does not fit the pages that the others show is damaged. `gaps`: what such rows leave.
std::uint32_t LinuxHistory::page_bytes(Gaps& gaps) {
  constexpr std::uint64_t kFewest = 3;
  const Pages table = std::exchange(pages_, {});
  const Pages& seen = table.rows < kFewest ? pages_of_file_ : table;
  std::uint32_t bytes = kPageBytes;
  if (seen.larger * 2 > seen.rows) bytes = seen.largest * 2 > seen.larger ? kLargestPage : kMiddlePage;
  if (bytes != kPageBytes && !std::exchange(told_of_pages_, true))
    notes_.warn("its slabs hold more than pages of 4096 bytes would: pages of " + std::to_string(bytes) + " bytes are taken");
  for (Dense& row : std::exchange(dense_, {})) {
    if (row.need <= bytes) continue;
    notes_.skip(row.line,
                "its objects do not fit its slabs of pages of " + std::to_string(bytes) +
                    " bytes, which the other rows show; one of its numbers is damaged",
                {{}, {}, base::label_text(row.name)});
    gaps.add(Pool::kSlabReclaimable);
    gaps.add(Pool::kSlabUnreclaimable);
    broken_names_.push_back(std::move(row.name));
  }
  return bytes;
}

}  // namespace kmem::history
