// Screens and logs of poolmon, memsnap and poolsnap, !poolused and !vm, and `top`: a snapshot ends where the next one's
// header, date or metadata begins. A line is used, or is of no matter (prose, rules, prompts), or is listed: in a table
// everything with digits that is no row, outside of one what looks like a row.
#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/host_lines.h"
#include "collectors/history/open_end.h"
#include "collectors/history/recognise.h"
#include "collectors/history/row_text.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/text_header.h"
#include "collectors/history/text_rows.h"
#include "collectors/history/text_time.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::size_t kNumbersOfARow = 3;
constexpr std::uint64_t kWindowsPageBytes = 4096;

enum class Table { kNone, kPoolmon, kPoolused, kProcesses, kTop, kPassedOver };

constexpr const char* kSharedTime =
    "no time in the text or in the file's name, and another such file was modified within 10 seconds of it, as copies and "
    "unpacked files are: that tells neither; what helps is a date above the table, or in the name: poolmon-2026-09-01_0600.log";

struct OnlyTime {
  std::optional<UnixMillis> time;
  std::string rule;     // by which it was read
  std::string problem;  // of the file's name
  bool is_shared = false;
};

/// Of the only table of a file without dates.
OnlyTime only_time(const std::string& path, const TextOptions& options) {
  const FileDate name = options.date_of_name(path);
  OnlyTime found{utc_of(name.date), name.rule, name.date.problem};
  if (!found.problem.empty() && !found.time) return found;
  const auto is_shared = [&] { return options.modified_is_shared && options.modified_is_shared(); };
  // Written on the day that the folder is of: that tells the hour.
  constexpr UnixMillis kFarthestZone = 14 * base::kHourMillis;
  const bool is_of_day = name.is_of_folder && !name.date.time_of_day && found.time && options.modified &&
                         *options.modified >= *found.time - kFarthestZone &&
                         *options.modified < *found.time + base::kDayMillis + kFarthestZone && !is_shared();
  if (found.time && !is_of_day) return found;
  found.is_shared = !found.time && options.modified && is_shared();
  if (found.is_shared) return found;
  found.time = options.modified;
  found.rule.clear();
  return found;
}

/// A stamp of the debugger's or memsnap's that stands behind something else in its line, and is not seen for it.
bool has_hidden_stamp(std::string_view line) {
  const std::string_view text = trimmed(line);
  for (const std::string_view stamp : {"Debug session time", "!SystemTime="})
    if (const std::size_t at = text.find(stamp); at != 0 && at != std::string_view::npos) return true;
  return false;
}

std::string told_of(const OnlyTime& found) {
  return found.rule.empty() ? "no time in the text: its only table gets the time the file was modified"
                            : "no time in the text: it is taken from " + found.rule;
}

bool has_digit(std::string_view text) { return text.find_first_of("0123456789") != std::string_view::npos; }

/// Whether a line of no table may be a row whose header was lost.
bool looks_like_a_row(std::string_view text) {
  std::size_t numbers = 0;
  while (!(text = trimmed(text)).empty()) {
    const std::size_t length = std::min(text.find_first_of(" \t"), text.size());
    numbers += text.substr(0, length).find_first_not_of("0123456789") == std::string_view::npos ? 1 : 0;
    text.remove_prefix(length);
  }
  return numbers >= kNumbersOfARow;
}

/// Numbers alone, as of FILETIME, a spreadsheet's days, or a date without its year.
bool may_be_stamp(std::string_view text) {
  constexpr std::size_t kFewestDigits = 6, kLongest = 32;
  const auto digits = std::count_if(text.begin(), text.end(), [](char c) { return is_digit(c); });
  const bool is_version = std::count(text.begin(), text.end(), '.') > 1 && text.find_first_of(" :") == std::string_view::npos;
  return !is_version && text.size() <= kLongest && static_cast<std::size_t>(digits) >= kFewestDigits &&
         text.find_first_not_of("0123456789.,:/-@ ") == std::string_view::npos && !looks_like_a_row(text);
}

/// Not "KBytes", which is another unit.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
  const auto is_edge = [&](std::size_t at) { return at >= text.size() || text[at] == ' ' || text[at] == '\t'; };
  std::size_t at = text.find(word, from);
  while (at != std::string_view::npos && !((at == 0 || is_edge(at - 1)) && is_edge(at + word.size())))
    at = text.find(word, at + 1);
  return at;
}

class TextHistory final : public SnapshotReader {
 public:
  TextHistory(LineReader lines, FileNotes notes, const TextOptions& options)
      : lines_(std::move(lines)), notes_(std::move(notes)), clock_(notes_, options), options_(options),
        lines_tell_hosts_(options.lines_tell_hosts) {}

  base::Result<bool> next(Snapshot& out) override {
    while (!ready_) {
      if (!fault_.empty()) return base::Error{base::ErrorCode::kMalformed, notes_.path() + ": " + fault_};
      if (ended_) return false;
      const auto state = lines_.next();
      if (!state) return state.error();
      if (*state == LineState::kEnd) {
        const bool time_is_left = clock_.has_date() && !has_rows_ && !has_totals_;
        does_time_left_fall_ = time_is_left && clock_.falls();
        if (are_dates_below_ && time_is_left) shift(clock_.read(), {}, 0);
        finish();
        last(time_is_left);
        ended_ = true;
      } else if (*state == LineState::kTooLong) {
        notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxLineBytes) + " bytes");
        lose_row();
      } else {
        take(without_quotes(without_escapes(lines_.line(), plain_), unquoted_));
      }
    }
    out = std::move(*ready_);
    ready_.reset();
    return true;
  }

  [[nodiscard]] std::uint64_t line() const override { return ready_line_; }
  [[nodiscard]] const std::string& host() const override { return ready_host_; }
  [[nodiscard]] bool has_host_lines() const override { return !lines_tell_hosts_ && host_lines_.are_hosts(); }
  [[nodiscard]] bool has_one_host_line() const override { return host_lines_.is_one_host(); }
  [[nodiscard]] std::string year_day_month() const override { return clock_.year_day_month(); }
  [[nodiscard]] const char* fault_of_order() const override { return are_lines_in_reverse_ ? kLinesInReverse : nullptr; }

 private:
  enum class Use { kUsed, kBroken, kOther };

  // Where the end of a row was lost, the heading of the next table stands right behind it.
  [[nodiscard]] std::size_t heading_behind_row(std::string_view line) const {
    if ((table_ != Table::kPoolmon && table_ != Table::kPoolused && table_ != Table::kProcesses) || !has_rows_ || is_head_)
      return 0;
    for (const std::string_view heading : {"!LogType=", "Debug session time:"})
      if (const std::size_t at = line.find(heading); at != std::string_view::npos && !ends_table(line.substr(0, at))) return at;
    return 0;
  }

  void take(std::string_view line) {
    if (const std::size_t at = heading_behind_row(line); at > 0) {
      const std::string row(line.substr(0, at)), heading(line.substr(at));
      is_followed_ = true;
      take(row);
      is_followed_ = false;
      return take(heading);
    }
    if (trimmed(line).empty()) {
      // A row begins with a blank.
      if (!line.empty() && has_rows_ && !is_head_ && (is_followed_ || lines_.is_open_ended()) &&
          (table_ == Table::kPoolmon || table_ == Table::kPoolused)) {
        notes_.skip(lines_.number(), kCutAtEnd);
        lose_row();
      }
      blank_before_ = true;
      return;
    }
    if (first_line_.empty()) first_line_ = trimmed(line);
    if (stamp_line_ == 0 && has_hidden_stamp(line)) stamp_line_ = lines_.number();
    reason_.clear();
    if (line.front() == '!') line = as_written(line, metadata_);
    Use use = header_or_row(line);
    std::string_view text = trimmed(line);
    if (use != Use::kUsed) {
      const std::string_view clean = without_markup(line, clean_);
      if (clean.data() != line.data() && !trimmed(clean).empty()) {
        const std::string reason = std::exchange(reason_, {});
        const Use second = header_or_row(clean);
        if (second == Use::kOther) reason_ = reason;
        else use = second;
        text = trimmed(clean);
      }
    }
    if (use == Use::kUsed && (table_ == Table::kPoolmon || table_ == Table::kPoolused)) {
      // Behind a row's description.
      if (const std::string next(date_behind_row(line, date_text_)); !next.empty()) (void)date(next);
    }
    // A date's words are told better with their letters, which a row's tags lose.
    if (use != Use::kUsed && !torn_row(line, use) &&
        !date(line.find_first_of("&<|*`") == std::string_view::npos ? trimmed(line) : text))
      unused(text, use);
    titles_.assign(text);
    above_.assign(trimmed(line).substr(0, kLongestAbove));
    blank_before_ = false;
  }

  /// A row that is cut before its first number, and tells so by its tag and by what there is of the type.
  [[nodiscard]] bool is_cut_before_values(std::string_view line, bool is_followed) const {
    if (!line.starts_with(' ') || line.size() < 2) return false;
    const std::string_view text = trimmed(line);
    if ((lines_.is_open_ended() || is_followed) && text.size() <= kTypeColumn + kTagLength && !has_digit(text)) return true;
    const bool is_known = knows(line.substr(1, kTagLength));
    const std::string_view type = trimmed(line.substr(std::min(kTypeColumn, line.size())));
    const bool is_type = same_word(type, std::string_view("Nonp").substr(0, type.size())) ||
                         same_word(type, std::string_view("Paged").substr(0, type.size()));
    return (line.size() <= kTypeColumn || is_blank(line[kTypeColumn - 1])) && is_type && (is_known || !type.empty());
  }

  [[nodiscard]] bool knows(std::string_view raw_tag) const {
    const std::string tag = tag_text(raw_tag);
    return is_exact_.contains(tag_key(Pool::kPaged, tag)) || is_exact_.contains(tag_key(Pool::kNonpaged, tag));
  }

  // The next date may stand right behind it.
  bool torn_row(std::string_view line, Use use) {
    if ((table_ != Table::kPoolmon && table_ != Table::kPoolused) || !has_rows_ || is_head_) return false;
    while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
    const std::string_view next = date_behind_row(line, date_text_);
    const std::string_view row = line.substr(0, line.size() - next.size());
    if (!next.empty() && trimmed(row).empty() && !is_date_indented_) {  // a row begins with a blank
      notes_.skip(lines_.number(), "a row is cut, and the next date stands behind it");
      lose_row();
      return false;
    }
    if (use != Use::kBroken && !is_cut_before_values(row, is_followed_ || !next.empty())) return false;
    if (use == Use::kBroken && next.empty()) return false;
    if (use != Use::kBroken) reason_ = "the row is cut before its values";
    else reason_ += ": the row is cut, and the next date stands behind it";
    if (table_ == Table::kPoolmon && use != Use::kBroken) {
      tags_.resize(1);
      tags_[0] = {};
      tags_[0].tag = tag_text(row.substr(1, kTagLength));
      const std::string_view type = trimmed(row.substr(std::min(kTypeColumn, row.size())));
      const bool is_nonpaged =
          type.empty() ? is_exact_.contains(tag_key(Pool::kNonpaged, tags_[0].tag)) : same_word(type.substr(0, 1), "N");
      tags_[0].pool = is_nonpaged ? Pool::kNonpaged : Pool::kPaged;
    }
    const std::string date_line(next);
    if (use == Use::kBroken || knows(row.substr(1, kTagLength))) {
      unused(trimmed(row), Use::kBroken);
    } else {  // a tag's beginning
      notes_.skip(lines_.number(), reason_);
      lose_row();
    }
    if (!date_line.empty()) (void)date(date_line);
    return true;
  }

  // What the table that is open lacks now is not gone.
  void lose_row() {
    Gaps& gaps = (behind_blank_ ? pending_ : building_).snapshot().gaps;
    if (table_ == Table::kProcesses) gaps.processes = true;
    else if (table_ != Table::kNone && is_of_system())
      for (std::size_t pool = 0; pool < kPoolCount; ++pool) gaps.add(static_cast<Pool>(pool));
  }

  [[nodiscard]] std::optional<RowSubject> subject_of_broken(std::string_view text) const {
    if (table_ == Table::kProcesses) return RowSubject{host_, {}, broken_process_, RowSubject::Kind::kProcess};
    if (table_ == Table::kPoolmon && is_of_system()) return RowSubject{{}, tags_[0].pool, tags_[0].tag};
    if (table_ == Table::kPoolused && is_of_system())
      return RowSubject{{}, {}, base::label_text(text.substr(0, std::min(text.find_first_of(" \t"), kTagLength)))};
    return std::nullopt;
  }

  void unused(std::string_view text, Use use) {
    if (use == Use::kBroken) {
      if (const auto of = subject_of_broken(text)) notes_.skip(lines_.number(), reason_, *of);
      else notes_.skip(lines_.number(), reason_);
      lose_row();
    } else if (lines_.is_open_ended() && in_vm_ && !ends_table(text)) {
      notes_.skip(lines_.number(), "the file ends within this line");
      constexpr std::string_view kNx = "NonPagedPoolNx Usage";
      if (text.size() > 1 && same_word(text.substr(0, kNx.size()), kNx.substr(0, text.size())) && vm_parts_.nonpaged) {
        vm_parts_.is_broken = true;
        building_.totals(Pool::kNonpaged).bytes.reset();
      }
      // NOLINTNEXTLINE(bugprone-branch-clone): what begins something else is told before a host is
    } else if (ends_table(text) || (text.starts_with("Memory ") && text.find(" Commit ") != std::string_view::npos)) {
      compare_total(text);
      table_ = Table::kNone;  // the latter is the head of the next table of `top`
    } else if (const std::string_view other = begins_other(text); !other.empty() && other != other_) {
      const bool is_first = !any_dated_ && undated_count_ == 0 && !has_rows_ && !has_totals_;
      notes_.skip(lines_.number(), is_first ? std::string(other) +
                                                  " begins here, below what tells no format; take away what "
                                                  "stands above it, from " +
                                                  in_quotes(first_line_) + " on"
                                            : other_begins(other));
      other_ = other;
      table_ = Table::kNone;
    } else if (bool is_named = false; lines_tell_hosts_ && !host_in_line(trimmed(lines_.line()), is_named).empty()) {
      table_ = Table::kNone;
    } else if (text.ends_with("Kb)")) {
      // !vm also lists processes.
    } else if (table_ == Table::kNone && !any_dated_ && undated_count_ == 0 && !clock_.has_date() && may_be_stamp(text)) {
      if (!std::exchange(told_of_stamp_, true))
        notes_.skip(lines_.number(),
                    in_quotes(text) + " may be meant as a time, which is not understood: no date above the first table");
    } else if (table_ == Table::kNone || is_head_ ? looks_like_a_row(text) : has_digit(text)) {
      notes_.skip(lines_.number(),
                  table_ == Table::kNone ? "numbers, but no table's header above them" : "not a row of this table");
      if (looks_like_a_row(text) || lines_.is_open_ended()) lose_row();
    }
  }

  Use header_or_row(std::string_view line) {
    const std::string_view text = trimmed(line);
    if (text.empty()) return Use::kOther;
    return header(line, text) ? Use::kUsed : row(line);
  }

  bool header(std::string_view line, std::string_view text) {
    if (text.front() == '!' && text.find('=') != std::string_view::npos) {
      begin(has_rows_);
      metadata(text);
      return true;
    }
    if (text.starts_with("Memory:") && text.find("Avail:") != std::string_view::npos) {
      begin(has_system_rows_ || has_totals_);
      has_totals_ = apply_memory_line(line, building_);
      if (!has_totals_) notes_.skip(lines_.number(), "Memory or Avail is not a number of K");
      // The end of the line is lost.
      if (const std::size_t commit = text.find("Commit:"); commit != std::string_view::npos) commit_line(text.substr(commit));
      return true;
    }
    if (text.starts_with("Commit:") && text.find("Limit:") != std::string_view::npos) {
      begin(has_system_rows_);
      commit_line(line);
      return true;
    }
    constexpr std::string_view kMachine = "Machine Name:";
    if (same_word(text.substr(0, kMachine.size()), kMachine)) {
      machine(text.substr(kMachine.size()));
      return true;
    }
    if (text.find("Virtual Memory Usage") != std::string_view::npos) {
      begin_vm();
      return true;
    }
    if ((text.ends_with(')') || (text.find("Pool") != std::string_view::npos || text.starts_with("Commit") || in_vm_)) &&
        text.find(':') != std::string_view::npos && vm_line(line))
      return true;
    // Of the next look, whose time was lost.
    if ((has_rows_ || has_totals_) && clock_.tells_other_uptime(text)) begin(true);
    if (clock_.take_boot(text, lines_.number())) return true;
    if (const auto owner = parse_pool_owner(text)) {
      owner_ = owner;
      owner_line_ = lines_.number();
      return true;
    }
    return table_header(line, text);
  }

  void commit_line(std::string_view line) {
    bool is_cut = false;
    if (apply_commit_line(line, building_, &is_cut)) has_totals_ = true;
    else notes_.skip(lines_.number(), "Commit or Limit is not a number of K");
    if (is_cut) notes_.skip(lines_.number(), "the line ends before the pools' totals");
  }

  // Headings have no digits.
  void look_for_row_in(std::string_view heading) {
    if (!has_digit(heading)) return;
    notes_.skip(lines_.number(), "a row stands behind the heading in one line, and is passed over");
    lose_row();
  }

  bool table_header(std::string_view line, std::string_view text) {
    if (auto columns = parse_process_header(line)) {
      begin(has_processes_);
      columns_ = std::move(columns);
      open(Table::kProcesses);
      return true;
    }
    if (!same_word(text.substr(0, 3), "Tag")) return false;
    if (auto columns = parse_poolused_header(text, titles_)) {
      // Tables of one look into one dump: !vm and !poolused, sorted this way and that.
      begin(begins_with(has_system_rows_ && !of_debugger_));
      const bool is_again = has_system_rows_;
      poolused_ = std::move(*columns);
      open(Table::kPoolused);
      of_debugger_ = true;
      if (is_again && is_of_system()) keep_apart(lines_.number());
      if (poolused_.pools.empty())
        notes_.skip(lines_.number(), "which pool this table is of is not said above it; its rows are passed over");
      look_for_row_in(text);
      return true;
    }
    if (text.find("Type") == std::string_view::npos) return false;
    if (const auto columns = parse_top_header(text); columns && !columns->counters) {
      begin(has_system_rows_);
      top_ = *columns;
      open(Table::kTop);
      if (!std::exchange(told_of_top_, true)) notes_.warn("the totals above the tables of `top` are rounded, and not used");
      return true;
    }
    if (text.find("Allocs") == std::string_view::npos) return false;
    begin(begins_with(has_system_rows_));
    open(Table::kPoolmon);
    has_per_alloc_ = find_word(text, "Per", 0) != std::string_view::npos;
    // Rows are read by their places: Allocs, Frees, Diff, Bytes.
    std::size_t at = 0;
    for (const std::string_view name : {"Type", "Allocs", "Frees", "Diff", "Bytes"}) {
      const std::size_t found = find_word(text, name, at);
      if (found == std::string_view::npos) {
        notes_.skip(lines_.number(),
                    std::string("the columns are not Tag, Type, Allocs, Frees, Diff, Bytes: ") + std::string(name) +
                        (find_word(text, name, 0) == std::string_view::npos ? " is missing" : " stands elsewhere") +
                        "; the table below is passed over");
        table_ = Table::kPassedOver;
        break;
      }
      at = found;
    }
    if (table_ == Table::kPoolmon) look_for_row_in(text);
    return true;
  }

  /// The table of a session belongs to the screen of the system above it.
  [[nodiscard]] bool begins_with(bool rows) const { return rows && (!owner_ || owner_->kind == PoolOwner::Kind::kSystem); }

  void open(Table table) {
    table_ = table;
    is_head_ = in_vm_ = any_broken_ = false;
    used_ = {};
    table_owner_ = std::exchange(owner_, std::nullopt).value_or(PoolOwner{});
    if (table_owner_.kind == PoolOwner::Kind::kAllSessions)
      notes_.skip(owner_line_,
                  "pools of all sessions together: not the system's, and of no session; the table below is "
                  "passed over");
  }

  void begin_vm() {
    begin(has_system_rows_ ? !of_debugger_ || has_vm_ : has_totals_);
    in_vm_ = has_vm_ = of_debugger_ = true;
  }

  bool vm_line(std::string_view line) {
    VmParts parts = vm_parts_;
    SnapshotBuilder looked;
    VmParts unused;
    if (in_vm_) {
      unused.kib_a_page = parts.kib_a_page;
      unused.kib = parts.kib;
    }
    const VmLine kind = apply_vm_line(line, unused, looked);
    if (kind == VmLine::kOther) return false;
    if (kind == VmLine::kUnknown && unused.part_of) {
      if (!in_vm_) begin_vm();
      if (std::uint64_t& first = vm_part_lines_[*unused.part_of == Pool::kNonpaged]; first == 0) first = lines_.number();
    }
    if (kind == VmLine::kUnknown) return true;
    if (kind == VmLine::kBroken) {
      notes_.skip(lines_.number(), unused.problem);
      if (!unused.is_broken) return true;
      // A part of the sum.
      (in_vm_ ? vm_parts_.is_broken : is_vm_torn_ahead_) = true;
      if (in_vm_) building_.totals(Pool::kNonpaged).bytes.reset();
      return true;
    }
    if (!in_vm_) {
      const bool is_torn = is_vm_torn_ahead_;
      begin_vm();
      parts = {};
      parts.is_broken = is_torn;
      is_vm_torn_ahead_ = false;
    }
    (void)apply_vm_line(line, parts, building_);
    if (parts.nonpaged_nx && !vm_parts_.nonpaged_nx) vm_nx_line_ = lines_.number();
    if (parts.nonpaged && !vm_parts_.nonpaged) vm_nonpaged_line_ = lines_.number();
    vm_parts_ = parts;
    return has_totals_ = true;
  }

  // Parts of a pool whose sum is not there: how many there were is not known.
  void tell_parts_of_pools() {
    const bool is_nx_alone = vm_parts_.nonpaged_nx && !vm_parts_.nonpaged && !vm_parts_.is_broken;
    if (is_nx_alone && vm_part_lines_[1] == 0) vm_part_lines_[1] = vm_nx_line_;
    for (const Pool pool : {Pool::kPaged, Pool::kNonpaged}) {
      const std::uint64_t line = std::exchange(vm_part_lines_[pool == Pool::kNonpaged], 0);
      const auto& pools = building_.snapshot().pools;
      const bool is_told =
          std::any_of(pools.begin(), pools.end(), [&](const PoolTotals& one) { return one.pool == pool && one.bytes; });
      if (line == 0 || is_told || (pool == Pool::kNonpaged && vm_parts_.is_broken)) continue;
      notes_.skip(line,
                  std::string("a part of ") + std::string(pool_name(pool)) + " pool, whose line \"" +
                      (pool == Pool::kNonpaged ? "NonPagedPool" : "PagedPool") +
                      " Usage:\" is missing: how large it is is not known",
                  {{}, pool, {}});
    }
  }

  // Debuggers of systems that have it print it in every look: without it the other part alone looks like the sum.
  void lose_half_of_nonpaged() {
    if (!vm_parts_.nonpaged || vm_parts_.nonpaged_nx || vm_parts_.is_broken || !has_nx_line()) return;
    building_.totals(Pool::kNonpaged).bytes.reset();
    notes_.skip(
        vm_nonpaged_line_,
        "a part of nonpaged pool, whose other one, \"NonPagedPoolNx Usage:\", stands in this file but not in this look: "
        "how large it is is not known",
        {{}, Pool::kNonpaged, {}});
  }

  bool has_nx_line() {
    constexpr std::string_view kName = "NonPagedPoolNx";
    if (!has_nx_line_) {
      has_nx_line_ = false;
      auto again = options_.again ? options_.again() : base::Result<LineReader>(base::Error{base::ErrorCode::kIo, {}});
      if (!again) return false;
      for (auto state = again->next(); !*has_nx_line_ && state && *state != LineState::kEnd; state = again->next())
        has_nx_line_ = again->line().find(kName) != std::string_view::npos;
    }
    return *has_nx_line_;
  }

  void metadata(std::string_view text) {
    constexpr std::string_view kLogType = "!LogType=", kComputer = "!ComputerName=";
    if (text.starts_with(kLogType)) {
      // The header stands once in a file.
      const std::string_view type = trimmed(text.substr(kLogType.size()));
      if (same_word(type, "memsnap") && columns_) open(Table::kProcesses);
      if (same_word(type, "poolsnap")) open(Table::kPoolmon);
    } else if (text.starts_with(kComputer)) {
      is_of(trimmed(text.substr(kComputer.size())));
    } else {
      clock_.take_metadata(text, lines_.number());
    }
  }

  // The debugger's, above the session's time; of many dumps it says nothing.
  void machine(std::string_view name) {
    begin(has_rows_ || has_totals_);
    name = trimmed(name);
    while (!name.empty() && name.front() == '"') name.remove_prefix(1);
    while (!name.empty() && name.back() == '"') name.remove_suffix(1);
    is_of(name);
  }

  void is_of(std::string_view host) {
    std::string name = base::label_text(host);
    if (!host_.empty() && name != host_) clock_.other_host();
    host_ = std::move(name);
  }

  void see_line_above_date() {
    host_lines_.see(above_, clock_.time());
    bool is_named = false;
    if (std::string name = lines_tell_hosts_ ? host_in_line(above_, is_named) : std::string(); !name.empty())
      host_ = std::move(name);
  }

  bool date(std::string_view text) {
    const TextClock::Stamp stamp = clock_.take_date(text, lines_.number(), has_rows_ || has_totals_);
    if (stamp == TextClock::Stamp::kNone) return false;
    if (stamp == TextClock::Stamp::kBegins) {
      date_text_.assign(text);
      date_line_ = lines_.number();
      is_date_indented_ = !lines_.line().empty() && is_blank(lines_.line().front());
      begin(has_rows_ || has_totals_);
      clock_.begin();
      see_line_above_date();
      is_head_ = true;
      if (table_ == Table::kPoolused) table_ = Table::kNone;
      in_vm_ = false;
    }
    return true;
  }

  Use row(std::string_view line) {
    if (table_ == Table::kPassedOver) return looks_like_a_row(line) ? Use::kUsed : Use::kOther;
    RowKind kind = RowKind::kOther;
    const char* refused = nullptr;
    const auto whole = [this](RowKind parsed) {
      if (parsed != RowKind::kRow || !is_followed_) return parsed;
      reason_ = "the row may be cut, for the next heading stands right behind it";
      return RowKind::kBroken;
    };
    if (table_ == Table::kProcesses) {
      ProcessUsage process;
      std::uint64_t working_set = 0;
      kind = whole(parse_process_row(line, *columns_, process, reason_, &working_set));
      if (kind == RowKind::kRow && working_set > 0) {
        ++working_sets_;
        whole_working_sets_ += working_set % kWindowsPageBytes == 0 ? 1 : 0;
      }
      if (kind == RowKind::kBroken) broken_process_ = process.name + " (" + std::to_string(process.pid) + ")";
      if (kind == RowKind::kRow) {
        SnapshotBuilder& into = target(building_.has_process(process.pid));
        refused = into.add(std::move(process));
      }
    } else if (table_ == Table::kPoolused) {
      kind = whole(parse_poolused_row(line, poolused_, tags_, reason_));
      any_broken_ |= kind == RowKind::kBroken;
      for (const TagUsage& tag : tags_)
        if (kind == RowKind::kRow && tag.pool <= Pool::kNonpaged) used_[static_cast<std::size_t>(tag.pool)] += tag.bytes;
      if (kind == RowKind::kRow && !tags_.empty()) {
        const TagUsage& last = tags_.back();
        if (!end_.is_whole(lines_, std::string(pool_name(last.pool)) + last.tag, static_cast<double>(last.bytes),
                           OpenEnd::ends_in_digit(lines_))) {
          notes_.skip(lines_.number(), kCutAtEnd, {{}, last.pool, last.tag});
          building_.snapshot().gaps.add(last.pool);
          tags_.pop_back();
        }
      }
      for (const TagUsage& tag : tags_) is_exact_.try_emplace(tag_key(tag.pool, tag.tag));
      if (kind == RowKind::kRow) refused = add_tags(is_of_system() && behind_blank_ ? target(is_of_another_look()) : building_);
    } else {
      tags_.resize(1);
      PerAlloc per_alloc = PerAlloc::kLoose;
      kind = whole(table_ == Table::kTop ? parse_top_row(line, top_, tags_[0], reason_)
                                         : parse_poolmon_row(line, tags_[0], reason_, &per_alloc));
      if (kind == RowKind::kRow && table_ == Table::kPoolmon && !is_of_one_piece(per_alloc)) {
        reason_ = "Bytes is not Diff times Per Alloc, as it was before";
        kind = RowKind::kBroken;
      }
      if (table_ == Table::kPoolmon && kind != RowKind::kOther) kind = unless_hexadecimal(line, kind);
      if (kind == RowKind::kBroken && table_ == Table::kPoolmon && !has_per_alloc_ &&
          reason_.find("Per Alloc") != std::string::npos)
        reason_ = "the heading has no column Per Alloc, without which a row that was cut looks whole; take poolmon's own table";
      if (kind == RowKind::kBroken && table_ == Table::kNone) kind = RowKind::kOther;  // prose about paged pool
      if (kind == RowKind::kOther && table_ == Table::kPoolmon &&
          parse_top_row(line, {true}, tags_[0], reason_) == RowKind::kRow && tags_[0].pool > Pool::kNonpaged)
        kind = RowKind::kRow;  // `top` of a kernel that counts, on Linux
      if (kind == RowKind::kRow)
        refused = add_tags(is_of_system() ? target(building_.has(tags_[0].pool, tags_[0].tag)) : building_);
    }
    if (kind == RowKind::kOther) return Use::kOther;
    is_head_ = false;
    if (kind == RowKind::kBroken) return Use::kBroken;
    begin(false);
    if (table_ == Table::kProcesses) has_processes_ = true;
    else if (is_of_system()) has_system_rows_ = true;
    has_rows_ |= table_owner_.kind != PoolOwner::Kind::kAllSessions;
    if (refused != nullptr) notes_.skip(lines_.number(), refused);
    return Use::kUsed;
  }

  // TOTAL below a table of !poolused is the sum of its rows, where none is missing and each is right.
  void compare_total(std::string_view text) {
    if (table_ != Table::kPoolused || poolused_.pools.empty() || !same_word(text.substr(0, 5), "TOTAL")) return;
    std::string_view rest = text.substr(5);
    const std::size_t width = poolused_.verbose ? 4 : 2;
    bool differs = false;
    std::vector<std::pair<Pool, std::uint64_t>> missing;  // of each pool
    for (std::size_t i = 0; i < poolused_.pools.size() * width; ++i) {
      const auto number = take_grouped(rest);
      if (!number) return;
      if (i % width != width - 1) continue;
      const Pool pool = poolused_.pools[i / width];
      const std::uint64_t used = used_[static_cast<std::size_t>(pool)];
      differs |= *number != used;
      if (*number > used) missing.emplace_back(pool, *number - used);
    }
    if (any_broken_ || !differs) {
      totals_that_fit_ += differs || any_broken_ ? 0 : 1;
      return;
    }
    constexpr const char* kNotTheSum = "TOTAL is not the sum of the rows above it: one is missing, or has a wrong number";
    if (totals_that_fit_ == 0) {
      if (!std::exchange(told_of_total_, true)) notes_.warn("line " + std::to_string(lines_.number()) + ": " + kNotTheSum);
    } else {
      notes_.skip(lines_.number(), kNotTheSum);
    }
    for (const auto& [pool, bytes] : missing)
      if (is_of_system()) lose_rows_cut_by(pool, bytes);
    lose_row();
  }

  // The digits of `whole` without one of them, or without some at the end, are `part`.
  static bool lost_digits(std::uint64_t whole, std::uint64_t part) {
    for (std::uint64_t behind = 1; behind <= whole; behind *= 10)
      if (whole / behind / 10 * behind + whole % behind == part || whole / behind == part) return true;
    return false;
  }

  // Those whose number lost as many digits as make the sum right.
  void lose_rows_cut_by(Pool pool, std::uint64_t missing) {
    const auto is_cut = [&](const TagUsage& tag) {
      return tag.pool == pool && tag.bytes > 0 && lost_digits(tag.bytes + missing, tag.bytes);
    };
    std::vector<TagUsage>& tags = (behind_blank_ ? pending_ : building_).snapshot().tags;
    for (const TagUsage& tag : tags)
      if (is_cut(tag))
        notes_.skip(lines_.number(),
                    "the number of " + in_quotes(tag.tag) + " may be cut: with more digits TOTAL would be the sum of its rows",
                    {{}, pool, tag.tag});
    tags.erase(std::remove_if(tags.begin(), tags.end(), is_cut), tags.end());
  }

  // Of a table of hexadecimal numbers a row without letters looks right.
  RowKind unless_hexadecimal(std::string_view line, RowKind kind) {
    constexpr std::uint64_t kProof = 2, kMostDigits = 16;
    if (kind == RowKind::kBroken) {
      std::string_view rest = after_blanks(line);
      std::size_t cells = 0, with_letters = 0;
      while (!(rest = after_blanks(rest)).empty()) {
        const std::string_view word = rest.substr(0, rest.find_first_of(" \t"));
        rest.remove_prefix(word.size());
        if (!is_digit(word.front()) && with_letters + cells == 0) continue;  // tag and type
        const bool is_hex =
            word.size() <= kMostDigits && word.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
        cells += is_hex ? 1 : 0;
        with_letters += is_hex && word.find_first_not_of("0123456789") != std::string_view::npos ? 1 : 0;
      }
      const bool was_proved = hexadecimal_rows_ >= kProof;
      hexadecimal_rows_ += cells >= 4 ? std::min<std::uint64_t>(with_letters, kProof) : 0;
      if (Snapshot& now = building_.snapshot(); !was_proved && hexadecimal_rows_ >= kProof && !now.tags.empty()) {
        notes_.skip(lines_.number(), std::to_string(now.tags.size()) + " rows above it look decimal, this one is hexadecimal");
        now.tags.clear();
        lose_row();
      }
    } else if (hexadecimal_rows_ >= kProof) {
      reason_ = "rows above it have hexadecimal numbers, so these may be, too; write them as decimals";
      return RowKind::kBroken;
    }
    return kind;
  }

  // A digit that was lost makes a tenth: where this tag's column is no invention.
  bool is_of_one_piece(PerAlloc per_alloc) {
    bool& exact = is_exact_[tag_key(tags_[0].pool, tags_[0].tag)];
    // poolmon prints the quotient itself: where all rows had it, one that has not holds a wrong number.
    constexpr std::uint64_t kProof = 8;
    const bool is_off = per_alloc == PerAlloc::kOff || per_alloc == PerAlloc::kContradicts;
    if (is_off && (exact || (exact_rows_ >= kProof && off_rows_ == 0))) return false;
    exact_rows_ += per_alloc == PerAlloc::kExact ? 1 : 0;
    off_rows_ += is_off ? 1 : 0;
    if (per_alloc == PerAlloc::kContradicts) return true;
    if (per_alloc == PerAlloc::kParted && !std::exchange(told_of_touching_, true))
      notes_.warn("numbers that touch (line " + std::to_string(lines_.number()) +
                  ") are parted so that Diff is Allocs less Frees and Bytes is Diff times Per Alloc");
    exact = per_alloc == PerAlloc::kExact || per_alloc == PerAlloc::kParted;
    return true;
  }

  [[nodiscard]] bool is_of_system() const { return table_owner_.kind == PoolOwner::Kind::kSystem; }

  const char* add_tags(SnapshotBuilder& into) {
    const char* refused = nullptr;
    for (TagUsage& tag : tags_) {
      const char* why = nullptr;
      if (tag.pool > Pool::kNonpaged) of_linux_ = true;
      if (table_owner_.kind == PoolOwner::Kind::kSession) why = into.add(SessionTagUsage{table_owner_.session, std::move(tag)});
      else if (is_of_system() && !says_the_same(into, tag)) why = into.add(std::move(tag));
      if (refused == nullptr) refused = why;
    }
    return refused;
  }

  /// !poolused sorted twice lists every tag twice.
  [[nodiscard]] bool says_the_same(const SnapshotBuilder& looked, const TagUsage& tag) const {
    if (table_ != Table::kPoolused || !looked.has(tag.pool, tag.tag)) return false;
    const auto& tags = looked.snapshot().tags;
    const auto there =
        std::find_if(tags.begin(), tags.end(), [&](const TagUsage& one) { return one.pool == tag.pool && one.tag == tag.tag; });
    if (there == tags.end()) return tag.bytes == 0;
    return there->bytes == tag.bytes && there->outstanding == tag.outstanding;
  }

  /// A second screen of the debugger without a time between.
  [[nodiscard]] bool is_of_another_look() const {
    return std::any_of(tags_.begin(), tags_.end(),
                       [&](const TagUsage& tag) { return building_.has(tag.pool, tag.tag) && !says_the_same(building_, tag); });
  }

  // Until it is known whether the rows that come are of the look above them.
  void keep_apart(std::uint64_t line) {
    keep_behind_blank();
    behind_blank_ = true;
    behind_line_ = line;
  }

  // poolsnap and memsnap without dates put blank lines between their snapshots, which people also put between rows: the
  // rows behind one belong to a new snapshot as soon as one of them is there already.
  SnapshotBuilder& target(bool is_there) {
    if (blank_before_ && has_rows_ && table_ != Table::kPoolused) keep_apart(lines_.number());
    if (!behind_blank_) return building_;
    if (!is_there) return pending_;
    SnapshotBuilder rest = std::exchange(pending_, {});
    behind_blank_ = false;
    const Table table = table_;
    const PoolOwner owner = table_owner_;
    const bool of_debugger = of_debugger_;
    finish();
    building_ = std::move(rest);
    table_ = table;
    table_owner_ = owner;
    of_debugger_ = of_debugger;
    begun_line_ = behind_line_;
    return building_;
  }

  void keep_behind_blank() {
    if (std::exchange(behind_blank_, false)) (void)building_.merge(pending_.take());
  }

  void begin(bool something_is_there) {
    if (something_is_there) finish();
    if (begun_line_ == 0) begun_line_ = lines_.number();
  }

  void finish() {
    keep_behind_blank();
    tell_parts_of_pools();
    lose_half_of_nonpaged();
    Snapshot done = building_.take();
    done.system = std::exchange(of_linux_, false) ? System::kLinux : System::kWindows;
    const bool something = has_rows_ || has_totals_;
    const std::uint64_t line = std::exchange(begun_line_, 0);
    const bool of_debugger = of_debugger_;
    has_rows_ = has_system_rows_ = has_processes_ = has_totals_ = in_vm_ = has_vm_ = of_debugger_ = false;
    vm_parts_ = {};
    is_vm_torn_ahead_ = false;
    if (!something) {
      clock_.drop();
      return;
    }
    const TextClock::Reading reading = clock_.read(of_debugger);
    if (!reading.time && !reading.refused && !any_dated_ && undated_count_ == 0 && !is_probe_) look_for_dates_below();
    if (are_dates_below_) return shift(reading, std::move(done), line);
    if (reading.refused) return;  // listed where its date stands
    if (!reading.time) {
      skip_undated();
      ++undated_count_;
      begins_undated_ |= !any_dated_ && undated_count_ == 1;
      if (undated_count_ == 1) dates_below_.table_line = line;
      else if (dates_below_.doubt_line == 0) dates_below_.doubt_line = line;
      undated_ = std::move(done);
      undated_of_debugger_ = of_debugger;
      undated_line_ = line;
      return;
    }
    done.time = *reading.time;
    done.boot_time = reading.boot_time;
    if (of_debugger) any_tags_dated_ |= !done.tags.empty(), any_totals_dated_ |= !done.pools.empty();
    give(std::move(done), line);
    any_dated_ = true;
  }

  // memsnap's own values are bytes, of which a working set has whole pages.
  void tell_unit_of_processes() {
    constexpr std::uint64_t kProof = 5;
    if (working_sets_ >= kProof && whole_working_sets_ == 0)
      notes_.warn(
          "memsnap's values are bytes, but no working set here is a whole number of pages of 4096: if this table was "
          "converted, the processes' pool is not of bytes, as which it is taken");
  }

  void last(bool time_is_left) {
    tell_unit_of_processes();
    if (const TextClock::Lone lone = clock_.lone(); lone.count > 0 && any_dated_)
      notes_.skip(lone.first_line, (lone.count == 1 ? std::string("1 date") : std::to_string(lone.count) + " dates") +
                                       " without a table below, the first in this line");
    const bool may_stand_below = any_dated_ && begins_undated_ && time_is_left;
    are_lines_in_reverse_ = may_stand_below && does_time_left_fall_;
    if (may_stand_below && !are_lines_in_reverse_) {
      if (dates_below_.doubt_line == 0) dates_below_.doubt_line = clock_.lone().first_line;
      dates_below_.are_proven = dates_below_.doubt_line == 0 && !clock_.any_refused() && !has_host_lines();
      dates_below_.date_line = date_line_;
    }
    if (!undated_) return;
    // `.time` is typed when the tables are there.
    const bool is_another = (any_tags_dated_ && !undated_->tags.empty()) || (any_totals_dated_ && !undated_->pools.empty());
    if (const auto session = clock_.only_session(); session && undated_of_debugger_ && !is_another) {
      undated_->time = *session->time;
      undated_->boot_time = session->boot_time;
      give(std::move(*undated_), undated_line_);
      undated_.reset();
      return;
    }
    const OnlyTime only = only_time(notes_.path(), options_);
    const bool named = only.time && !only.rule.empty();
    if (any_dated_ || clock_.any_refused() || (!only.time && !only.is_shared && only.problem.empty())) {
      skip_undated();
    } else if (!only.problem.empty()) {
      skip_undated(("no date above this table, and " + only.problem).c_str());
    } else if (named && undated_count_ > 1) {
      skip_undated("no date above this table; the file's name has one time, and the file several tables");
    } else if (!named && undated_count_ > 1) {
      skip_undated("no date above this table; the file was modified at one time, and has several tables");
    } else if (const std::uint64_t line = clock_.dateless_line(); line != 0 && !named) {
      const std::string why = "no date above this table: line " + std::to_string(line) + " tells a time alone";
      skip_undated(why.c_str());
    } else if (stamp_line_ != 0 && !named) {
      const std::string why = "no date above this table: line " + std::to_string(stamp_line_) +
                              " has a time behind something else; take away what stands before each line";
      skip_undated(why.c_str());
    } else if (only.is_shared) {
      skip_undated(kSharedTime);
    } else {
      notes_.warn(told_of(only));
      undated_->time = *only.time;
      give(std::move(*undated_), undated_line_);
      undated_.reset();
    }
  }

  // `poolmon; date` in a loop.
  void look_for_dates_below() {
    auto again = options_.again && !lines_tell_hosts_ ? options_.again()
                                                      : base::Result<LineReader>(base::Error{base::ErrorCode::kIo, {}});
    if (!again) return;
    Notes unheard;
    TextHistory probe(std::move(*again), FileNotes(unheard, notes_.path()), options_);
    probe.is_probe_ = true;
    Snapshot unused;
    for (auto more = probe.next(unused); more && *more; more = probe.next(unused)) {}
    if (probe.are_lines_in_reverse_) fault_ = kLinesInReverse;
    if (probe.dates_below_.date_line == 0) return;
    are_dates_below_ = probe.dates_below_.are_proven;
    if (are_dates_below_) notes_.warn(probe.dates_below_.told());
    else fault_ = probe.dates_below_.doubt();
  }

  // The time above a table is that of the one before it.
  void shift(const TextClock::Reading& reading, Snapshot&& done, std::uint64_t line) {
    if (held_ && reading.time) {
      held_->time = *reading.time;
      any_dated_ = true;
      give(std::move(*held_), held_line_);
    } else if (held_ && !reading.refused) {
      notes_.skip(held_line_, "no date below this table");
    }
    held_ = std::move(done);
    held_line_ = line;
  }

  void skip_undated(const char* why = nullptr) {
    if (!undated_) return;
    notes_.skip(undated_line_, why != nullptr ? why
                               : undated_of_debugger_
                                   ? "no time belongs to this look of the debugger alone; type .time before each"
                                   : "no date above this table, nor is it the only one of a file without dates");
    undated_.reset();
  }

  void give(Snapshot&& snapshot, std::uint64_t line) {
    host_lines_.take(snapshot);
    ready_ = std::move(snapshot);
    ready_line_ = line;
    ready_host_ = host_.empty() && lines_tell_hosts_ ? kUnnamedHost : host_;
  }

  LineReader lines_;
  FileNotes notes_;
  TextClock clock_;
  TextOptions options_;
  HostLines host_lines_;
  bool lines_tell_hosts_ = false;
  std::string plain_, unquoted_, clean_, metadata_;
  std::string reason_;
  std::string titles_;  // the line above
  std::string above_;   // the same as it is written
  static constexpr std::size_t kLongestAbove = 128;
  std::string first_line_;
  std::string date_text_;  // the last line with a date
  bool is_date_indented_ = false;
  std::string broken_process_;
  std::vector<TagUsage> tags_;

  SnapshotBuilder building_;
  SnapshotBuilder pending_;  // rows behind a blank line
  bool behind_blank_ = false;
  std::uint64_t behind_line_ = 0;
  bool blank_before_ = false;
  bool undated_of_debugger_ = false;
  std::uint64_t begun_line_ = 0;
  Table table_ = Table::kNone;
  std::optional<ProcessColumns> columns_;
  PoolusedColumns poolused_;
  TopColumns top_;
  bool told_of_top_ = false;
  std::optional<PoolOwner> owner_;  // of the next table
  std::uint64_t owner_line_ = 0;
  PoolOwner table_owner_;
  VmParts vm_parts_;
  std::array<std::uint64_t, 2> vm_part_lines_{};  // where parts of paged and of nonpaged pool begin; 0: none
  std::uint64_t vm_nx_line_ = 0, vm_nonpaged_line_ = 0;
  std::optional<bool> has_nx_line_;                          // any look of the file; not known yet
  std::uint64_t working_sets_ = 0, whole_working_sets_ = 0;  // of memsnap's rows; in whole pages
  bool is_head_ = false;                                     // below a date, above the first row: sums of all kinds stand there
  bool is_followed_ = false;                                 // by the next heading, in the same line
  bool in_vm_ = false, is_vm_torn_ahead_ = false;
  bool has_vm_ = false;
  bool of_debugger_ = false;
  bool of_linux_ = false;
  bool has_rows_ = false;  // of any kind
  bool has_system_rows_ = false;
  bool has_processes_ = false;
  bool has_totals_ = false;

  std::unordered_map<std::uint64_t, bool> is_exact_;  // by tag: Per Alloc
  std::uint64_t hexadecimal_rows_ = 0;                // of poolmon's, or such cells in one of them
  std::uint64_t exact_rows_ = 0, off_rows_ = 0;       // whose Per Alloc is Bytes through Diff, and is not
  OpenEnd end_;
  bool told_of_touching_ = false, told_of_stamp_ = false;
  std::array<std::uint64_t, 2> used_{};              // by pool: of the rows of the open table of !poolused
  bool any_broken_ = false, told_of_total_ = false;  // a row of it
  std::size_t totals_that_fit_ = 0;
  bool has_per_alloc_ = true;     // in the heading of poolmon's table
  std::string_view other_;        // what else has begun last
  std::uint64_t stamp_line_ = 0;  // the first with a stamp that is not seen

  bool is_probe_ = false;  // it looks whether the dates stand below their tables
  DatesBelow dates_below_;
  bool are_dates_below_ = false;
  std::optional<Snapshot> held_;  // whose date comes
  std::uint64_t held_line_ = 0, date_line_ = 0;
  std::string fault_;                // of the whole file
  std::optional<Snapshot> undated_;  // until it is known whether it is the last
  std::uint64_t undated_line_ = 0;
  std::size_t undated_count_ = 0;
  std::optional<Snapshot> ready_;
  std::uint64_t ready_line_ = 0;
  std::string host_, ready_host_;  // as the file says, of what is built and of what is ready
  bool any_dated_ = false, begins_undated_ = false;
  bool does_time_left_fall_ = false, are_lines_in_reverse_ = false;
  bool any_tags_dated_ = false, any_totals_dated_ = false;  // of the debugger
  bool ended_ = false;
};

}  // namespace

std::string DatesBelow::told() const {
  return "it begins with a table (line " + std::to_string(table_line) + ") and ends with a date (line " +
         std::to_string(date_line) + "): each date is taken as that of the table above it, and boots as not told";
}

std::string DatesBelow::doubt() const {
  return "it begins with a table (line " + std::to_string(table_line) + ") and ends with a date (line " +
         std::to_string(date_line) + "), so its dates may stand below their tables, but " +
         (doubt_line == 0 ? std::string("not each table has one")
                          : "line " + std::to_string(doubt_line) + " begins one too many") +
         "; if they stand above, take away the first table and the last date";
}

std::optional<UnixMillis> time_of_only_table(const TextOptions& options, FileNotes& notes) {
  const OnlyTime only = only_time(notes.path(), options);
  if (!only.time) {
    if (!only.problem.empty()) notes.skip(1, "no time in the text, and " + only.problem);
    else if (only.is_shared) notes.skip(1, kSharedTime);
    return std::nullopt;
  }
  notes.warn(told_of(only));
  notes.timed_by(only.rule.empty() ? "when the file was modified" : only.rule);
  return only.time;
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): as the makers of every format are called
Reader make_text_history(LineReader lines, FileNotes notes, TextOptions options) {
  return std::unique_ptr<SnapshotReader>(std::make_unique<TextHistory>(std::move(lines), std::move(notes), options));
}

}  // namespace kmem::history
