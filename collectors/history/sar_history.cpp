// sysstat's memory: `sar -r [ALL]` text of any version, in 12 or 24 hours; `sadf -d` rows. Columns go by their names, so
// other activities between them do no harm. sar's day is the heading's, and the next one behind midnight;
// a time that falls by less than half a day is that of a row out of order, and of no use.
// kbslab counts reclaimable slabs, too: it is a row of its own ("kbslab"), never a pool's total.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/date_words.h"
#include "collectors/history/open_end.h"
#include "collectors/history/recognise.h"
#include "collectors/history/sar_memory.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/text_header.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

using base::kDayMillis;
constexpr std::int64_t kHalfDayMillis = kDayMillis / 2;

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(" \t"); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(" \t", end);
  }
  return words;
}

class SarHistory final : public SnapshotReader {
 public:
  SarHistory(LineReader lines, FileNotes notes, DateOptions dates)
      : lines_(std::move(lines)), notes_(std::move(notes)), dates_(std::move(dates)) {}

  base::Result<bool> next(Snapshot& out) override {
    while (ready_.empty()) {
      const auto state = lines_.next();
      if (!state) return state.error();
      if (*state == LineState::kEnd) {
        if (any_ || has_memory_ || !is_sar_) return false;
        return base::Error{
            base::ErrorCode::kMalformed,
            notes_.path() + (is_of_other_language_
                                 ? ": looks like sar in a language whose times are not understood; record it with: "
                                   "LC_ALL=C sar -r ALL"
                                 : ": looks like sar without memory; record it with: sar -r ALL")};
      }
      if (*state == LineState::kTooLong)
        notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxLineBytes) + " bytes");
      else take(as_written(without_escapes(lines_.line(), plain_), written_));
    }
    out = std::move(ready_.front().snapshot);
    host_ = std::move(ready_.front().host);
    ready_.pop_front();
    any_ = true;
    return true;
  }

  [[nodiscard]] std::uint64_t line() const override { return lines_.number(); }
  [[nodiscard]] const std::string& host() const override { return host_; }

 private:
  struct Ready {
    std::string host;
    Snapshot snapshot;
  };

  void take(std::string_view line) {
    const std::string_view text = trimmed(line);
    if (text.empty()) return;
    if (text.find(';') != std::string_view::npos && (text.front() == '#' || text.find(';') < text.find(' ')))
      return take_database_row(text);
    if (const auto heading = parse_sar_heading(text)) return begin_day(*heading);
    std::vector<std::string_view> words = words_of(text);
    if (!words[0].empty() && (words[0].starts_with("Average") || words[0].starts_with("Summary"))) return;
    std::string_view clock = words[0];
    auto of_day = take_time_of_day(clock);
    if (!of_day || !clock.empty()) {
      if (const std::string_view other = begins_other(text); !other.empty() && other != "a table of sar") {
        if (other != other_) notes_.skip(lines_.number(), other_begins(other));
        other_ = other;
        is_other_table_ = true;
        return columns_.clear();
      }
      is_of_other_language_ |=
          std::any_of(words[0].begin(), words[0].end(), [](char c) { return static_cast<unsigned char>(c) > 127; }) &&
          text.find("kbmem") != std::string_view::npos;
      const bool is_mean = words[0].ends_with(':') && words.size() == width_ + 1;  // "Durchschn.:"
      if (!columns_.empty() && !is_mean && text.find_first_of("0123456789") != std::string_view::npos)
        notes_.skip(lines_.number(), "not a row of sar");
      return;
    }
    words.erase(words.begin());
    const auto half = words.empty() ? std::nullopt : half_of_day(words[0]);
    const bool of_half_days = half.has_value();
    if (!doubtful_day_.empty()) settle_day(of_half_days && (same_word(words[0], "AM") || same_word(words[0], "PM")));
    if (of_half_days) {
      *of_day = *of_day % kHalfDayMillis + (*half ? kHalfDayMillis : 0);
      words.erase(words.begin());
    }
    if (words.empty()) return;
    if (words.size() >= 2 && words[0] == "LINUX" && words[1].starts_with("RESTART")) {
      // Each activity's table has it; the times of others are not followed.
      if (const auto boot = midnight_ && !is_other_table_ ? time_of(*of_day, false) : std::nullopt)
        boot_times_[sar_host_] = *boot;
      // Its heading comes again, but rows of as many values are this table's without it, too.
      return;
    }
    const bool is_heading = words[0].find_first_of("0123456789") == std::string_view::npos ||
                            words[0].find_first_not_of("0123456789.,kKMGT") != std::string_view::npos;
    if (is_heading) {
      // Other activities between it and its own again, on a terminal, change nothing for the time of the memory's table.
      columns_ = columns_of(words);
      width_ = words.size();
      is_other_table_ = columns_.empty();
      return;
    }
    if (columns_.empty()) {
      // What another activity's heading stands above is of no matter.
      if (!is_other_table_) notes_.skip(lines_.number(), "no heading above this row");
      return;
    }
    has_memory_ = true;
    if (!midnight_ && is_day_refused_) return;  // listed where it stands
    if (!midnight_) return lose_row("no day above this row: sar's first line, with the date, is missing", sar_host_, columns_);
    if (words.size() != width_)
      return lose_row(std::to_string(words.size()) + " values where the heading has " + std::to_string(width_), sar_host_,
                      columns_);
    const auto time = time_of(*of_day, true);
    if (!time)
      return lose_row("its time lies before that of the row above it, and no midnight is between: a row out of order",
                      sar_host_, columns_);
    give(words, *time, sar_host_);
  }

  // None where one that is needed stands twice.
  std::vector<SarColumn> columns_of(const std::vector<std::string_view>& names) {
    std::vector<SarColumn> columns = sar_columns(names);
    for (auto one = columns.begin(); one != columns.end(); ++one) {
      const auto is_same = [&](const SarColumn& other) { return other.value == one->value; };
      if (std::none_of(columns.begin(), one, is_same)) continue;
      notes_.skip(lines_.number(),
                  "column " + std::string(one->name) + " stands twice in this heading; the rows below it are passed over");
      columns.clear();
      break;
    }
    return columns;
  }

  void lose_row(const std::string& why, const std::string& host, const std::vector<SarColumn>& columns) {
    notes_.skip(lines_.number(), why);
    for (const SarColumn& column : columns) notes_.lose(sar_subject(host, column.value));
  }

  void begin_day(const SarHeading& heading) {
    is_sar_ = true;
    columns_.clear();
    is_other_table_ = false;
    last_of_day_.reset();
    days_ = 0;
    sar_host_ = heading.host;
    const DateLine date = dates_.parse(heading.date);
    midnight_ = date.midnight;
    doubtful_day_.clear();
    is_day_refused_ = !midnight_;
    if (!midnight_ && date.numeric && dates_.undecided()) {
      doubtful_day_ = heading.date;
      why_doubtful_ = date.problem;
      day_line_ = lines_.number();
      return;
    }
    if (!midnight_) notes_.skip(lines_.number(), "the day " + in_quotes(heading.date) + " is not understood");
    else if (!std::exchange(told_of_zone_, true)) notes_.warn("times without a zone are taken as UTC");
    notes_.timed_by("the day in sar's first line, local time taken as UTC");
  }

  // Where nothing in the file says which day it is, AM and PM mean the language in which nearly all servers with such
  // clocks write it, month first.
  void settle_day(bool of_half_days) {
    const std::string day = std::exchange(doubtful_day_, {});
    if (!of_half_days) return notes_.skip(day_line_, why_doubtful_ + "; the tables below are passed over");
    midnight_ = parse_date_line(day, DateOrder::kMonthDayYear).midnight;
    is_day_refused_ = !midnight_;
    notes_.warn("the day " + in_quotes(day) + " is taken as month first, for its times have AM and PM; else --date-order=dmy");
    notes_.timed_by("the day in sar's first line, month first, local time taken as UTC");
  }

  /// nullopt: it goes back within the day, as after rows were swapped or a clock was set.
  std::optional<UnixMillis> time_of(std::int64_t of_day, bool moves_on) {
    std::int64_t days = days_;
    if (last_of_day_ && of_day < *last_of_day_) {
      if (*last_of_day_ - of_day < kHalfDayMillis) return std::nullopt;
      ++days;
    }
    if (moves_on) {
      last_of_day_ = of_day;
      days_ = days;
    }
    return *midnight_ + days * kDayMillis + of_day;
  }

  void take_database_row(std::string_view text) {
    is_sar_ = true;
    std::vector<std::string_view> fields;
    for (std::size_t at = 0;;) {
      const std::size_t end = std::min(text.find(';', at), text.size());
      fields.push_back(trimmed(text.substr(at, end - at)));
      if (end == text.size()) break;
      at = end + 1;
    }
    if (fields[0].starts_with('#')) {
      // "# hostname;interval;timestamp;LINUX-RESTART" heads a mark, and no table: the one above it goes on.
      const bool is_of_mark = std::any_of(fields.begin(), fields.end(), is_mark);
      if (is_of_mark && database_width_ != 0) return;
      database_at_ = fields.size();
      for (std::size_t i = 0; i < fields.size(); ++i)
        if (fields[i] == "timestamp") database_at_ = i;
      if (is_of_mark) return;
      const std::size_t from = std::min(database_at_ + 1, fields.size());
      const std::vector<std::string_view> names(fields.begin() + static_cast<std::ptrdiff_t>(from), fields.end());
      database_columns_ = columns_of(names);
      database_width_ = fields.size();
      database_line_ = lines_.number();
      has_lists_ = text.find("[...]") != std::string_view::npos;
      if (database_columns_.empty()) return;
      memory_columns_ = database_columns_;
      memory_width_ = database_width_;
      return;
    }
    if (database_width_ == 0 && looks_like_database_row(fields))
      return notes_.skip(lines_.number(), "no heading above this row: sadf's line that begins with # is missing");
    if (database_at_ >= fields.size()) return;
    const auto time = parse_stamp(fields[database_at_]);
    const std::string host = base_label(fields[0]);
    if (fields.size() > database_at_ + 1 && is_mark(fields[database_at_ + 1])) {
      if (time && fields[database_at_ + 1].starts_with("LINUX-RESTART")) boot_times_[host] = *time;
      return;
    }
    if (database_columns_.empty()) {
      // Of another activity; but not if it is as wide as the memory's table, which its own one is not.
      if (fields.size() == memory_width_ && fields.size() != database_width_)
        lose_row(std::to_string(fields.size()) + " fields where the heading above it, in line " +
                     std::to_string(database_line_) + ", has " + std::to_string(database_width_),
                 host, memory_columns_);
      return;
    }
    has_memory_ = true;
    if (has_lists_)
      return lose_row("the heading's columns with [...] have several values each; record it without -h: sadf -d FILE -- -r ALL",
                      host, database_columns_);
    if (!time) return lose_row("time " + in_quotes(fields[database_at_]) + " is not understood", host, database_columns_);
    if (fields.size() != database_width_)
      return lose_row(std::to_string(fields.size()) + " fields where the heading has " + std::to_string(database_width_), host,
                      database_columns_);
    columns_ = database_columns_;
    const std::vector<std::string_view> values(fields.begin() + static_cast<std::ptrdiff_t>(database_at_ + 1), fields.end());
    give(values, *time, host);
    columns_.clear();
  }

  // Of a restart, or "COM" and what an administrator has written.
  static bool is_mark(std::string_view field) {
    return field.starts_with("LINUX-RESTART") || field == "COMMENT" || field == "COM" || field.starts_with("COM ");
  }

  // "web01;600;2026-11-05 00:10:01 UTC;..."
  static bool looks_like_database_row(const std::vector<std::string_view>& fields) {
    constexpr std::size_t kInterval = 1, kLeast = 4;
    if (fields.size() < kLeast || std::any_of(fields.begin(), fields.end(), is_mark)) return false;
    return !fields[kInterval].empty() && fields[kInterval].find_first_not_of("-0123456789") == std::string_view::npos;
  }

  static std::string base_label(std::string_view text) { return sar_host_label(text); }

  // "2026-11-05 00:10:01 UTC", the same without zone (-t), or Unix seconds (-U).
  std::optional<UnixMillis> parse_stamp(std::string_view text) {
    notes_.timed_by("column timestamp");
    if (const auto exact = parse_timestamp(text)) return *exact;
    const DateLine date = dates_.parse(text);
    if (!date.midnight || !date.time_of_day) return std::nullopt;
    if (!date.zone && !std::exchange(told_of_zone_, true)) notes_.warn("times without a zone are taken as UTC");
    const UnixMillis local = *date.midnight + *date.time_of_day;
    return local - std::int64_t{minutes_east(date.zone.value_or(Zone{}), local)} * 60'000;
  }

  void give(const std::vector<std::string_view>& values, UnixMillis time, const std::string& host) {
    SnapshotBuilder builder;
    bool any = false;
    for (const SarColumn& column : columns_) {
      const std::string_view text = values[column.at];
      if (!text.empty() && (text.back() < '0' || text.back() > '9') && parse_sar_amount(text) &&
          !std::exchange(told_of_units_, true))
        notes_.warn("values are rounded (" + std::string(text) +
                    "), and growth below their last digit is not seen; record it without -h");
      const auto bytes = parse_sar_amount(text);
      if (bytes && column.at + 1 == values.size() &&
          !end_.is_whole(lines_, host, static_cast<double>(*bytes), OpenEnd::ends_in_digit(lines_))) {
        notes_.skip(lines_.number(), kCutAtEnd, sar_subject(host, column.value));
      } else if (bytes) {
        set_sar_value(column.value, *bytes, builder);
        any = true;
      } else {
        notes_.skip(lines_.number(), std::string(column.name) + " " + in_quotes(text) + " is not a count of kB",
                    sar_subject(host, column.value));
      }
    }
    if (!any) return;
    Snapshot snapshot = builder.take();
    snapshot.system = System::kLinux;
    snapshot.time = time;
    if (const auto boot = boot_times_.find(host); boot != boot_times_.end()) snapshot.boot_time = boot->second;
    if (!snapshot.tags.empty() && !std::exchange(told_of_slab_, true)) notes_.warn(std::string(kSarSlabWarning));
    ready_.push_back({host, std::move(snapshot)});
  }

  LineReader lines_;
  FileNotes notes_;
  OrderedDates dates_;
  std::string doubtful_day_, why_doubtful_;  // until the clock below it is seen
  std::uint64_t day_line_ = 0;
  bool is_day_refused_ = false;
  std::string plain_, written_, host_, sar_host_;
  std::vector<SarColumn> columns_, database_columns_;
  std::size_t width_ = 0, database_width_ = 0, database_at_ = SIZE_MAX;
  std::uint64_t database_line_ = 0;        // of sadf's last heading
  std::vector<SarColumn> memory_columns_;  // of the last heading with memory, and how many fields it has
  std::size_t memory_width_ = 0;
  bool has_lists_ = false;  // sadf -h: items of one activity behind one another
  bool told_of_units_ = false;
  std::string_view other_;  // what else has begun last
  std::optional<UnixMillis> midnight_;
  std::map<std::string, UnixMillis> boot_times_;  // by host
  std::optional<std::int64_t> last_of_day_;
  std::int64_t days_ = 0;
  std::deque<Ready> ready_;
  OpenEnd end_;
  bool is_other_table_ = false;  // of another activity
  bool any_ = false;
  bool has_memory_ = false;  // used or not
  bool is_sar_ = false;
  bool is_of_other_language_ = false;
  bool told_of_zone_ = false;
  bool told_of_slab_ = false;
};

}  // namespace

Reader make_sar_history(LineReader lines, FileNotes notes, DateOptions dates) {
  return std::unique_ptr<SnapshotReader>(std::make_unique<SarHistory>(std::move(lines), std::move(notes), std::move(dates)));
}

}  // namespace kmem::history
