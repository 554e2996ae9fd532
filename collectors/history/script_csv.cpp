// CSV that PowerShell scripts write, columns by name in any order: pool tags (a time, Tag, bytes a pool or a Type and
// Bytes), and samples of Get-Counter (Path, CookedValue, Timestamp; or Readings, many lines a row). Rows of one time
// and host are one snapshot and stand together. Export-Csv's "#TYPE" line is passed over.
#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/history/counter_names.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/date_words.h"
#include "collectors/history/decimal_marks.h"
#include "collectors/history/linux_text.h"
#include "collectors/history/number_text.h"
#include "collectors/history/open_end.h"
#include "collectors/history/perfmon_counters.h"
#include "collectors/history/recognise.h"
#include "collectors/history/row_text.h"
#include "collectors/history/script_columns.h"
#include "collectors/history/script_csv.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/text_header.h"
#include "collectors/history/text_rows.h"
#include "collectors/history/time_text.h"
#include "collectors/history/uptime_shift.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::size_t kLongestTag = 256;

class ScriptHistory final : public SnapshotReader {
 public:
  ScriptHistory(LineReader lines, FileNotes notes, TextOptions options)
      : lines_(std::move(lines)), notes_(std::move(notes)), options_(std::move(options)), dates_(options_.dates) {}

  base::Result<void> read_header() {
    return read_header_row(lines_, notes_, [this]() -> std::string {
      // Export-Csv of Windows PowerShell.
      if (trimmed(lines_.line()).starts_with("#TYPE")) {
        const auto state = lines_.next();
        if (!state || *state != LineState::kLine) return "no header row";
      }
      return take_header();
    });
  }

  base::Result<bool> next(Snapshot& out) override {
    while (ready_.empty()) {
      if (ended_) return false;
      const auto state = lines_.next();
      if (!state) return state.error();
      if (*state == LineState::kEnd) {
        ended_ = true;
        finish();
        if (const std::string names = unknown_.text(); !names.empty())
          notes_.warn("counters that may be of memory and are not understood: " + names);
      } else if (*state == LineState::kTooLong) {
        notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxLineBytes) + " bytes");
      } else {
        take_line();
      }
    }
    out = std::move(ready_.front().snapshot);
    host_ = std::move(ready_.front().host);
    line_ = ready_.front().line;
    ready_.pop_front();
    return true;
  }

  [[nodiscard]] std::uint64_t line() const override { return line_; }
  [[nodiscard]] const std::string& host() const override { return host_; }
  [[nodiscard]] std::string year_day_month() const override { return dates_.year_day_month(); }

 private:
  struct Building {
    SnapshotBuilder tags;
    CounterRow counters;
    std::uint64_t line = 0;
    bool has_tags = false;
    std::string first;  // what its first row is of
  };
  struct Ready {
    std::string host;
    Snapshot snapshot;
    std::uint64_t line = 0;
  };

  std::string take_header() {
    if (const auto separator = separator_of(lines_.line())) fields_ = CsvFields(*separator);
    if (const char* const why = fields_.split(lines_.line())) return why;
    const Places at = places_of(fields_);
    const auto kind = kind_of(at);
    if (!kind) return "no columns of pool tags or counters";
    if (std::string twice = look_at_names(); !twice.empty()) return twice;
    const bool is_timed = *kind == ScriptCsv::kReadings || has_time(at);
    if (!is_timed && *kind == ScriptCsv::kTags && width_ > 0) return "a second table without times; it is passed over";
    if (!is_timed && *kind == ScriptCsv::kTags) only_time_ = time_of_only_table(options_, notes_);
    if (!is_timed && !only_time_)
      return "looks like a script's " +
             std::string(*kind == ScriptCsv::kTags        ? "pool tags"
                         : *kind == ScriptCsv::kProcesses ? "processes"
                                                          : "counters") +
             " without times; a column DateTime is needed";
    if (*kind == ScriptCsv::kProcesses && at[kProcessId] == kNowhere)
      return "looks like a script's processes without their ids, by which those of one name are told apart; a column Id is needed";
    at_ = at;
    look_at_units();
    kind_ = *kind;
    width_ = fields_.size();
    header_ = lines_.line();
    return {};
  }

  /// Why they cannot be used; tells of those that are not.
  std::string look_at_names() {
    std::map<Column, std::string_view> names;
    UnknownNames unknown;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const std::string_view name = trimmed(fields_[i]);
      const auto meaning = column_of(name);
      if (!meaning) {
        if (may_be_amount(name)) unknown.add(name);
        continue;
      }
      const auto [first, is_new] = names.try_emplace(meaning->column, name);
      if (is_new) continue;
      if (same_word(first->second, name)) return "two columns are named " + in_quotes(name);
      const bool is_first_used = places_of(fields_)[meaning->column] != i;
      if (!told_of_names_)
        notes_.warn("columns " + in_quotes(first->second) + " and " + in_quotes(name) + " mean the same; " +
                    (is_first_used ? "the first" : "the latter, of the smaller unit,") + " is used");
    }
    const auto kind = kind_of(places_of(fields_));
    if (kind == ScriptCsv::kTags)
      for (const Column of_totals : {kCommitBytes, kCommitMost, kAvailableBytes})
        if (const auto there = names.find(of_totals); there != names.end()) unknown.add(there->second);
    if (kind == ScriptCsv::kTags || kind == ScriptCsv::kTotals) add_of_missing_pool(unknown);
    if (const std::string text = unknown.text();
        !text.empty() && !told_of_names_ && (kind == ScriptCsv::kTags || kind == ScriptCsv::kTotals))
      notes_.warn("columns that may be of memory and are not understood: " + text);
    told_of_names_ = true;
    return {};
  }

  // Where one pool has a column, those that seem to be of the other and are not understood: averages, other units.
  void add_of_missing_pool(UnknownNames& unknown) {
    const Places at = places_of(fields_);
    const bool has_paged = at[kPagedBytes] != kNowhere, has_nonpaged = at[kNonpagedBytes] != kNowhere;
    if (has_paged == has_nonpaged) return;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      const std::string name = folded_word(trimmed(fields_[i]));
      const bool is_nonpaged = name.find("nonpaged") != std::string::npos || name.find("non paged") != std::string::npos ||
                               name.find("non-paged") != std::string::npos || name.starts_with("np");
      const bool is_paged = !is_nonpaged && name.find("paged") != std::string::npos;
      if (!column_of(trimmed(fields_[i])) && (has_paged ? is_nonpaged : is_paged)) unknown.add(trimmed(fields_[i]));
    }
  }

  /// Of the header that is in hand.
  void look_at_units() {
    too_small_ = 0;
    names_without_unit_.clear();
    const auto kind = kind_of(at_);
    for (const Column column : {kBytes, kPagedBytes, kNonpagedBytes, kCommitBytes, kCommitMost, kAvailableBytes})
      if ((kind == ScriptCsv::kTotals || column <= kNonpagedBytes) && at_[column] != kNowhere && !at_.tell_unit[column])
        names_without_unit_ += (names_without_unit_.empty() ? "" : ", ") + in_quotes(trimmed(fields_[at_[column]]));
    if (!names_without_unit_.empty() && (kind == ScriptCsv::kTags || kind == ScriptCsv::kTotals) &&
        !std::exchange(told_of_units_, true))
      notes_.warn("no unit stands in the heading " + names_without_unit_ +
                  ": bytes are assumed; if it is another, write it there, as in UsedKB");
  }

  [[nodiscard]] std::string_view field(Column column) const {
    return at_[column] < fields_.size() ? std::string_view(fields_[at_[column]]) : std::string_view();
  }

  void skip(const std::string& reason) {
    if (subject_) notes_.skip(lines_.number(), reason, *subject_);
    else notes_.skip(lines_.number(), reason);
  }

  // Told where a row cannot be used.
  [[nodiscard]] std::optional<RowSubject> subject_of_row() const {
    RowSubject of;
    if (is_wide()) return std::nullopt;
    const std::string_view name = trimmed(field(kind_ == ScriptCsv::kCounters ? kPath : kTag));
    if (kind_ == ScriptCsv::kCounters) {
      const CounterPath parts = split_counter_path(name);
      const auto counter = find_counter(parts.path);
      if (!counter) return std::nullopt;
      of.host = base::label_text(parts.host);
      of.tag = counter->name;
      of.kind = RowSubject::Kind::kValue;
    } else {
      if (name.empty() || name.size() > kLongestTag || is_sum_row(name)) return std::nullopt;
      of.host = base::label_text(trimmed(field(kHost)));
      of.tag = base::label_text(name);
    }
    return of;
  }

  void take_line() {
    const std::string_view line = lines_.line();
    subject_.reset();
    if (kind_ == ScriptCsv::kReadings) return take_reading(line);
    if (trimmed(line).empty() || trimmed(line).starts_with("#TYPE")) return;
    if (const char* const why = fields_.split(line)) {
      lose_row();
      return skip(why);
    }
    // Files put one behind another.
    if (may_be_header(fields_, line, header_) && kind_of(places_of(fields_)) == kind_) return take_next_header();
    // Two jobs wrote into one file.
    if (is_passed_over_ && may_go_on_ && fields_.size() == width_ && has_row_time()) is_passed_over_ = false;
    if (is_passed_over_) return;
    // Where a row has its time a header has a word.
    if (fields_.size() != width_ ||
        (!only_time_ &&
         row_time_text(fields_, at_[kTime], at_[kDate], at_[kClock]).find_first_of("0123456789") == std::string::npos))
      if (const std::string_view other = begins_other(line); !other.empty()) {
        // A heading whose first column is not known.
        if (kind_of(places_of(fields_)) == kind_) return take_next_header();
        is_passed_over_ = true;
        may_go_on_ = !is_table_of_csv(other);
        return skip(other_begins(other));
      }
    subject_ = subject_of_row();
    if (only_time_ && has_other_times()) return building_.clear();
    if (fields_.size() != width_) lose_row();
    if (fields_.size() != width_)
      return skip(std::to_string(fields_.size()) + " fields where the header has " + std::to_string(width_));
    const auto time = only_time_ ? only_time_ : row_time();
    if (!time) return lose_row();
    if (is_wide()) return take_wide(*time);
    if (kind_ == ScriptCsv::kCounters) return take_counter(*time, field(kPath), std::string(field(kValue)));
    take_tag(*time);
  }

  // A heading whose first letters are cut off, or that stands behind something, tells no times where there are some.
  bool has_other_times() {
    std::string plain;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      if (fields_.size() == width_ && std::find(at_.begin(), at_.end(), i) != at_.end()) continue;
      const std::string_view text = trimmed(without_escapes(fields_[i], plain));
      if (text.find_first_of("0123456789") == std::string_view::npos) continue;
      const bool is_number = text.find_first_not_of("0123456789.,+-") == std::string_view::npos;
      if (is_number ? !may_be_time(i, text) : !tells_time(i, text)) continue;
      skip("the header names no column of times, but column " + std::to_string(i + 1) + " has " + in_quotes(text) +
           (is_number ? "; name it DateTime, and write dates or Unix seconds into it" : "; name it DateTime"));
      is_passed_over_ = true;
      may_go_on_ = false;
      return true;
    }
    return false;
  }

  // From one of its words on: `[10:01] Bob: "2026-11-14 18:00:00"`.
  [[nodiscard]] bool tells_time(std::size_t column, std::string_view text) const {
    constexpr std::string_view kGaps = " \t\"'[(<|=;";
    for (std::size_t at = 0; at < text.size(); at = std::min(text.find_first_of(kGaps, at), text.size())) {
      at = std::min(text.find_first_not_of(kGaps, at), text.size());
      std::string_view rest = text.substr(at);
      while (!rest.empty() && kGaps.find(rest.back()) != std::string_view::npos) rest.remove_suffix(1);
      if (rest.find_first_of("0123456789") == std::string_view::npos) continue;
      const bool is_number = rest.find_first_not_of("0123456789.,+-") == std::string_view::npos;
      if (is_number ? at > 0 && may_be_time(column, rest)
                    : parse_timestamp(rest).ok() || !parse_date_line(rest).empty() || may_be_date(rest))
        return true;
    }
    return false;
  }

  // Seconds, milliseconds, ticks or days since some year, or "20261114180000": by the column's name, or of years in which
  // such a file can have been written, left of the tag.
  [[nodiscard]] bool may_be_time(std::size_t column, std::string_view number) const {
    const std::size_t whole = std::min(number.find_first_not_of("0123456789"), number.size());
    CsvFields names(fields_.separator());
    if (names.split(header_) != nullptr || column >= names.size()) return false;
    const std::string name = folded_word(names[column]);
    const auto has = [&name](std::string_view part) { return name.find(part) != std::string::npos; };
    constexpr std::size_t kFewestDigits = 8, kDaysDigits = 5, kSecondsDigits = 10, kMillisDigits = 13;
    const bool is_named = (has("time") || has("date") || has("stamp") || has("epoch") || has("unix") || has("utc") ||
                           has("tick") || has("zeit") || name == "ts" || name.empty()) &&
                          !has("uptime") && !has("boot");
    if (is_named && (whole >= kFewestDigits || (whole == kDaysDigits && whole < number.size()))) return true;
    const bool is_amount = has("total") || has("byte") || has("used") || has("size") || has("alloc") || has("free") ||
                           has("pool") || has("limit") || has("peak") || has("count");
    return column < at_[kTag] && (whole == kSecondsDigits || whole == kMillisDigits) && number.front() == '1' && !is_amount;
  }

  [[nodiscard]] bool is_wide() const { return kind_ == ScriptCsv::kProcesses || kind_ == ScriptCsv::kTotals; }

  /// A row of totals or of a process: a counter a column. A blank cell is no value.
  void take_wide(UnixMillis time) {
    constexpr double kLeastPool = 1024.0 * 1024;  // that any Windows has
    const std::string host = base::label_text(trimmed(field(kHost)));
    const bool is_process = kind_ == ScriptCsv::kProcesses;
    std::string subject = "totals", object;
    if (is_process) {
      const std::string_view name = trimmed(field(kProcessName)), pid = trimmed(field(kProcessId));
      const auto number = parse_amount(pid);
      if (!number || name.empty()) {
        at(time, host).tags.snapshot().gaps.processes = true;
        return skip(name.empty() ? "a process without a name" : "Id " + in_quotes(pid) + " is not a number");
      }
      subject = std::string(name) + ":" + std::to_string(*number);
      object = "Process V2(" + subject + ")\\";
    }
    Building& building = look_at(time, host, subject);
    for (const Column column : {kPagedBytes, kNonpagedBytes, kCommitBytes, kCommitMost, kAvailableBytes, kProcessHandles,
                                kProcessPaged, kProcessNonpaged}) {
      const bool is_its = is_process == (column == kProcessHandles || column == kProcessPaged || column == kProcessNonpaged);
      if (!is_its || at_[column] == kNowhere) continue;
      const std::string_view text = trimmed(field(column));
      const auto counter = find_counter(object + std::string(counter_of(column)));
      if (text.empty() || !counter) continue;
      const DecimalMarks::Amount read = amount_in(column, text);
      const auto amount = read.bytes;
      const bool is_last = at_[column] + 1 == width_ && OpenEnd::ends_in_digit(lines_);
      const bool is_pool = column == kPagedBytes || column == kNonpagedBytes;
      std::string why;
      if (!amount) why = std::string(counter->name) + " " + in_quotes(text) + why_no_amount(read, text);
      else if (!end_.is_whole(lines_, host + '\\' + object + std::string(counter->name), static_cast<double>(*amount), is_last))
        why = kCutAtEnd;
      else if (is_pool && !at_.tell_unit[column] && static_cast<double>(*amount) < kLeastPool)
        why = std::string(counter->name) + ": no pool is as small as " + in_quotes(text) +
              " bytes; write the unit into the heading, as in PagedPoolMB";
      if (!why.empty()) {
        building.counters.lose(*counter);
        const RowSubject of{host,
                            {},
                            is_process ? subject : std::string(counter->name),
                            is_process ? RowSubject::Kind::kProcess : RowSubject::Kind::kValue};
        notes_.skip(lines_.number(), why, of);
        continue;
      }
      building.counters.add(*counter, static_cast<double>(*amount));
    }
  }

  void take_next_header() {
    const std::string why = take_header();
    is_passed_over_ = !why.empty();
    may_go_on_ = false;
    if (is_passed_over_) skip(why);
  }

  [[nodiscard]] bool has_row_time() {
    const std::string text = row_time_text(fields_, at_[kTime], at_[kDate], at_[kClock]);
    if (parse_timestamp(text).ok()) return true;
    const DateLine date = dates_.parse(text);
    return date.midnight && date.time_of_day;
  }

  std::optional<UnixMillis> row_time() {
    return time_of(row_time_text(fields_, at_[kTime], at_[kDate], at_[kClock]), trimmed(field(kZone)));
  }

  /// `zone_cell`: of a column of its own, for a time that tells none.
  std::optional<UnixMillis> time_of(const std::string& text, std::string_view zone_cell = {}) {
    if (last_time_ && text == last_text_ && zone_cell == last_zone_) return last_time_;
    std::optional<UnixMillis> time;
    std::string why = in_quotes(text) + " is not understood";
    const auto exact = parse_timestamp(text);
    if (!exact && text.find_first_not_of("0123456789.") == std::string::npos) why = exact.error().message;
    const auto of_unix = exact ? std::optional(*exact) : parse_unix_line(text);  // or its milliseconds
    if (of_unix) {
      time = of_unix;
      is_last_local_ = false;
      notes_.timed_by("times with a zone");
    } else if (DateLine date = dates_.parse(text); !date.problem.empty()) {
      why = date.problem;
    } else if (const bool needs_zone = !date.zone && !zone_cell.empty(); needs_zone && !(date.zone = zone_in_cell(zone_cell))) {
      why = in_quotes(text) + " is of the zone " + in_quotes(zone_cell) + ", which is not known";
    } else if (date.midnight && date.time_of_day && date.zone &&
               fault_at(*date.zone, *date.midnight + *date.time_of_day) != nullptr) {
      why = in_quotes(text) + ": " + fault_at(*date.zone, *date.midnight + *date.time_of_day);
    } else if (date.midnight && date.time_of_day) {
      const UnixMillis local = *date.midnight + *date.time_of_day;
      is_last_local_ = !date.zone;
      time = date.zone ? zone_clock_.utc(*date.zone, local) : local;
      if (zone_clock_.is_doubtful() && !std::exchange(told_of_doubled_hour_, true)) notes_.warn(kDoubledHourNote);
      if (!date.zone && !std::exchange(told_of_zone_, true)) notes_.warn("times without a zone are taken as UTC");
      notes_.timed_by("dates of a script");
    }
    if (!time) {
      skip("time " + why);
      return std::nullopt;
    }
    last_text_ = text;
    last_zone_ = zone_cell;
    last_time_ = time;
    return time;
  }

  /// What its marks are all rows of the file tell, which are read once more when the first of them stands in a row.
  DecimalMarks::Amount amount_in(Column column, std::string_view text) {
    if (text.find_first_of(".,") != std::string_view::npos && !std::exchange(looked_at_marks_, true)) look_at_marks();
    const auto amount = marks_.amount(column, text, at_.units[column], fields_.separator());
    if (amount.bytes && amount.is_doubtful && !std::exchange(told_of_marks_, true))
      notes_.warn("nothing in its column proves whether " + in_quotes(text) + " (line " + std::to_string(lines_.number()) +
                  ") has thousands or decimals: " + (amount.has_decimals ? "decimals" : "thousands") + " are assumed");
    return amount;
  }
  static std::string why_no_amount(const DecimalMarks::Amount& amount, std::string_view text) {
    if (const std::string words = words_of_lost_digits(text); !words.empty()) return " " + words;
    return amount.is_doubtful ? " may part thousands or decimals, and nothing in its column tells which" : " is not a count";
  }

  void look_at_marks() {
    auto again = options_.again ? options_.again() : base::Result<LineReader>(base::Error{base::ErrorCode::kIo, {}});
    if (!again) return;
    CsvFields cells(fields_.separator());
    Places at = at_;
    std::size_t width = width_;
    for (auto state = again->next(); state && *state != LineState::kEnd; state = again->next()) {
      if (*state != LineState::kLine || cells.split(again->line()) != nullptr) continue;
      if (may_be_header(cells, again->line(), header_) && kind_of(places_of(cells)) == kind_) {
        at = places_of(cells);
        width = cells.size();
        continue;
      }
      if (cells.size() != width) continue;
      for (const Column column :
           {kBytes, kPagedBytes, kNonpagedBytes, kProcessPaged, kProcessNonpaged, kCommitBytes, kCommitMost, kAvailableBytes})
        if (at[column] != kNowhere) marks_.see(column, cells[at[column]], at.units[column] == 1 && at.tell_unit[column]);
    }
  }

  Building& at(UnixMillis time, const std::string& host) {
    if (time_ && read_time_ != time) finish();
    time_ = read_time_ = time;
    is_local_ = is_last_local_;
    Building& building = building_[host];
    if (building.line == 0) {
      building.line = lines_.number();
      if (looks_to_lack_ > 0) lose_row(building, {Pool::kPaged, Pool::kNonpaged});
    }
    return building;
  }

  // The same again is a second look at what is written as the same time, as at the end of summer time.
  Building& look_at(UnixMillis time, const std::string& host, std::string_view subject) {
    Building* building = &at(time, host);
    if (building->first == subject) {
      if (only_time_) {
        // As of texts' tables: the last one is what the file was written with.
        skip("no time on the rows above, and the tags come again: only their last reading gets the file's time");
        building_.clear();
      }
      finish();
      building = &at(time, host);
    }
    if (building->first.empty()) building->first = subject;
    return *building;
  }

  void take_counter(UnixMillis time, std::string_view path, const std::string& value_text) {
    const CounterPath parts = split_counter_path(path);
    const auto counter = find_counter(parts.path);
    if (!counter) {
      if (may_be_of_memory(parts.path)) unknown_.add(parts.path);
      return;
    }
    const auto [value, fault] = parse_counter_value(value_text, fields_.separator());
    const std::string host = base::label_text(parts.host);
    // What could not be read is written as 0 with a status beside it.
    const std::string_view status = kind_ == ScriptCsv::kCounters ? trimmed(field(kStatus)) : std::string_view();
    const bool has_failed =
        !status.empty() && status.find_first_not_of('0') != std::string_view::npos && !same_word(status, "Success");
    const bool is_last = kind_ == ScriptCsv::kCounters && at_[kValue] + 1 == width_ && OpenEnd::ends_in_digit(lines_);
    std::string why;
    if (!value)
      why = std::string(counter->name) + " " + in_quotes(value_text) +
            (fault == NumberFault::kTwoValues ? " may part thousands or decimals" : " is not a value");
    else if (has_failed) why = std::string(counter->name) + " has the status " + in_quotes(status) + " and so no value";
    else if (!end_.is_whole(lines_, host + '\\' + std::string(parts.path), *value, is_last)) why = kCutAtEnd;
    if (!why.empty()) {
      at(time, host).counters.lose(*counter);
      return skip(why);
    }
    if (const std::string words = told_of_digits_ ? std::string() : words_of_lost_digits(value_text); !words.empty()) {
      told_of_digits_ = true;
      notes_.warn(std::string(counter->name) + " " + in_quotes(value_text) + " (line " + std::to_string(lines_.number()) +
                  ") " + words);
    }
    look_at(time, host, parts.path).counters.add(*counter, *value);
  }

  // What the snapshot of that time lacks now is not gone, nor what the next one does, which it may have begun.
  void lose_row() {
    looks_to_lack_ = building_.empty() ? 1 : 2;
    for (auto& [host, building] : building_) lose_row(building, {Pool::kPaged, Pool::kNonpaged});
  }
  static void lose_row(Building& building, std::initializer_list<Pool> pools) {
    for (const Pool pool : pools) building.tags.snapshot().gaps.add(pool);
  }

  void take_tag(UnixMillis time) {
    const std::string& raw = fields_[at_[kTag]];
    const std::string host = base::label_text(trimmed(field(kHost)));
    if (raw.empty() || raw.size() > kLongestTag) {
      lose_row(at(time, host), {Pool::kPaged, Pool::kNonpaged});
      return skip("no tag, or a long one");
    }
    if (is_sum_row(raw)) {
      if (!std::exchange(told_of_sums_, true)) notes_.warn("rows of " + in_quotes(raw) + " are sums and no tags");
      return;
    }
    end_key_ = host;
    std::string tag = base::label_text(raw);
    tag.resize(std::max<std::size_t>(tag.size(), 4), ' ');  // as the kernel has it
    if (at_[kType] != kNowhere && at_[kBytes] != kNowhere && at_[kPagedBytes] == kNowhere) {
      const std::string_view type = trimmed(field(kType));
      const bool nonpaged = same_word(type.substr(0, 4), "nonp");
      if (!nonpaged && !same_word(type.substr(0, 4), "page")) lose_row(at(time, host), {Pool::kPaged, Pool::kNonpaged});
      if (!nonpaged && !same_word(type.substr(0, 4), "page")) return skip("pool " + in_quotes(type) + " is not known");
      Building& building = look_at(time, host, std::string(nonpaged ? "n" : "p") + tag);
      return add_tag(building, nonpaged ? Pool::kNonpaged : Pool::kPaged, tag, kBytes, kAllocs, kFrees, kDiff);
    }
    Building& building = look_at(time, host, tag);
    add_tag(building, Pool::kPaged, tag, kPagedBytes, kPagedAllocs, kPagedFrees, kPagedDiff);
    add_tag(building, Pool::kNonpaged, tag, kNonpagedBytes, kNonpagedAllocs, kNonpagedFrees, kNonpagedDiff);
  }

  void add_tag(Building& building, Pool pool, const std::string& tag, Column bytes, Column allocs, Column frees, Column diff) {
    if (at_[bytes] == kNowhere) return;
    TagUsage row;
    row.pool = pool;
    row.tag = tag;
    if (subject_) subject_->pool = pool;
    const std::string_view text = trimmed(field(bytes));
    const DecimalMarks::Amount read = amount_in(bytes, text);
    const auto amount = read.bytes;
    if (!amount) lose_row(building, {pool});
    // A script leaves the cell of the pool blank that has no such tag.
    if (text.empty() && (bytes == kPagedBytes || bytes == kNonpagedBytes)) {
      const Column other = bytes == kPagedBytes ? kNonpagedBytes : kPagedBytes;
      if (at_[other] != kNowhere && !trimmed(field(other)).empty()) {
        if (!std::exchange(told_of_blanks_, true))
          notes_.warn("blank cells of one pool beside values of the other are taken as unknown, not as 0");
        return;
      }
    }
    if (!amount) return skip("bytes " + in_quotes(text) + why_no_amount(read, text));
    const std::size_t last = width_ - 1;
    const bool is_last =
        (at_[bytes] == last && OpenEnd::ends_in_digit(lines_)) || (at_[kTag] == last && !lines_.line().ends_with('"'));
    if (!end_.is_whole(lines_, end_key_ + std::string(pool_name(pool)) + tag, static_cast<double>(*amount), is_last)) {
      lose_row(building, {pool});
      return skip(kCutAtEnd);
    }
    row.bytes = *amount;
    row.has_outstanding = false;
    if (!at_.tell_unit[bytes] && !is_in_bytes(*amount, parse_amount(field(allocs)), parse_amount(field(frees)))) {
      lose_row(building, {pool});
      return skip("values of " + names_without_unit_ +
                  " hold less than 8 bytes an allocation, so they are no bytes; write the unit into the heading, as in UsedKB");
    }
    if (at_[kHost] == last && is_host_cut()) {
      lose_row();
      return skip(kCutAtEnd);
    }
    const auto allocated = parse_amount(field(allocs));
    const auto freed = parse_amount(field(frees));
    const Column last_count = at_[frees] == last ? frees : allocs;
    const bool counts = allocated && freed;
    if (counts && at_[last_count] == last &&
        !end_.is_whole(lines_, end_key_ + std::string(pool_name(pool)) + tag + '#',
                       static_cast<double>(last_count == frees ? *freed : *allocated), OpenEnd::ends_in_digit(lines_))) {
      lose_row(building, {pool});
      return skip(kCutAtEnd);
    }
    const auto alive = parse_amount(field(diff));
    if (alive && at_[diff] == last &&
        !end_.is_whole(lines_, end_key_ + std::string(pool_name(pool)) + tag + '-', static_cast<double>(*alive),
                       OpenEnd::ends_in_digit(lines_))) {
      lose_row(building, {pool});
      return skip(kCutAtEnd);
    }
    if (alive && counts && static_cast<std::uint32_t>(*alive) != static_cast<std::uint32_t>(*allocated - *freed)) {
      lose_row(building, {pool});
      return skip("Diff " + in_quotes(trimmed(field(diff))) + " is not Allocs less Frees");
    }
    if (alive) {
      row.outstanding = *alive;
      row.has_outstanding = true;
    }
    if (counts) {
      row.counter_bits = *allocated > UINT32_MAX || *freed > UINT32_MAX ? 64 : 32;
      set_counters(row, *allocated, *freed);
    }
    const std::uint64_t told = row.bytes;
    if (const char* const why = building.tags.add(std::move(row))) {
      const auto known = value_of(building.tags.snapshot(), pool, tag);
      if (known == told) return;  // the same once more
      return skip(!known ? why
                         : std::string(pool_name(pool)) + " " + in_quotes(tag) + " is " + std::to_string(told) + ", but " +
                               std::to_string(*known) + " in a row above of the same time, which is used");
    }
    building.has_tags = true;
  }

  static std::optional<std::uint64_t> value_of(const Snapshot& snapshot, Pool pool, const std::string& tag) {
    for (const TagUsage& one : snapshot.tags)
      if (one.pool == pool && one.tag == tag) return one.bytes;
    return std::nullopt;
  }

  static constexpr int kProof = 3;

  /// Where the heading does not tell: no kernel's allocation is smaller than 8 bytes, and a tag or two whose counts do not
  /// fit prove nothing.
  bool is_in_bytes(std::uint64_t amount, std::optional<std::uint64_t> allocs, std::optional<std::uint64_t> frees) {
    constexpr std::uint64_t kLeastBytes = 8, kFewest = 16;
    if (too_small_ >= kProof) return false;
    const bool is_small = allocs && frees && *allocs >= *frees + kFewest && amount / kLeastBytes < *allocs - *frees;
    if (!is_small || ++too_small_ < kProof) return true;
    are_of_other_unit_ = true;  // those above it in its snapshot, too
    return false;
  }

  // Nobody has heard of it, or its name is the beginning of another's.
  bool is_host_cut() {
    if (hosts_.size() < kMostHosts) hosts_.insert(end_key_);
    const bool may_be_cut = !lines_.line().ends_with('"');
    if (!end_.is_whole(lines_, "host " + end_key_, 0, may_be_cut)) return true;
    return lines_.is_open_ended() && may_be_cut &&
           std::any_of(hosts_.begin(), hosts_.end(), [&](const std::string& one) { return is_beginning_of(end_key_, one); });
  }

  // "11/5/2026 6:00:00 PM","\\host\memory\pool nonpaged bytes :
  // 1234
  //
  // \\host\...
  // "
  void take_reading(std::string_view line) {
    std::string_view text = trimmed(line);
    while (text.ends_with('"')) text = trimmed(text.substr(0, text.size() - 1));
    if (const std::string stamp = reading_time_text(text); !stamp.empty()) {
      reading_time_ = time_of(stamp);
      text.remove_prefix(text.find("\\\\"));
    }
    if (text.empty() || !reading_time_) return;
    if (text.starts_with("\\\\")) {
      while (text.ends_with(':') || text.ends_with(' ')) text.remove_suffix(1);
      reading_path_ = text;
    } else if (!reading_path_.empty()) {
      take_counter(*reading_time_, reading_path_, std::string(text));
      reading_path_.clear();
    }
  }

  void finish() {
    if (too_small_ < kProof) too_small_ = 0;
    if (std::exchange(are_of_other_unit_, false)) {
      for (const auto& [host, building] : building_)
        if (building.has_tags) notes_.skip(building.line, "the rows from here on are of the unit that is not known, too");
      building_.clear();
    }
    if (time_ && is_local_) {
      std::optional<std::int64_t> uptime;
      for (const auto& [host, building] : building_)
        if (!uptime && (uptime_of_.empty() || uptime_of_ == host) && (uptime = building.counters.uptime_ms()))
          uptime_of_ = host;
      *time_ = shift_.place(*time_, uptime);
      if (shift_.any() && !std::exchange(told_of_shift_, true)) notes_.warn(kUptimeShiftNote);
    }
    for (auto& [host, building] : building_) {
      Snapshot snapshot = building.tags.take();
      if (!building.counters.empty()) {
        SnapshotBuilder both;
        snapshot.time = *time_;
        (void)both.merge(std::move(snapshot));
        (void)both.merge(building.counters.take(*time_, uptimes_[host]));
        if (building.counters.any_made_up() && !std::exchange(told_of_pids_, true)) notes_.warn(kMadeUpPidsNote);
        snapshot = both.take();
      } else if (!building.has_tags) {
        continue;
      }
      snapshot.system = System::kWindows;
      snapshot.time = *time_;
      ready_.push_back({host, std::move(snapshot), building.line});
    }
    if (!building_.empty() && looks_to_lack_ > 0) --looks_to_lack_;
    building_.clear();
    time_.reset();
  }

  LineReader lines_;
  FileNotes notes_;
  TextOptions options_;
  OrderedDates dates_;
  std::optional<UnixMillis> only_time_;  // of a table without times
  bool is_passed_over_ = false;
  bool may_go_on_ = false;  // up to the next row of its own
  CsvFields fields_;
  Places at_{};
  ScriptCsv kind_ = ScriptCsv::kTags;
  std::size_t width_ = 0;
  std::optional<UnixMillis> time_, last_time_, reading_time_;
  UnixMillis read_time_ = 0;  // time_ as it is written
  UptimeShift shift_;
  ZoneClock zone_clock_;
  bool told_of_doubled_hour_ = false;
  bool is_local_ = false, is_last_local_ = false, told_of_shift_ = false;
  std::string uptime_of_;  // the host
  DecimalMarks marks_;
  bool looked_at_marks_ = false, told_of_marks_ = false, told_of_digits_ = false;
  std::string header_, last_text_, last_zone_, reading_path_, host_;
  std::map<std::string, Building> building_;  // of that time, by host
  std::map<std::string, UptimeClock> uptimes_;
  std::deque<Ready> ready_;
  std::uint64_t line_ = 0;
  UnknownNames unknown_;
  OpenEnd end_;
  std::optional<RowSubject> subject_;  // of the row in hand
  std::string end_key_;                // the host
  std::set<std::string> hosts_;        // where they stand last in a row
  bool told_of_sums_ = false;
  int looks_to_lack_ = 0;           // a row, from the one in hand on
  std::string names_without_unit_;  // of amounts, in the header
  int too_small_ = 0;               // rows of theirs in this snapshot that no bytes are; kProof: that is what they are
  bool are_of_other_unit_ = false;
  bool told_of_units_ = false;
  bool told_of_zone_ = false, told_of_names_ = false, told_of_pids_ = false;
  bool ended_ = false;
  bool told_of_blanks_ = false;
};

}  // namespace

Reader make_script_history(LineReader lines, FileNotes notes, TextOptions options) {
  auto reader = std::make_unique<ScriptHistory>(std::move(lines), std::move(notes), std::move(options));
  if (auto header = reader->read_header(); !header) return header.error();
  return std::unique_ptr<SnapshotReader>(std::move(reader));
}

}  // namespace kmem::history
