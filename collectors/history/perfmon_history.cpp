// perfmon's CSV (PDH-CSV 4.0, from relog, typeperf and counter logs; also with tabs, or as a spreadsheet saved it): columns
// \\HOST\Object\Counter become totals and processes, a snapshot a host. Times are local; the header's first cell says in
// minutes how far UTC is ahead of them. A blank cell is no value.
#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <tuple>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/history/counter_names.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/number_text.h"
#include "collectors/history/open_end.h"
#include "collectors/history/perfmon_counters.h"
#include "collectors/history/recognise.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/time_text.h"
#include "collectors/history/uptime_shift.h"
#include "collectors/history/zone_names.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

std::string others_words(const CsvFields& fields) {
  std::string words;
  for (std::size_t i = 1; i < fields.size(); ++i) {
    const std::string_view path = split_counter_path(fields[i]).path;
    const std::string_view language = language_of_counter(path);
    const bool is_plain = std::all_of(path.begin(), path.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
    if (language.empty() && is_plain) continue;
    words = "; " + in_quotes(path) + (language.empty() ? " is of another language" : " looks " + std::string(language)) +
            "; in English they are written by: typeperf \"\\Memory\\Pool Nonpaged Bytes\" \"\\Memory\\Pool Paged "
            "Bytes\" -si 3600 -o FILE";
    break;
  }
  return words;
}

// "(PDH-CSV 4.0) (W. Europe Standard Time)(-60)" -> -60
std::optional<int> bias_minutes(std::string_view cell) {
  const std::size_t open = cell.find_last_of('(');
  if (open == std::string_view::npos) return std::nullopt;
  std::string_view text = cell.substr(open + 1);
  if (text.ends_with('"')) text.remove_suffix(1);  // the one that begins the file was cut off
  const bool minus = take_char(text, '-');
  const auto minutes = take_digits(text, 1, 4);
  if (!minutes || text != ")") return std::nullopt;
  return minus ? -*minutes : *minutes;
}

/// "(PDH-CSV 4.0) (W. Europe Standard Time)(-60)" -> "W. Europe Standard Time"
std::string_view zone_name(std::string_view cell) {
  const std::size_t begin = cell.find(") ("), end = cell.rfind(")(");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + 3) return {};
  return cell.substr(begin + 3, end - begin - 3);
}

class PerfmonHistory final : public SnapshotReader {
 public:
  PerfmonHistory(LineReader lines, FileNotes notes, PerfmonOptions options)
      : lines_(std::move(lines)), notes_(std::move(notes)), options_(std::move(options)), fields_(options_.separator) {}

  base::Result<void> read_header() {
    return read_header_row(lines_, notes_, [this] {
      const char* const torn = fields_.split(lines_.line());
      return torn != nullptr ? torn : take_header();
    });
  }

  base::Result<bool> next(Snapshot& out) override {
    while (ready_.empty()) {
      const auto state = lines_.next();
      if (!state) return state.error();
      if (*state == LineState::kEnd) return false;
      if (*state == LineState::kTooLong)
        notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxPerfmonLineBytes) + " bytes");
      else take_line();
    }
    host_ = hosts_[ready_.front().first].name;
    out = std::move(ready_.front().second);
    ready_.pop_front();
    return true;
  }

  [[nodiscard]] std::uint64_t line() const override { return lines_.number(); }
  [[nodiscard]] const std::string& host() const override { return host_; }

 private:
  struct Known {
    std::size_t field = 0;
    std::size_t host = 0;  // in hosts_
    KnownCounter counter;

    [[nodiscard]] auto key() const { return std::tie(host, counter.order, counter.instance); }
  };
  struct Host {
    std::string name;
    CounterRow row;
    UptimeClock uptime;
  };

  [[nodiscard]] RowSubject subject_of(const Known& known) const {
    return {hosts_[known.host].name, {}, std::string(known.counter.name), RowSubject::Kind::kValue};
  }

  // Empty, or why not.
  std::string take_header() {
    std::vector<Known> known;
    UnknownNames unknown;
    for (std::size_t i = 1; i < fields_.size(); ++i) {
      const CounterPath column = split_counter_path(fields_[i]);
      auto counter = find_counter(column.path);
      if (!counter && may_be_of_memory(column.path)) unknown.add(column.path);
      if (counter) known.push_back({i, host_index(column.host), std::move(*counter)});
    }
    if (known.empty())
      return "no counter that is known; Memory\\Pool Nonpaged Bytes and such are, by their English names" +
             others_words(fields_);
    std::stable_sort(known.begin(), known.end(), [](const Known& a, const Known& b) { return a.key() < b.key(); });
    known_ = std::move(known);
    if (const std::string names = unknown.text(); !names.empty() && !std::exchange(told_of_unknown_, true))
      notes_.warn("columns that may be of memory and are not understood: " + names);
    width_ = fields_.size();
    const auto bias = bias_minutes(fields_[0]);
    bias_minutes_ = bias.value_or(0);
    shift_.begin_anew();
    // It tells how far UTC was when the log began, in winter or in summer.
    const std::string_view name = zone_name(fields_[0]);
    zone_ = bias ? whole_year_zone(name) : std::nullopt;
    if (zone_ && zone_->minutes != -*bias && (zone_->summer == SummerTime::kNone || zone_->minutes + 60 != -*bias))
      zone_.reset();
    zone_clock_ = {};
    last_local_.reset();
    last_step_ = 0;
    is_clock_doubtful_ = false;
    zone_text_ = bias ? in_quotes(name) : std::string();
    if (!bias) notes_.warn("the header has no time zone: times are taken as UTC");
    notes_.timed_by(zone_ && zone_->summer != SummerTime::kNone ? "local time of " + zone_text_ + ", with its summer time"
                    : bias ? "local time, UTC is " + std::to_string(std::abs(*bias)) + " minutes " +
                                 (*bias < 0 ? "behind" : "ahead of") + " it by the header"
                           : "taken as UTC");
    return {};
  }

  std::size_t host_index(std::string_view raw) {
    const std::string name = base::label_text(raw);
    const auto known = std::find_if(hosts_.begin(), hosts_.end(), [&](const Host& host) { return same_word(host.name, name); });
    if (known != hosts_.end()) return static_cast<std::size_t>(known - hosts_.begin());
    hosts_.push_back({name, {}, {}});
    return hosts_.size() - 1;
  }

  void take_line() {
    const std::string_view line = trimmed(lines_.line());
    const auto refuse = [&](const std::string& reason) { notes_.skip(lines_.number(), reason); };
    const auto begins_anything = [&] {
      const std::string_view other =
          line.starts_with("\"(PDH-") || line.starts_with("(PDH-") ? std::string_view() : begins_other(line);
      if (other.empty()) return false;
      refuse(other_begins(other));
      may_go_on_ = !is_table_of_csv(other);
      return is_passed_over_ = true;
    };
    if (line.find_first_of("0123456789") == std::string_view::npos) {  // typeperf's last words
      if (!is_passed_over_) (void)begins_anything();
      return;
    }
    if (const char* const torn = fields_.split(line)) return refuse(torn);
    if (fields_[0].starts_with("(PDH-")) {  // files put one behind another
      const std::string why = take_header();
      is_passed_over_ = !why.empty();
      may_go_on_ = false;
      return why.empty() ? void() : refuse(why + "; the rows below are passed over");
    }
    // Beyond another job's lines in the same file its own rows go on.
    if (is_passed_over_ && (!may_go_on_ || fields_.size() != width_)) return;
    std::string why;
    const auto time = read_time(fields_[0], why);
    if (is_passed_over_ && !time) return;
    is_passed_over_ = false;
    if ((!time || fields_.size() != width_) && begins_anything()) return;
    if (!time) return refuse(why);
    is_row_again_ = std::exchange(last_row_, std::string(line)) == line;
    if (fields_.size() != width_)
      return refuse(std::to_string(fields_.size()) + " fields where the header has " + std::to_string(width_));
    const Known* before = nullptr;
    for (const Known& known : known_) {
      const std::string& cell = fields_[known.field];
      if (trimmed(cell).empty()) {
        if (known.field + 1 < width_ || !lines_.is_open_ended()) continue;
        hosts_[known.host].row.lose(known.counter);
        notes_.skip(lines_.number(), kCutAtEnd, subject_of(known));
        continue;
      }
      const auto [value, fault] = value_in(known, cell);
      // Logs that were put side by side have a counter twice; columns stand by counter.
      const bool again = before != nullptr && before->key() == known.key();
      if (again && value && fields_[before->field] != cell)
        notes_.skip(lines_.number(), std::string(known.counter.name) + " has two columns and two values, " +
                                         in_quotes(fields_[before->field]) + " and " + in_quotes(cell) + "; the first is used");
      if (value && !again) before = &known;
      if (again) continue;
      const bool is_last = known.field + 1 == width_;
      if (value && is_last && !end_.is_whole(lines_, known.counter.name, *value, OpenEnd::ends_in_digit(lines_))) {
        hosts_[known.host].row.lose(known.counter);
        notes_.skip(lines_.number(), kCutAtEnd, subject_of(known));
      } else if (!value) {
        hosts_[known.host].row.lose(known.counter);
        notes_.skip(lines_.number(),
                    std::string(known.counter.name) + " " + in_quotes(cell) +
                        (fault == NumberFault::kTwoValues ? " may part thousands or decimals" : " is not a value"),
                    subject_of(known));
      } else {
        hosts_[known.host].row.add(known.counter, *value);
        warn_of_lost_digits(known, cell);
      }
    }
    UnixMillis utc = *time;
    if (is_local_) {
      // Of the host that tells one first: they are one clock's times.
      for (std::size_t host = 0; host < hosts_.size() && uptime_of_ == SIZE_MAX; ++host)
        if (hosts_[host].row.uptime_ms()) uptime_of_ = host;
      const bool has_uptime = uptime_of_ < hosts_.size();
      if (has_uptime) utc = shift_.place(utc, hosts_[uptime_of_].row.uptime_ms());
      else if (!zone_) utc = shift_.place_in_steps(utc, utc - std::int64_t{bias_minutes_} * 60'000);
      if (!zone_ && !has_uptime && is_clock_doubtful(utc - std::int64_t{bias_minutes_} * 60'000)) {
        for (Host& host : hosts_) (void)host.row.take(utc, host.uptime);
        return refuse("the clock of the header's zone " + zone_text_ + " (" + std::to_string(bias_minutes_) +
                      "), which is not known, may have moved for summer time above this row; part the log there, and write the "
                      "minutes that hold from then on into its header");
      }
      if (shift_.any() && !std::exchange(told_of_shift_, true)) notes_.warn(has_uptime ? kUptimeShiftNote : kStepShiftNote);
    }
    if (zone_clock_.is_doubtful() && !std::exchange(told_of_doubled_hour_, true)) notes_.warn(kDoubledHourNote);
    for (std::size_t host = 0; host < hosts_.size(); ++host)
      if (!hosts_[host].row.empty()) ready_.emplace_back(host, hosts_[host].row.take(utc, hosts_[host].uptime));
    if (!told_of_pids_ && std::any_of(hosts_.begin(), hosts_.end(), [](const Host& one) { return one.row.any_made_up(); })) {
      told_of_pids_ = true;
      notes_.warn(kMadeUpPidsNote);
    }
  }

  /// Bytes and counts are whole numbers: "204.800" has three decimals, or its point parts thousands. It has decimals where the
  /// rows so far have some that can be nothing else.
  NumberText value_in(const Known& known, std::string_view cell) {
    const NumberText value = parse_counter_value(cell, options_.separator);
    const std::size_t last = trimmed(cell).find_last_of(".,");
    if (known.counter.is_uptime || last == std::string_view::npos || !value.value) return value;
    const char mark = trimmed(cell)[last];
    const bool is_doubtful = parse_number(cell, false).fault == NumberFault::kTwoValues;
    if (!is_doubtful && std::count(cell.begin(), cell.end(), mark) == 1) decimal_mark_ = mark;
    return is_doubtful && decimal_mark_ != mark ? NumberText{std::nullopt, NumberFault::kTwoValues} : value;
  }

  // As spreadsheets round what does not fit a narrow column.
  void warn_of_lost_digits(const Known& known, std::string_view cell) {
    const std::string words = told_of_digits_ ? std::string() : words_of_lost_digits(cell);
    if (words.empty()) return;
    told_of_digits_ = true;
    notes_.warn(std::string(known.counter.name) + " " + in_quotes(cell) + " (line " + std::to_string(lines_.number()) + ") " +
                words);
  }

  /// In UTC.
  std::optional<UnixMillis> read_time(std::string_view cell, std::string& why) {
    cell = trimmed(cell);
    is_local_ = true;
    const auto utc = [this](UnixMillis local) {
      return zone_ ? zone_clock_.utc(*zone_, local) : local + std::int64_t{bias_minutes_} * 60'000;
    };
    if (is_of_pdh(cell) && month_first_fits()) {
      if (const auto time = parse_us_time(cell)) {
        of_pdh_ = true;
        if (const char* const fault = zone_ ? fault_at(*zone_, *time) : nullptr) {
          why = "time " + in_quotes(cell) + ": " + fault;
          return std::nullopt;
        }
        return utc(*time);
      }
    }
    const DateLine found = of_pdh_ ? parse_date_line(cell, DateOrder::kMonthDayYear) : dates_.parse(cell);
    // Among PDH's own times one with points is of nobody's making.
    if (found.midnight && found.time_of_day && !(of_pdh_ && found.numeric && found.numeric->dotted)) {
      const UnixMillis local = *found.midnight + *found.time_of_day;
      is_local_ = !found.zone;
      return found.zone ? zone_clock_.utc(*found.zone, local) : utc(local);
    }
    why = "time " + (found.problem.empty()                 ? in_quotes(cell) + " is not MM/DD/YYYY HH:MM:SS"
                     : found.numeric && dates_.undecided() ? dates_.two_days(cell)
                                                           : found.problem);
    return std::nullopt;
  }

  /// Whether the clock of a zone that is not known may have been moved since the log began: steps that stay the same, and go
  /// over less than the night, show that it was not.
  bool is_clock_doubtful(UnixMillis local) {
    if (zone_text_.empty()) return false;
    if (last_local_ == local && is_row_again_) return is_clock_doubtful_;
    const auto last = std::exchange(last_local_, local);
    if (!last) return false;
    const UnixMillis before = *last;
    const UnixMillis step = local - before, usual = std::exchange(last_step_, step);
    // A clock that goes back or stands still, and a step that is an hour too short or too long, on whichever day: clocks move at
    // noon of a Friday, too.
    constexpr UnixMillis kSlack = 90'000;
    const bool is_hour_off = usual > 0 && std::abs(std::abs(step - usual) - base::kHourMillis) <= kSlack;
    is_clock_doubtful_ |= step <= 0 || (is_hour_off && !(is_in_quiet_month(before) && is_in_quiet_month(local)));
    constexpr UnixMillis kShort = 8 * base::kHourMillis, kHalfHour = base::kHourMillis / 2;
    const bool is_alike = std::abs(step - usual) < kHalfHour;
    // Steps over which a move was seen are the clock's of UTC.
    const bool is_even = step > 0 && (shift_.any() ? is_alike
                                      : usual == 0 ? step <= base::kHourMillis
                                                   : step < kShort && is_alike);
    return is_clock_doubtful_ =
               is_clock_doubtful_ || (!is_even && goes_over_change(std::min(before, local), std::max(before, local)));
  }

  /// In which no country's clock moves.
  static bool is_in_quiet_month(UnixMillis local) {
    const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(
        std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(local)))};
    const auto month = static_cast<unsigned>(date.month());
    return month == 1 || month == 6 || month == 7 || month == 12;
  }

  /// Clocks move in the first hours of Sundays or late on the evening before, in some countries of a Thursday to Saturday in spring and autumn.
  static bool goes_over_change(UnixMillis from, UnixMillis to) {
    constexpr UnixMillis kNight = 4 * base::kHourMillis, kEvening = 3 * base::kHourMillis;
    if (to - from > 366 * base::kDayMillis) return true;
    for (UnixMillis day = from - from % base::kDayMillis; day - kEvening < to; day += base::kDayMillis) {
      if (day + kNight <= from) continue;
      const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day / base::kDayMillis))};
      const auto month = static_cast<unsigned>(date.month());
      const int weekday = weekday_at(day);
      constexpr int kThursday = 4;
      if (!is_in_quiet_month(day) &&
          (weekday == 0 || (weekday >= kThursday && month != 2 && month != 5 && month != 8 && month != 11)))
        return true;
    }
    return false;
  }

  bool month_first_fits() {
    if (!month_first_fits_) month_first_fits_ = !options_.dates.month_first_fits || options_.dates.month_first_fits();
    return *month_first_fits_;
  }

  LineReader lines_;
  FileNotes notes_;
  PerfmonOptions options_;
  OrderedDates dates_{options_.dates};
  CsvFields fields_;
  std::vector<Known> known_;
  std::size_t width_ = 0;
  int bias_minutes_ = 0;
  std::optional<Zone> zone_;  // by the header's name, where that is known and fits the minutes
  std::string zone_text_;     // as the header has it; empty: it has none
  ZoneClock zone_clock_;
  bool told_of_doubled_hour_ = false;
  std::optional<UnixMillis> last_local_;
  UnixMillis last_step_ = 0;
  bool is_clock_doubtful_ = false;
  std::string last_row_;
  bool is_row_again_ = false;  // the one above it, letter by letter
  UptimeShift shift_;
  bool is_local_ = false;  // the last time
  bool told_of_shift_ = false;
  std::size_t uptime_of_ = SIZE_MAX;  // in hosts_
  std::optional<bool> month_first_fits_;
  bool told_of_unknown_ = false, told_of_pids_ = false, told_of_digits_ = false;
  bool is_passed_over_ = false;  // what comes, up to the next header
  bool may_go_on_ = false;       // or up to the next row of its own
  bool of_pdh_ = false;          // times of its own form there are
  char decimal_mark_ = 0;        // of the numbers so far; 0: none tells
  OpenEnd end_;
  std::vector<Host> hosts_;
  std::deque<std::pair<std::size_t, Snapshot>> ready_;  // by host
  std::string host_;
};

}  // namespace

Reader make_perfmon_history(LineReader lines, FileNotes notes, PerfmonOptions options) {
  auto reader = std::make_unique<PerfmonHistory>(std::move(lines), std::move(notes), std::move(options));
  if (auto header = reader->read_header(); !header) return header.error();
  return std::unique_ptr<SnapshotReader>(std::move(reader));
}

}  // namespace kmem::history
