// Rows of the tables in a Linux log. The files of /proc go through the live kernel's parsers, each row first alone, so that a
// broken one is named.
#include "collectors/history/linux_history.h"

#include <algorithm>
#include <functional>
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

constexpr std::size_t kMostTextBytes = std::size_t{16} << 20;

}  // namespace

void LinuxHistory::row(std::string_view line) {
  ++rows_;
  // Forums mark code by blanks before it.
  if (table_ == LinuxTable::kSlabinfo || table_ == LinuxTable::kMeminfo || table_ == LinuxTable::kAllocinfo)
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  TagUsage tag;
  switch (table_) {
    case LinuxTable::kSlabtop:
      if (is_torn()) return refuse();
      if (const auto caches = parse_slabtop_caches(line)) caches_ = *caches;
      see_width(line);
      if (cut_at_ != 0 && !is_slabtop_heading(trimmed(line)) && trimmed_end(line).size() >= cut_at_)
        return refuse_line("its name may be cut, as the line of the table's head is at " + std::to_string(cut_at_) +
                           " characters");
      if (parse_slabtop_row(line, tag)) {
        ++caches_seen_;
        if (!is_whole(tag.tag, static_cast<double>(tag.bytes))) return refuse(kCutAtEnd);
        if (has_numbers_behind(tag.tag, 3)) return refuse(kTwoRows);
        last_line_ = lines_.number();
        names_.insert(tag.tag);
        last_name_ = tag.tag;
        add(std::move(tag));
      } else if (!is_slabtop_heading(trimmed(line))) refuse();
      else if (trimmed(line).starts_with("OBJS") && has_digit(line)) refuse_line(kRowInHeading);
      return;
    case LinuxTable::kVmstat:
      if (is_torn()) return refuse();
      if (begins_table(line) == LinuxTable::kVmstat) {
        is_below_heading_ = true;
        if (has_digit(line)) refuse_line(kRowInHeading);
      } else if (!parse_vmstat_row(line, tag)) {
        refuse();
      } else if (has_numbers_behind(tag.tag, 3)) {
        refuse(kTwoRows);
      } else if (std::string_view numbers = trimmed(line); !is_whole(tag.tag, last_number(numbers))) {
        refuse(kCutAtEnd);
      } else if (!fills_slabs(line)) {
        refuse("its slabs would be less than half full, which the kernel does not leave; a digit may be lost");
      } else {
        // It repeats its heading within a table, too.
        const bool again = std::exchange(is_below_heading_, false) && !first_cache_.empty() && tag.tag == first_cache_;
        if (again) begin(LinuxTable::kVmstat);
        if (first_cache_.empty()) first_cache_ = tag.tag;
        add(std::move(tag));
      }
      return;
    case LinuxTable::kSlabinfo: {
      linux::SlabRow slab;
      if (linux::is_slab_row(line) && (!linux::parse_slab_row(line, slab) || !is_whole_slab_row(line))) return refuse();
      if (line.find("<active_objs>") != std::string_view::npos && has_digit(line)) return refuse_line(kRowInHeading);
      if (!linux::is_slab_row(line)) break;
      if (const std::string name(line.substr(0, line.find(' '))); !caches_of_table_.insert(name).second) several_.insert(name);
      const std::uint64_t need = page_need(line);
      pages_.see(need);
      pages_of_file_.see(need);
      if (need > kPageBytes) dense_.push_back({lines_.number(), need, std::string(line.substr(0, line.find(' ')))});
      break;
    }
    case LinuxTable::kVmallocinfo: {
      Snapshot alone;
      if (!linux::parse_vmallocinfo(line, alone) || !is_whole_vmalloc_row(line)) return refuse();
      if (!fits_addresses(line)) return refuse_line("its bytes are not what its addresses say; a digit may be lost");
      const std::string area(area_in(trimmed(line)));
      if (area.empty()) break;
      if (rows_ == 1) first_area_ = area;
      const bool is_same_as_above = std::exchange(last_area_, area) == area;
      // One of another size at an address is of another look; addresses that are hashed may be the same by chance.
      const bool is_hashed = area.starts_with("0x00000000");
      const std::string_view range = std::string_view(area).substr(0, area.find(' '));
      const bool is_new_start = caches_of_table_.emplace(range.substr(0, range.find('-'))).second;
      const bool is_new_range = caches_of_table_.emplace(range).second;
      if (caches_of_table_.insert(area).second && (is_new_start || !is_new_range || is_hashed)) break;
      // While it is read, areas come and go: the kernel may tell the last one again. Others are another look's, and which rows
      // are is not known.
      notes_.skip(lines_.number(), is_same_as_above ? "the row above it again"
                                                    : "an area that stands in this table already: two tables without a "
                                                      "date between, and none of them is used");
      if (is_same_as_above) return;
      broken_names_.emplace_back();
      return lose_row();
    }
    case LinuxTable::kAllocinfo: {
      if (is_torn()) return refuse();
      Snapshot alone;
      const std::string with_heading = kAllocinfoHeading + std::string(line);
      if (rows_ > 1 && !linux::parse_allocinfo(with_heading, alone)) return refuse();
      const std::string_view text = trimmed(line);
      if (rows_ == 1 && text.starts_with("allocinfo - version:")) break;
      if (rows_ == 1) text_ = kAllocinfoHeading;  // it is cut, or lost
      if (text.starts_with('#') && has_digit(text)) return refuse_line(kRowInHeading);
      if (rows_ == 1) return;
      if (text.starts_with('#')) break;
      const std::size_t function = text.find("func:");
      if (function != std::string_view::npos && text.find("func:", function + 1) != std::string_view::npos)
        return refuse(kTwoRows);
      const std::size_t name = std::min(text.find_first_not_of("0123456789 \t"), text.size());
      if (!is_whole(text.substr(name), 0)) return refuse(kCutAtEnd);
      sites_.emplace(text.substr(name));
      break;
    }
    case LinuxTable::kMeminfo: {
      Snapshot alone;
      // Behind a row that is right, so that a field that is not is counted, and no text without fields.
      const auto skipped = linux::parse_meminfo("MemTotal: 1 kB\n" + std::string(line), alone);
      // A field that nobody needs is malformed alone, one that is needed and no number is as well.
      const std::string_view value = trimmed(line.substr(std::min(line.find(':') + 1, line.size())));
      const bool is_number = !value.empty() && value.front() >= '0' && value.front() <= '9';
      if (const std::size_t unit = value.find("kB"); unit < value.size() && value.find(':', unit) < value.size())
        return refuse_line(kTwoRows);
      if (rows_ == 1 && skipped && *skipped > 0 && value.find_first_not_of("0123456789") == std::string_view::npos)
        return refuse_line(
            "no unit behind the number, where the kernel writes kB; keep the lines as they are: cat /proc/meminfo");
      if ((skipped && *skipped > 0) || !is_number) return refuse();
      if (const std::string name(trimmed(line.substr(0, line.find(':')))); !caches_of_table_.insert(name).second)
        return refuse_line(in_quotes(name) + " stands twice in this table; the first one is used");
      break;
    }
    case LinuxTable::kNone: return;
  }
  if ((table_ == LinuxTable::kSlabinfo || table_ == LinuxTable::kAllocinfo) && is_below_headings(line) && is_again(line))
    return;
  if (text_.size() + line.size() < kMostTextBytes) text_.append(line).append("\n");
  else lose_row();
  if (text_.size() + line.size() >= kMostTextBytes && !std::exchange(told_of_length_, true))
    notes_.skip(lines_.number(), "the table is too long");
}

/// A table that begins again without heading or date: two rows one behind another that stood so above, are a copy, and what
/// follows them. Of slabinfo's two first caches with other numbers it is another look, and which rows are whose is not known.
bool LinuxHistory::is_again(std::string_view line) {
  const auto key = std::hash<std::string_view>{}(line);
  const auto name = std::hash<std::string_view>{}(line.substr(0, line.find(' ')));
  Again& again = again_;
  const std::size_t at = again.rows.size();
  if (at >= kMostRowsAgain) return false;
  again.rows.push_back(key);
  again.names.push_back(name);
  const auto known = again.first.try_emplace(key, at).first->second;
  const bool goes_on = again.next != 0 && again.next < again.began && again.rows[again.next] == key;
  if (goes_on && (again.is_told || again.rows[again.next - 1] != key)) {
    if (!std::exchange(again.is_told, true)) {
      notes_.skip(lines_.number() - 1, "rows that stand in this table already, in the same order: a copy, which is not used");
      text_.resize(again.text_before);
    }
    ++again.next;
    return true;
  }
  const bool begins = at > 1 && name == again.names[1] && again.names[at - 1] == again.names[0] && again.names[0] != name;
  const bool is_other = again.is_told && again.next < again.began && name == again.names[again.next];
  if (table_ == LinuxTable::kSlabinfo && ((begins && at > 2 && !again.is_told) || is_other))
    refuse_line("the table begins again here without a date between, and none of such rows is used");
  again.is_told = false;
  again.next = known < at ? known + 1 : 0;
  again.began = at;
  again.text_before = text_.size();
  return false;
}

/// No heading's line.
bool LinuxHistory::is_below_headings(std::string_view row) {
  return !row.starts_with('#') && !row.starts_with("slabinfo - ") && !row.starts_with("allocinfo - ");
}

void LinuxHistory::refuse(const std::string& why) {
  // Rows of slabs begin with the name, slabtop's and allocinfo's end with it.
  const bool begins = table_ == LinuxTable::kSlabinfo || table_ == LinuxTable::kVmstat;
  const bool ends = table_ == LinuxTable::kSlabtop || table_ == LinuxTable::kAllocinfo;
  const std::string_view text = trimmed(torn_.empty() ? lines_.line() : torn_);
  const std::string_view name = begins ? text.substr(0, text.find_first_of(" \t"))
                                : ends ? text.substr(text.find_last_of(" \t") + 1)
                                       : std::string_view();
  if (name.empty()) return refuse_line(why);
  std::string whole(name);
  const auto longer = names_before_.lower_bound(whole);  // of slabtop: the only one that it may be the beginning of
  const bool is_only = longer != names_before_.end() && longer->starts_with(whole) &&
                       (*longer == whole || std::next(longer) == names_before_.end() || !std::next(longer)->starts_with(whole));
  if (ends && !torn_.empty() && is_only) whole = *longer;
  notes_.skip(lines_.number(), why, {{}, {}, base::label_text(whole)});
  broken_names_.push_back(std::move(whole));
  lose_row();
}

void LinuxHistory::refuse_line(const std::string& why) {
  notes_.skip(lines_.number(), why);
  broken_names_.push_back(table_ == LinuxTable::kVmallocinfo ? vmalloc_caller(trimmed(lines_.line())) : std::string());
  lose_row();
}

// "0x...-0x... 8192 alloc_large_system_hash+0x19f/0x2f0 pages=1": the function, if it is whole; else nothing.
std::string LinuxHistory::vmalloc_caller(std::string_view text) {
  const std::size_t blank = text.substr(0, text.find("+0x")).rfind(' ');
  if (blank == std::string_view::npos) return {};
  text.remove_prefix(blank + 1);
  const std::size_t plus = text.find("+0x"), end = text.find(' ');
  return plus < end && end != std::string_view::npos ? std::string(text.substr(0, plus)) : std::string();
}

bool LinuxHistory::is_whole(std::string_view name, double value) {
  return end_.is_whole(lines_, std::string(table_name(table_)) + std::string(name), value, true);
}

double LinuxHistory::last_number(std::string_view text) {
  text = text.substr(text.find_last_of(" \t") + 1);
  return static_cast<double>(take_number<std::uint32_t>(text).value_or(0));
}

/// A line of slabtop's head ends with a parenthesis, unless a terminal's width cut it.
void LinuxHistory::see_width(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (text.starts_with("Active / Total Objects")) cut_at_ = 0;
  if (text.starts_with("Active /") && text.find(':') < text.size() && !text.ends_with(')')) cut_at_ = trimmed_end(line).size();
}

// The file ends within this row: of a table that had more rows before, whose last cell is a name or a number.
bool LinuxHistory::is_torn() const { return lines_.is_open_ended() && rows_ < rows_before_[static_cast<std::size_t>(table_)]; }

bool LinuxHistory::is_slabtop_heading(std::string_view text) {
  return text.starts_with("OBJS") || text.starts_with("Active /") || text.starts_with("Minimum /");
}

}  // namespace kmem::history
