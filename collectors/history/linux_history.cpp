// What a shell loop writes on Linux: a date, then any of /proc/slabinfo, meminfo, vmallocinfo, allocinfo, `slabtop -o`,
// `vmstat -m`, in any order; `uptime`, /proc/uptime or btime give the boot. A snapshot ends where the next date stands.
// The files of /proc go through the live kernel's parsers, each row first alone, so that a broken one is named.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <functional>
#include <set>
#include <unordered_map>
#include <utility>

#include "collectors/base/digit.h"
#include "collectors/base/label_text.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/host_lines.h"
#include "collectors/history/linux_text.h"
#include "collectors/history/open_end.h"
#include "collectors/history/recognise.h"
#include "collectors/history/row_text.h"
#include "collectors/history/snapshot_builder.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/text_header.h"
#include "collectors/history/uptime_shift.h"
#include "collectors/linux/allocinfo.h"
#include "collectors/linux/meminfo.h"
#include "collectors/linux/slabinfo.h"
#include "collectors/linux/vmallocinfo.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::uint32_t kPageBytes = 4096, kMiddlePage = 16'384, kLargestPage = 65'536;
constexpr std::size_t kMostTextBytes = std::size_t{16} << 20;
constexpr std::int64_t kSameBootMillis = 150'000;  // uptime tells minutes

UnixMillis in_utc(std::optional<Zone> zone, UnixMillis local) {
  return local - std::int64_t{minutes_east(zone.value_or(Zone{}), local)} * 60'000;
}

/// As `uptime -s` writes it.
bool is_of_uptime(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00 00:00:00";
  return text.size() == kForm.size() && std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
           return form == '0' ? c >= '0' && c <= '9' : c == form;
         });
}

bool has_values(const Snapshot& part) {
  return !part.tags.empty() || !part.pools.empty() || part.physical_memory_bytes || part.available_bytes ||
         part.file_cache_bytes || part.kernel_stack_bytes || part.page_table_bytes || part.commit_bytes ||
         part.commit_limit_bytes;
}

class LinuxHistory final : public SnapshotReader {
 public:
  LinuxHistory(LineReader lines, FileNotes notes, TextOptions options)
      : lines_(std::move(lines)), notes_(std::move(notes)), options_(std::move(options)), dates_(options_.dates) {}

  base::Result<bool> next(Snapshot& out) override {
    while (!ready_) {
      if (!fault_.empty()) return base::Error{base::ErrorCode::kMalformed, notes_.path() + ": " + fault_};
      if (ended_) return false;
      const auto state = lines_.next();
      if (!state) return state.error();
      if (*state == LineState::kEnd) {
        const bool is_date_left = time_ && seen_ == 0;
        are_lines_in_reverse_ = is_date_left && begins_undated_ && last_given_ && *time_ < *last_given_;
        if (is_date_left && begins_undated_ && any_dated_ && !are_lines_in_reverse_) {
          dates_below_.date_line = date_line_;
          dates_below_.are_proven = dates_below_.doubt_line == 0 && !is_any_refused_ && !has_host_lines();
        }
        finish(true);
        ended_ = true;
        if (undated_ == 1 && !any_dated_ && only_ && !is_any_refused_)
          if (const auto time = time_of_only_table(options_, notes_)) give(std::move(*only_), *time, only_uptime_);
        if ((undated_ > 0 || (told_of_headless_ && !is_any_used_)) && !any_dated_) return nothing_dated();
      } else if (*state == LineState::kTooLong) {
        notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxLineBytes) + " bytes");
        lose_row();
      } else {
        take(as_written(without_escapes(lines_.line(), plain_), written_));
        above_ = lines_.line().substr(0, kLongestAbove);
      }
    }
    out = std::move(*ready_);
    ready_.reset();
    line_ = ready_line_;
    return true;
  }

  [[nodiscard]] std::uint64_t line() const override { return line_; }
  [[nodiscard]] const std::string& host() const override { return ready_host_; }
  [[nodiscard]] bool has_host_lines() const override { return !options_.lines_tell_hosts && host_lines_.are_hosts(); }
  [[nodiscard]] bool has_one_host_line() const override { return host_lines_.is_one_host(); }
  [[nodiscard]] std::string year_day_month() const override { return dates_.year_day_month(); }
  [[nodiscard]] const char* fault_of_order() const override { return are_lines_in_reverse_ ? kLinesInReverse : nullptr; }

 private:
  void take(std::string_view line) {
    if (std::string whole = whole_meminfo_row(line); !whole.empty()) {
      mended_ = std::move(whole);
      line = mended_;
    }
    const std::string_view text = trimmed(line);
    if (const std::string_view next = date_behind_row(text, date_text_);
        table_ != LinuxTable::kNone && !next.empty() && !are_words(text.substr(0, text.size() - next.size()))) {
      const std::string date_line(next);
      torn_ = text.substr(0, text.size() - next.size());
      refuse("the row may be cut, for the next date stands right behind it");
      torn_.clear();
      (void)date(date_line);
      return;
    }
    const LinuxTable begins = begins_table(line);
    if (begins != LinuxTable::kNone && !goes_on(begins, text)) {
      begin(begins);
      row(line);
      return;
    }
    if (table_ != LinuxTable::kNone && belongs_to(table_, line) && !is_stamp(text)) {
      row(line);
      return;
    }
    if (text.empty() || boot(text)) return;
    if (const std::string_view other = begins == LinuxTable::kNone ? begins_other(text) : std::string_view(); !other.empty()) {
      if (other != other_) notes_.skip(lines_.number(), other_begins(other));
      other_ = other;
      close();
      return;
    }
    const auto before = time_;
    const bool ends_look = seen_ != 0;
    if (date(text)) {
      other_ = {};
      if (time_ && (time_ != before || ends_look)) see_line_above_date();
      return;
    }
    if (bool is_named = false; options_.lines_tell_hosts && !host_in_line(text, is_named).empty()) return close();
    if (is_heading_line(text)) return;
    if (table_ == LinuxTable::kNone && other_.empty() && is_headless_row(text) && !std::exchange(told_of_headless_, true))
      notes_.skip(lines_.number(), "numbers behind a name, but no table's heading above them; such rows are passed over");
    if (table_ == LinuxTable::kNone && names_meminfo_row(text))
      notes_.skip(lines_.number(), "not a row of " + std::string(table_name(LinuxTable::kMeminfo)));
    if (table_ == LinuxTable::kNone && other_.empty() && base::is_digit(text.front()) && text.find(" func:") < text.size()) {
      notes_.skip(lines_.number(), "a row of /proc/allocinfo, but not its heading above it");
      owed_.add(Pool::kAllocinfo);
      return;
    }
    if (table_ == LinuxTable::kNone && other_.empty() && text.find("+0x") < text.find("/0x") &&
        text.find("/0x") < text.size()) {
      notes_.skip(lines_.number(), "a row of /proc/vmallocinfo without its addresses");
      owed_callers_.push_back(vmalloc_caller(text));
      owed_.add(Pool::kVmalloc);
      return;
    }
    TagUsage slabtop;
    if (table_ == LinuxTable::kNone && other_.empty() && parse_slabtop_row(text, slabtop)) {
      notes_.skip(lines_.number(), "a row of slabtop, but not its heading above it", {{}, slabtop.pool, slabtop.tag});
      owed_.add(Pool::kSlabReclaimable);
      owed_.add(Pool::kSlabUnreclaimable);
    }
    // Cut behind its name.
    const bool is_name_alone = table_ == LinuxTable::kVmstat && rows_ > 1 &&
                               text.find_first_of(" \t") == std::string_view::npos && (text.front() | 0x20) >= 'a' &&
                               (text.front() | 0x20) <= 'z';
    const bool is_field_alone =
        table_ == LinuxTable::kMeminfo && text.ends_with(':') && text.find(' ') == std::string_view::npos;
    const bool has_figures = table_ != LinuxTable::kNone && has_digit(text);
    const bool is_prose = (table_ == LinuxTable::kAllocinfo || table_ == LinuxTable::kVmallocinfo) && is_prose_with_time(text);
    const auto no_row = [this] { return "not a row of " + std::string(table_name(table_)); };
    if (is_name_alone) refuse();
    else if (is_prose) notes_.skip(lines_.number(), no_row());
    else if (is_field_alone || has_figures) refuse_line(no_row());
  }

  void see_line_above_date() {
    host_lines_.see(above_, time_);
    bool is_named = false;
    if (std::string name = options_.lines_tell_hosts ? host_in_line(above_, is_named) : std::string(); !name.empty())
      host_ = std::move(name);
  }

  // The table that is open goes on with this line: its second heading, or a row like its first.
  bool goes_on(LinuxTable begins, std::string_view text) const {
    if (begins != table_) return false;
    if (begins == LinuxTable::kSlabtop) return text.starts_with("OBJS");
    if (begins == LinuxTable::kVmstat) return true;
    if (begins == LinuxTable::kAllocinfo) return text.starts_with('#');
    if (begins == LinuxTable::kMeminfo) return !text.starts_with("MemTotal:") || rows_ == 0;
    // Its first area again is the next look, whose date was lost.
    return begins == LinuxTable::kVmallocinfo &&
           (first_area_.empty() || last_area_ == first_area_ || area_in(text) != first_area_);
  }

  /// A row of vmallocinfo; empty where the kernel hides all addresses behind zeros, so that areas may look the same. Addresses
  /// rise in older kernels only: newer ones tell areas node by node.
  static std::string_view area_in(std::string_view text) {
    const std::string_view range = text.substr(0, text.find(' '));
    return range.find_first_not_of("0x-") == std::string_view::npos ? std::string_view() : text;
  }

  /// "Log closed": several, and no number, which a row that is cut has behind its name.
  static bool are_words(std::string_view text) {
    return !has_digit(text) && trimmed(text).find_first_of(" \t") != std::string_view::npos;
  }

  /// "On 2026-11-18 09:00:00 bob wrote:", which no row of paths or addresses is.
  static bool is_prose_with_time(std::string_view text) {
    const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
    const std::size_t word = text.find(' ');
    if (word == std::string_view::npos ||
        !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(word), is_letter))
      return false;
    for (std::size_t i = 1; i + 2 < text.size(); ++i)
      if (text[i] == ':' && base::is_digit(text[i - 1]) && base::is_digit(text[i + 1]) && base::is_digit(text[i + 2]))
        return true;
    return false;
  }

  /// Of slabinfo or of vmstat -m: a name and four numbers at least.
  static bool is_headless_row(std::string_view text) {
    constexpr std::size_t kNumbers = 4;
    const std::string_view name = text.substr(0, text.find_first_of(" \t"));
    return !name.empty() && !name.ends_with(':') && name.find_first_not_of("0123456789.,:") != std::string_view::npos &&
           has_numbers_behind(text.substr(name.size()), kNumbers);
  }

  // slabtop's and vmstat's rows have numbers as dates do.
  bool is_stamp(std::string_view text) const {
    if (table_ == LinuxTable::kMeminfo) return false;
    if (parse_linux_uptime(text) || parse_unix_line(text)) return true;
    TagUsage row;
    if (table_ == LinuxTable::kSlabtop && parse_slabtop_row(text, row)) return false;
    if (table_ == LinuxTable::kVmstat && parse_vmstat_row(text, row)) return false;
    const DateLine found = parse_date_line(text);
    return found.midnight || found.yearless || !found.problem.empty();
  }

  void begin(LinuxTable table) {
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

  void row(std::string_view line) {
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
        if (const std::string name(line.substr(0, line.find(' '))); !caches_of_table_.insert(name).second)
          several_.insert(name);
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
  bool is_again(std::string_view line) {
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

  static constexpr const char* kTwoRows = "two rows in one line";
  static constexpr const char* kRowInHeading = "a row stands behind the heading in one line, and is passed over";
  static constexpr const char* kAllocinfoHeading = "allocinfo - version: 1.0\n";
  /// No heading's line.
  static bool is_below_headings(std::string_view row) {
    return !row.starts_with('#') && !row.starts_with("slabinfo - ") && !row.starts_with("allocinfo - ");
  }
  static bool has_digit(std::string_view text) { return text.find_first_of("0123456789") != std::string_view::npos; }

  void refuse() { refuse("not a row of " + std::string(table_name(table_))); }
  void refuse(const std::string& why) {
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
    const bool is_only =
        longer != names_before_.end() && longer->starts_with(whole) &&
        (*longer == whole || std::next(longer) == names_before_.end() || !std::next(longer)->starts_with(whole));
    if (ends && !torn_.empty() && is_only) whole = *longer;
    notes_.skip(lines_.number(), why, {{}, {}, base::label_text(whole)});
    broken_names_.push_back(std::move(whole));
    lose_row();
  }
  void refuse_line(const std::string& why) {
    notes_.skip(lines_.number(), why);
    broken_names_.push_back(table_ == LinuxTable::kVmallocinfo ? vmalloc_caller(trimmed(lines_.line())) : std::string());
    lose_row();
  }

  // "0x...-0x... 8192 alloc_large_system_hash+0x19f/0x2f0 pages=1": the function, if it is whole; else nothing.
  static std::string vmalloc_caller(std::string_view text) {
    const std::size_t blank = text.substr(0, text.find("+0x")).rfind(' ');
    if (blank == std::string_view::npos) return {};
    text.remove_prefix(blank + 1);
    const std::size_t plus = text.find("+0x"), end = text.find(' ');
    return plus < end && end != std::string_view::npos ? std::string(text.substr(0, plus)) : std::string();
  }

  // Several rows may add up to one tag: what a broken one was a part of is not known. Where it does not tell of which, and
  // tags are sums, none is.
  void drop_broken_sums(LinuxTable table, std::vector<TagUsage>& tags) {
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
  static std::string_view module_in(std::string_view site) {
    const std::size_t open = site.find(" ["), close = site.find("] ");
    return open == std::string_view::npos || close == std::string_view::npos || close < open ? std::string_view()
                                                                                             : site.substr(open, close - open);
  }

  /// The kernel lists sites with 0 bytes, too: one that was listed and is not was lost, unless its module is gone, or another
  /// kernel runs.
  void look_for_lost_sites() {
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

  bool is_whole(std::string_view name, double value) {
    return end_.is_whole(lines_, std::string(table_name(table_)) + std::string(name), value, true);
  }
  static double last_number(std::string_view text) {
    text = text.substr(text.find_last_of(" \t") + 1);
    return static_cast<double>(take_number<std::uint32_t>(text).value_or(0));
  }

  static std::string_view trimmed_end(std::string_view line) { return line.substr(0, line.find_last_not_of(" \t\r") + 1); }

  /// A line of slabtop's head ends with a parenthesis, unless a terminal's width cut it.
  void see_width(std::string_view line) {
    const std::string_view text = trimmed(line);
    if (text.starts_with("Active / Total Objects")) cut_at_ = 0;
    if (text.starts_with("Active /") && text.find(':') < text.size() && !text.ends_with(')'))
      cut_at_ = trimmed_end(line).size();
  }

  // A table that ends within a name: the whole name was there before, and is not in this one.
  void drop_cut_name() {
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

  // The file ends within this row: of a table that had more rows before, whose last cell is a name or a number.
  [[nodiscard]] bool is_torn() const {
    return lines_.is_open_ended() && rows_ < rows_before_[static_cast<std::size_t>(table_)];
  }

  // What the table that is open lacks now is not gone.
  void lose_row() {
    Gaps& gaps = building_.snapshot().gaps;
    if (table_ == LinuxTable::kVmallocinfo) gaps.add(Pool::kVmalloc);
    if (table_ == LinuxTable::kAllocinfo) gaps.add(Pool::kAllocinfo);
    if (table_ != LinuxTable::kSlabinfo && table_ != LinuxTable::kSlabtop && table_ != LinuxTable::kVmstat) return;
    gaps.add(Pool::kSlabReclaimable);
    gaps.add(Pool::kSlabUnreclaimable);
  }

  static bool is_slabtop_heading(std::string_view text) {
    return text.starts_with("OBJS") || text.starts_with("Active /") || text.starts_with("Minimum /");
  }

  void add(TagUsage&& tag) {
    is_used_ = true;
    if (const char* const why = building_.add(std::move(tag))) notes_.skip(lines_.number(), why);
  }

  // The open table is whole: into the snapshot.
  void close() {
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
  std::uint32_t page_bytes(Gaps& gaps) {
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

  bool boot(std::string_view text) {
    if (const auto btime = parse_btime(text)) {
      boot_ = *btime;
      return true;
    }
    const auto uptime = parse_linux_uptime(text);
    if (uptime) uptime_ = *uptime;
    if (uptime || is_of_installation(text)) return true;
    // As systeminfo tells it, in any country's order: it is no stamp of a table, whether it is understood or not.
    const auto words = boot_words(text);
    if (!words || words->empty()) return false;
    const DateLine found = dates_.parse(*words);
    if (found.midnight && found.time_of_day) boot_ = in_utc(found.zone, *found.midnight + *found.time_of_day);
    else notes_.skip(lines_.number(), found.problem.empty() ? "the time of the boot is not understood" : found.problem);
    return true;
  }

  bool date(std::string_view text) {
    if (const auto unix_time = parse_unix_line(text)) {
      stamp(*unix_time, "lines of Unix seconds");
      return true;
    }
    DateLine found = dates_.parse(text);
    if (found.empty() && may_be_date(text) && (!time_ || seen_ != 0))
      found.problem = in_quotes(text) + " looks like a date, but is not understood";
    is_any_refused_ |= !found.problem.empty();
    if (!found.problem.empty()) {
      finish();
      notes_.skip(lines_.number(), found.problem + "; the tables below are passed over");
      is_refused_ = true;
      return true;
    }
    if (found.yearless && found.problem.empty()) {
      const auto base = midnight_ ? midnight_ : last_local_;
      constexpr UnixMillis kFirstFile = 725'846'400'000;  // 1993
      if (base) found.midnight = first_day_after(found, *base);
      else if (options_.modified && *options_.modified >= kFirstFile)
        found.midnight = last_day_before(found, *options_.modified);
      if (!found.midnight) {
        finish();
        notes_.skip(lines_.number(),
                    in_quotes(text) + " has no year, and nothing above it tells it; the tables below are passed over");
        return is_refused_ = true;
      }
      if (!std::exchange(told_of_years_, true))
        notes_.warn(base ? "days without a year follow the one above them"
                         : "days without a year are the last ones before the file was modified");
    }
    const bool completes = midnight_ && !has_time_of_day_ && seen_ == 0;
    if (found.empty() || (!found.midnight && !completes)) return false;
    if (found.midnight) {
      const auto earlier = time_;
      const bool nothing_between = seen_ == 0;
      const UnixMillis time = in_utc(found.zone, *found.midnight + found.time_of_day.value_or(0));
      if (earlier && nothing_between && zone_ && is_bare_ && lines_.number() == date_line_ + 1 &&
          is_same_moment(*earlier, found))
        return true;
      if (earlier && nothing_between && found.time_of_day && time < *earlier) {
        // `date; uptime -s`: the boot stands below the time.
        if (boot_words(text) || (is_bare_ && lines_.number() == date_line_ + 1 && is_of_uptime(text))) {
          boot_ = time;
          return true;
        }
        const SecondDate judged = judge_earlier(found, is_bare_, !last_given_ || time > *last_given_);
        if (judged == SecondDate::kIsOther) notes_.skip(lines_.number(), kEarlierThanAbove);
        if (judged == SecondDate::kIsOther) return true;
        if (judged == SecondDate::kDoubtful) {
          finish();
          notes_.skip(lines_.number(), earlier_than_above(date_line_) + "; it is passed over");
          return is_refused_ = true;
        }
        notes_.skip(date_line_, "a date without a table below");
      }
      constexpr std::int64_t kOneLookMillis = 60'000;
      if (earlier && nothing_between && std::abs(time - *earlier) > kOneLookMillis && dates_below_.doubt_line == 0)
        dates_below_.doubt_line = date_line_;
      finish();
      is_refused_ = false;
      is_bare_ = is_bare_stamp(text, found);
      date_line_ = lines_.number();
      midnight_ = found.midnight;
      zone_.reset();
      has_time_of_day_ = false;
    }
    if (found.zone) zone_ = found.zone;
    has_time_of_day_ |= found.time_of_day.has_value();
    time_ = in_utc(zone_, *midnight_ + found.time_of_day.value_or(0));
    last_local_ = *midnight_ + found.time_of_day.value_or(0);
    date_text_.assign(text);
    notes_.timed_by("date lines above the tables");
    return true;
  }

  void stamp(UnixMillis time, std::string_view rule) {
    finish();
    is_refused_ = false;
    time_ = time;
    zone_ = Zone{};
    is_bare_ = true;
    date_line_ = lines_.number();
    notes_.timed_by(rule);
  }

  void finish(bool is_end = false) {
    close();
    given_host_ = host_;
    Snapshot done = building_.take();
    if (time_ && seen_ != 0) {
      done.gaps.pools |= owed_.pools;
      owed_ = {};
    }
    // A table none of whose rows could be used is no snapshot: the rows are listed.
    const bool is_used = std::exchange(is_used_, false);
    const bool something = std::exchange(seen_, 0) != 0 && is_used;
    is_any_used_ |= is_used;
    auto time = std::exchange(time_, std::nullopt);
    const auto uptime = std::exchange(uptime_, std::nullopt);
    const char* const fault = time && midnight_ && zone_ ? fault_at(*zone_, *last_local_) : nullptr;
    if (time && midnight_ && zone_ && something) {
      time = zone_clock_.utc(*zone_, *last_local_);
      if (zone_clock_.is_doubtful() && !std::exchange(told_of_doubled_hour_, true)) notes_.warn(kDoubledHourNote);
    }
    const bool local = time && !zone_, lacks_time = time && midnight_ && !has_time_of_day_;
    midnight_.reset();
    zone_.reset();
    has_time_of_day_ = false;
    if (!something && !(is_end && held_ && time)) return;
    if (fault != nullptr) return notes_.skip(date_line_, std::string(fault) + "; the tables below are passed over");
    if (!time && !is_refused_ && !any_dated_ && undated_ == 0 && !is_probe_) look_for_dates_below();
    if (are_dates_below_ && (!time || (lacks_time && have_others_times_))) {
      if (held_) notes_.skip(held_line_, time ? kDateLostItsTime : "no date below this table");
      return hold(std::move(done));
    }
    if (!time) {
      if (is_refused_) return;  // listed where its date stands
      if (undated_ == 0) first_undated_line_ = dates_below_.table_line = begun_line_;
      else if (dates_below_.doubt_line == 0) dates_below_.doubt_line = begun_line_;
      begins_undated_ |= !any_dated_;
      const bool is_only = ++undated_ == 1 && !any_dated_;
      only_.reset();
      if (any_dated_) {
        notes_.skip(begun_line_, "no date above this table");
        // They may be the ones that the next table lacks.
        for (const TagUsage& tag : done.tags) owed_.add(tag.pool);
      } else if (is_only) {
        only_ = std::move(done);
        only_uptime_ = uptime;
      }
      return;
    }
    if (lacks_time && have_others_times_) return notes_.skip(begun_line_, kDateLostItsTime);
    have_others_times_ |= !lacks_time;
    if (lacks_time && !std::exchange(told_of_midnight_, true)) notes_.warn(kTakenAsMidnight);
    if (local && !std::exchange(told_of_zone_, true)) notes_.warn("times without a zone are taken as UTC");
    if (are_dates_below_) {
      const std::uint64_t begun = begun_line_;
      begun_line_ = held_line_;
      if (held_) give(std::move(*held_), *time, {});
      begun_line_ = begun;
      return hold(std::move(done));
    }
    if (local) time = shift_.place(*time, uptime ? std::optional(uptime->millis) : std::nullopt);
    if (shift_.any() && !std::exchange(told_of_shift_, true)) notes_.warn(kUptimeShiftNote);
    // Those before the first date had been waiting for one.
    if (!any_dated_ && undated_ > 0)
      notes_.skip(first_undated_line_, std::to_string(undated_) + " tables from here on have no date above them");
    give(std::move(done), *time, uptime);
  }

  // The date above a table is that of the one before it.
  void hold(Snapshot&& done) {
    held_ = std::move(done);
    held_line_ = begun_line_;
    boot_.reset();
  }

  // `cat /proc/slabinfo; date` in a loop.
  void look_for_dates_below() {
    auto again = options_.again && !options_.lines_tell_hosts ? options_.again()
                                                              : base::Result<LineReader>(base::Error{base::ErrorCode::kIo, {}});
    if (!again) return;
    Notes unheard;
    LinuxHistory probe(std::move(*again), FileNotes(unheard, notes_.path()), options_);
    probe.is_probe_ = true;
    Snapshot unused;
    for (auto more = probe.next(unused); more && *more; more = probe.next(unused)) {}
    if (probe.are_lines_in_reverse_) fault_ = kLinesInReverse;
    if (probe.dates_below_.date_line == 0) return;
    are_dates_below_ = probe.dates_below_.are_proven;
    if (are_dates_below_) notes_.warn(probe.dates_below_.told());
    else fault_ = probe.dates_below_.doubt();
  }

  void give(Snapshot&& done, UnixMillis time, const std::optional<Uptime>& uptime) {
    any_dated_ = true;
    done.system = System::kLinux;
    done.time = time;
    last_given_ = time;
    if (uptime) done.boot_time = boot_time(time - uptime->millis);
    else if (boot_) done.boot_time = boot_time(*boot_);
    boot_.reset();
    host_lines_.take(done);
    ready_ = std::move(done);
    ready_line_ = begun_line_;
    ready_host_ = given_host_.empty() && options_.lines_tell_hosts ? kUnnamedHost : given_host_;
  }

  // Uptimes are read some time after the date, and in minutes: what moves by less is the same boot.
  UnixMillis boot_time(UnixMillis boot) {
    if (!boot_time_ || std::abs(boot - *boot_time_) > kSameBootMillis) boot_time_ = boot;
    return *boot_time_;
  }

  [[nodiscard]] base::Error nothing_dated() const {
    if (told_of_headless_ && !is_any_used_)
      return {base::ErrorCode::kMalformed,
              notes_.path() +
                  ": looks like tables whose rows have no heading above them; if its lines stand in reverse, turn "
                  "them round with: tac FILE"};
    std::string names;
    for (unsigned i = 1; i <= static_cast<unsigned>(LinuxTable::kVmstat); ++i)
      if ((kinds_ & (1U << i)) != 0) names.append(names.empty() ? "" : ", ").append(table_name(static_cast<LinuxTable>(i)));
    return {base::ErrorCode::kMalformed, notes_.path() + ": looks like " + names +
                                             " without times; write `date` before each: while date; do cat "
                                             "/proc/slabinfo; sleep 3600; done >> FILE"};
  }

  LineReader lines_;
  FileNotes notes_;
  std::string plain_, written_, mended_, text_, first_cache_;
  std::string date_text_;  // the last line with a date
  std::string torn_;       // a row that a date stands behind
  SnapshotBuilder building_;
  LinuxTable table_ = LinuxTable::kNone;
  std::uint64_t rows_ = 0;                      // of the open table
  std::array<std::uint64_t, 7> rows_before_{};  // of each kind's table before
  struct Pages {
    std::uint64_t rows = 0, larger = 0, largest = 0;  // those that need more than 4 KiB, and than 16
    void see(std::uint64_t need) {
      ++rows;
      larger += need > kPageBytes && need <= kLargestPage ? 1 : 0;
      largest += need > kMiddlePage && need <= kLargestPage ? 1 : 0;
    }
  };
  Pages pages_, pages_of_file_;  // of the open slabinfo, and of all so far
  struct Dense {
    std::uint64_t line = 0, need = 0;
    std::string name;
  };
  std::vector<Dense> dense_;  // rows of the open slabinfo that need more than 4 KiB
  bool told_of_pages_ = false;
  Gaps owed_;                                   // of the next look: rows that stand above its heading
  std::uint64_t caches_ = 0, caches_seen_ = 0;  // by slabtop's head, and below it
  unsigned seen_ = 0;                           // kinds in this snapshot
  unsigned kinds_ = 0;                          // in the file
  std::uint64_t begun_line_ = 0;
  std::uint64_t undated_ = 0;  // snapshots
  std::uint64_t first_undated_line_ = 0;
  std::optional<UnixMillis> time_, midnight_, boot_, boot_time_;
  TextOptions options_;
  OrderedDates dates_;
  std::optional<Snapshot> only_;  // without a date, as long as there is one
  std::optional<Uptime> only_uptime_;
  std::optional<UnixMillis> last_local_;  // of the date above, as it is written
  bool told_of_years_ = false;
  OpenEnd end_;
  struct Again {  // of the open table
    std::vector<std::size_t> rows, names;
    std::unordered_map<std::size_t, std::size_t> first;  // where a row stands
    std::size_t next = 0;                                // the row that the next one may be again; 0: none
    std::size_t began = 0;                               // where rows came again
    std::size_t text_before = 0;                         // the row that did so first
    bool is_told = false;
  };
  static constexpr std::size_t kMostRowsAgain = std::size_t{1} << 17;
  Again again_;
  std::size_t cut_at_ = 0;                     // characters, by slabtop's head; 0: it is whole
  std::vector<std::string> owed_callers_;      // of rows of vmallocinfo above its first whole one
  std::vector<std::string> broken_names_;      // of the open table's rows; empty: of one that does not tell
  std::set<std::string> sites_, known_sites_;  // of the open allocinfo, and of those above
  std::string sites_host_;
  bool told_of_sites_ = false;
  std::string first_area_, last_area_;          // of the open vmallocinfo
  std::set<std::string> caches_of_table_;       // slabinfo's, or meminfo's fields, vmallocinfo's rows
  std::set<std::string> several_;               // caches that ever had more than one row
  std::string_view other_;                      // what else has begun since the last date
  std::set<std::string> names_, names_before_;  // of slabtop's caches
  std::string last_name_;
  std::uint64_t last_line_ = 0;
  std::optional<Zone> zone_;
  UptimeShift shift_;
  ZoneClock zone_clock_;
  bool told_of_doubled_hour_ = false;
  bool told_of_shift_ = false;
  std::optional<Uptime> uptime_;
  static constexpr std::size_t kLongestAbove = 128;
  HostLines host_lines_;
  std::string above_, host_, given_host_, ready_host_;  // the line above; as a line above a date says
  std::optional<Snapshot> ready_;
  std::uint64_t ready_line_ = 0, line_ = 0;
  bool is_refused_ = false;  // the date above was of no use
  bool has_time_of_day_ = false;
  bool is_bare_ = false;         // the date above is nothing else
  std::uint64_t date_line_ = 0;  // its line
  bool is_any_refused_ = false;  // of the dates
  bool is_probe_ = false;        // it looks whether the dates stand below their tables
  DatesBelow dates_below_;
  bool are_dates_below_ = false;
  std::optional<Snapshot> held_;  // whose date comes
  std::uint64_t held_line_ = 0;
  std::string fault_;  // of the whole file
  bool any_dated_ = false, begins_undated_ = false;
  std::optional<UnixMillis> last_given_;  // the time of the last one
  bool are_lines_in_reverse_ = false, told_of_headless_ = false;
  bool told_of_zone_ = false, told_of_midnight_ = false;
  bool have_others_times_ = false;  // the dates of tables above
  bool told_of_length_ = false;
  bool is_below_heading_ = false;
  bool is_any_used_ = false;
  bool is_used_ = false;  // a row of this snapshot
  bool ended_ = false;
};

}  // namespace

Reader make_linux_history(LineReader lines, FileNotes notes, TextOptions options) {
  return std::unique_ptr<SnapshotReader>(
      std::make_unique<LinuxHistory>(std::move(lines), std::move(notes), std::move(options)));
}

}  // namespace kmem::history
