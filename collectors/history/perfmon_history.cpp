// perfmon's CSV (PDH-CSV 4.0, from relog, typeperf and counter logs; also with tabs, or as a spreadsheet saved it): columns \\HOST\Object\Counter become totals.
// Times are local; the header's first cell says in minutes how far UTC is ahead of them. The first host that has a
// column known here is the one; the others are named in a warning. A blank cell is no value.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <functional>
#include <set>
#include <utility>

#include "collectors/history/counter_names.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/number_text.h"
#include "collectors/history/snapshot_builder.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::int64_t kSameBootMillis = 5'000;

struct Counter {
  std::string_view path;
  void (*set)(SnapshotBuilder& out, std::uint64_t value);
};

template <std::optional<std::uint64_t> Snapshot::*Field>
void set_field(SnapshotBuilder& out, std::uint64_t value) {
  out.snapshot().*Field = value;
}
template <Pool P, std::optional<std::uint64_t> PoolTotals::*Field>
void set_total(SnapshotBuilder& out, std::uint64_t value) {
  out.totals(P).*Field = value;
}
template <Pool P>
void set_allocations(SnapshotBuilder& out, std::uint64_t value) {
  if (value <= std::numeric_limits<std::uint32_t>::max())
    out.totals(P).allocations = static_cast<std::uint32_t>(value);
}

constexpr std::array kCounters = {
    Counter{"Memory\\Pool Paged Bytes", set_total<Pool::kPaged, &PoolTotals::bytes>},
    Counter{"Memory\\Pool Nonpaged Bytes", set_total<Pool::kNonpaged, &PoolTotals::bytes>},
    Counter{"Memory\\Pool Paged Resident Bytes", set_total<Pool::kPaged, &PoolTotals::resident_bytes>},
    Counter{"Memory\\Pool Paged Allocs", set_allocations<Pool::kPaged>},
    Counter{"Memory\\Pool Nonpaged Allocs", set_allocations<Pool::kNonpaged>},
    Counter{"Memory\\Free System Page Table Entries", set_field<&Snapshot::system_ptes_free>},
    Counter{"Memory\\Committed Bytes", set_field<&Snapshot::commit_bytes>},
    Counter{"Memory\\Commit Limit", set_field<&Snapshot::commit_limit_bytes>},
    Counter{"Memory\\Cache Bytes", set_field<&Snapshot::file_cache_bytes>},
    Counter{"Memory\\Cache Bytes Peak", set_field<&Snapshot::file_cache_peak_bytes>},
    Counter{"Memory\\Available Bytes", set_field<&Snapshot::available_bytes>},
    Counter{"System\\System Up Time", nullptr},  // seconds
};

// "12.5", " 1.5e+009", "12,5" where the comma is the decimal point. PDH writes -1 for what it could not read.
NumberText parse_value(std::string_view text, char separator) {
  NumberText number = parse_number(text, separator == ',');
  if (number.value && !(*number.value >= 0 && *number.value < 9e18)) return {std::nullopt, NumberFault::kNoNumber};
  return number;
}

// Not as PDH writes it, with seconds: a spreadsheet has made its own of it.
bool is_rewritten(std::string_view cell) { return std::count(cell.begin(), cell.end(), ':') < 2; }

struct CounterPath {
  std::string_view host;  // empty: the machine itself
  std::string_view path;
};

CounterPath split_path(std::string_view column) {
  column = trimmed(column);
  if (!column.starts_with("\\\\")) return {{}, column.substr(column.starts_with('\\') ? 1 : 0)};
  const std::size_t end = std::min(column.find('\\', 2), column.size());
  return {column.substr(2, end - 2), column.substr(std::min(end + 1, column.size()))};
}

std::string others_words(const CsvFields& fields) {
  std::string words;
  for (std::size_t i = 1; i < fields.size(); ++i) {
    const std::string_view path = split_path(fields[i]).path;
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
  const bool minus = take_char(text, '-');
  const auto minutes = take_digits(text, 1, 4);
  if (!minutes || text != ")") return std::nullopt;
  return minus ? -*minutes : *minutes;
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
    for (;;) {
      const auto state = lines_.next();
      if (!state) return state.error();
      if (*state == LineState::kEnd) return false;
      if (*state == LineState::kTooLong) {
        notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxPerfmonLineBytes) + " bytes");
      } else if (take_line(out)) {
        return true;
      }
    }
  }

  [[nodiscard]] std::uint64_t line() const override { return lines_.number(); }

 private:
  struct Known {
    std::size_t field = 0;
    const Counter* counter = nullptr;
  };

  // Empty, or why not.
  std::string take_header() {
    std::vector<Known> known;
    std::optional<std::string> host;
    std::set<std::string> others;
    for (std::size_t i = 1; i < fields_.size(); ++i) {
      CounterPath column = split_path(fields_[i]);
      if (const std::string_view english = english_counter(column.path); !english.empty()) column.path = english;
      const auto counter = std::find_if(kCounters.begin(), kCounters.end(),
                                        [&](const Counter& one) { return same_word(one.path, column.path); });
      if (counter == kCounters.end()) continue;
      if (!host) host = std::string(column.host);
      if (same_word(*host, column.host)) known.push_back({i, &*counter});
      else others.insert(std::string(column.host));
    }
    if (known.empty())
      return "no counter that is known; Memory\\Pool Nonpaged Bytes and such are, by their English names" +
             others_words(fields_);
    std::stable_sort(known.begin(), known.end(),
                     [](const Known& a, const Known& b) { return std::less<>()(a.counter, b.counter); });
    known_ = std::move(known);
    width_ = fields_.size();
    const auto bias = bias_minutes(fields_[0]);
    bias_minutes_ = bias.value_or(0);
    if (!bias) notes_.warn("the header has no time zone: times are taken as UTC");
    if (!others.empty()) {
      std::string names;
      for (const std::string& other : others) names += (names.empty() ? "" : ", ") + in_quotes(other);
      notes_.warn("several hosts: only " + in_quotes(*host) + " is used, not " + names);
    }
    return {};
  }

  bool take_line(Snapshot& out) {
    const std::string_view line = trimmed(lines_.line());
    if (line.find_first_of("0123456789") == std::string_view::npos) return false;  // typeperf's last words
    const auto refuse = [&](const std::string& reason) {
      notes_.skip(lines_.number(), reason);
      return false;
    };
    if (const char* const torn = fields_.split(line)) return refuse(torn);
    if (fields_[0].starts_with("(PDH-")) {  // files put one behind another
      const std::string why = take_header();
      return why.empty() ? false : refuse(why);
    }
    std::string why;
    const auto time = read_time(fields_[0], why);
    if (!time) return refuse(why);
    if (fields_.size() != width_)
      return refuse(std::to_string(fields_.size()) + " fields where the header has " + std::to_string(width_));
    SnapshotBuilder builder;
    builder.snapshot().system = System::kWindows;
    builder.snapshot().time = *time + std::int64_t{bias_minutes_} * 60'000;
    bool any = false;
    const Known* before = nullptr;
    for (const Known& known : known_) {
      const std::string& cell = fields_[known.field];
      if (trimmed(cell).empty()) continue;
      const auto [value, fault] = parse_value(cell, options_.separator);
      // Logs that were put side by side have a counter twice; columns stand by counter.
      const bool again = before != nullptr && before->counter == known.counter;
      if (again && value && fields_[before->field] != cell)
        notes_.skip(lines_.number(), std::string(known.counter->path) + " has two columns and two values, " +
                                         in_quotes(fields_[before->field]) + " and " + in_quotes(cell) +
                                         "; the first is used");
      if (value && !again) before = &known;
      if (again) continue;
      if (!value) {
        notes_.skip(lines_.number(), std::string(known.counter->path) + " " + in_quotes(cell) +
                                         (fault == NumberFault::kTwoValues ? " may part thousands or decimals"
                                                                           : " is not a value"));
      } else if (any = true; known.counter->set != nullptr) {
        known.counter->set(builder, static_cast<std::uint64_t>(std::round(*value)));
      } else {
        builder.snapshot().boot_time = boot_time(builder.snapshot().time, *value);
      }
    }
    if (!any) return false;
    out = builder.take();
    return true;
  }

  std::optional<UnixMillis> read_time(const std::string& cell, std::string& why) {
    if (const auto time = parse_us_time(cell); time && !is_rewritten(cell)) return time;
    DateLine found = parse_date_line(cell, options_.order);
    if (found.numeric && !options_.order && is_rewritten(cell)) {
      if (!std::exchange(asked_, true) && options_.decide) options_.order = options_.decide();
      if (!options_.order) {
        why = "time " + in_quotes(cell) +
              " can be two days, and nothing in the file says which; --date-order=dmy or --date-order=mdy does";
        return std::nullopt;
      }
      found = parse_date_line(cell, options_.order);
    }
    const bool is_other = options_.separator == ',' && !is_rewritten(cell);
    if (!is_other && found.midnight && found.time_of_day) return *found.midnight + *found.time_of_day;
    why = "time " + in_quotes(cell) + " is not MM/DD/YYYY HH:MM:SS";
    return std::nullopt;
  }

  // Time and uptime are read one after the other, so their difference jitters.
  UnixMillis boot_time(UnixMillis time, double uptime_seconds) {
    const UnixMillis boot = time - static_cast<UnixMillis>(std::min(uptime_seconds, 1e12) * 1000);
    if (!boot_time_ || std::abs(boot - *boot_time_) > kSameBootMillis) boot_time_ = boot;
    return *boot_time_;
  }

  LineReader lines_;
  FileNotes notes_;
  PerfmonOptions options_;
  bool asked_ = false;
  CsvFields fields_;
  std::vector<Known> known_;
  std::size_t width_ = 0;
  int bias_minutes_ = 0;
  std::optional<UnixMillis> boot_time_;
};

}  // namespace

Reader make_perfmon_history(LineReader lines, FileNotes notes, PerfmonOptions options) {
  auto reader = std::make_unique<PerfmonHistory>(std::move(lines), std::move(notes), std::move(options));
  if (auto header = reader->read_header(); !header) return header.error();
  return std::unique_ptr<SnapshotReader>(std::move(reader));
}

}  // namespace kmem::history
