// Prometheus' own words -> history: the JSON of its HTTP API (matrix or vector; the whole answer, or what jq or promtool
// left of it, also several behind one another), and sample lines: `promtool tsdb dump`, OpenMetrics with times. Series
// come one by one, so all of a file is read before its first snapshot; series_store.h bounds the memory.
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "collectors/base/digit.h"
#include "collectors/base/time_words.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/json_scan.h"
#include "collectors/history/prometheus_text.h"
#include "collectors/history/series_store.h"
#include "collectors/history/snapshot_reader.h"
#include "collectors/history/text_header.h"

namespace kmem::history {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::UnixMillis;
using Token = JsonScan::Token;

using base::is_digit;

constexpr std::size_t kMaxLabels = 64;
constexpr double kLeastMillis = 2.5e11;  // of Unix time; fewer are seconds

std::optional<double> parse_double(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

constexpr double kMostSeconds = 4'102'444'800;  // 2100
constexpr double kLeastSeconds = 631'152'000;   // 1990: what is before it was cut

std::optional<UnixMillis> unix_millis(double seconds) {
  return seconds >= kLeastSeconds && seconds < kMostSeconds
             ? std::optional(static_cast<UnixMillis>(std::llround(seconds * 1000)))
             : std::nullopt;
}

std::string words_of(double value) {
  std::array<char, 32> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), written.ptr};
}

class PrometheusHistory : public SnapshotReader {
 public:
  explicit PrometheusHistory(FileNotes notes) : notes_(std::move(notes)) {}

  Result<bool> next(Snapshot& out) override {
    if (!std::exchange(is_read_, true)) {
      if (auto read = read_all(); !read) return read.error();
      if (const std::string lack = store_.caches_lack(); !lack.empty()) {
        if (store_.are_all_caches()) return Error{ErrorCode::kMalformed, notes_.path() + ": " + lack};
        notes_.skip(0, lack);
      }
      store_.finish();
      tell();
    }
    return store_.next(out);
  }
  [[nodiscard]] std::uint64_t line() const override { return 0; }
  [[nodiscard]] const std::string& host() const override { return store_.host(); }

 protected:
  virtual Result<void> read_all() = 0;

  void begin(const Labels& labels, std::uint64_t line) {
    const std::string why = store_.begin(labels);
    if (why.empty()) return;
    // Once a reason: a page has hundreds of series that are nobody's business.
    if (told_.size() < kMostReasons && told_.try_emplace(why, line).second) notes_.skip(line, why);
  }

  void add_sample(UnixMillis time, double value, std::uint64_t line) {
    const std::uint64_t before = store_.no_amounts();
    store_.add(time, value);
    if (before == 0 && store_.no_amounts() > 0) no_amount_line_ = line;
  }

  FileNotes notes_;
  SeriesStore store_;
  std::uint64_t no_amount_line_ = 0;           // of the first
  std::map<std::string, std::uint64_t> told_;  // of why series are left out, the line

 private:
  static constexpr std::size_t kMostReasons = 200;

  void tell() {
    if (const std::int64_t width = store_.thinned_to_ms(); width > 0)
      notes_.warn("more samples than memory is for: each series is its floors of " + std::to_string(width / 60'000) +
                  " minutes");
    if (store_.points_left_out() > 0)
      notes_.skip(0, std::to_string(store_.points_left_out()) +
                         " samples are left out: too many series for one file; ask for fewer hosts at a time");
    if (store_.no_amounts() > 0)
      notes_.skip(no_amount_line_,
                  (store_.no_amounts() == 1 ? std::string("a sample is")
                                            : std::to_string(store_.no_amounts()) + " samples, the first in this line, are") +
                      " below 0 or infinite, which no amount of memory is");
    for (auto& [of, rows] : store_.lost()) notes_.lose(of, rows);
    if (store_.any_made_up_pid())
      notes_.warn(
          "processes without a label of their pid have numbers of their own in its place, above 1000000000000, one for each name");
    if (const SeriesStore::Doubled& doubled = store_.doubled(); doubled.samples > 0) {
      notes_.warn("it contradicts itself, and the first value is used: " + doubled.series + " at " +
                  base::rfc3339(doubled.time) + " is " + words_of(doubled.used) + " and " + words_of(doubled.other) +
                  (doubled.samples > 1 ? "; " + std::to_string(doubled.samples - 1) + " samples more do so" : ""));
    }
    for (const std::string& instance : store_.doubted())
      notes_.warn("several series of " + in_quotes(instance) +
                  " tell of the same, as those of two jobs or names do; of each time the first is used");
    for (const std::string& instance : store_.of_several_jobs())
      notes_.warn("the jobs of " + in_quotes(instance) +
                  " have different values of the same: each is taken for a host of its own");
  }

  bool is_read_ = false;
};

class PrometheusJson final : public PrometheusHistory {
 public:
  PrometheusJson(std::unique_ptr<base::File> file, FileNotes notes)
      : PrometheusHistory(std::move(notes)), scan_(std::move(file)) {
    notes_.timed_by("Unix seconds");
  }

 private:
  Result<void> read_all() override {
    for (;;) {
      const auto token = take();
      if (!token) return token.error();
      if (is_broken_ || *token == Token::kEnd) break;
      if (auto read = walk(*token); !read) return read;
      if (is_broken_) break;
    }
    if (empty_ > 0) notes_.skip(0, std::to_string(empty_) + " samples without a value (null or NaN) are left out");
    if (store_.series() > 0) return {};
    const std::string path = notes_.path() + ": ";
    if (!answer_error_.empty())
      return Error{ErrorCode::kMalformed, path + "Prometheus answered with an error: " + in_quotes(answer_error_)};
    return Error{ErrorCode::kMalformed, path + "looks like an answer of Prometheus without series of kernel memory" +
                                            (told_.empty() ? "" : ": " + told_.begin()->first)};
  }

  Result<Token> take() {
    auto token = scan_.next();
    if (token && *token == Token::kBroken && !std::exchange(is_broken_, true))
      notes_.skip(scan_.line(), "no JSON from here on: " + std::string(scan_.why()));
    return token;
  }

  // Whatever value has begun, to its end.
  Result<void> walk(Token token) {
    if (token == Token::kArray) {
      for (;;) {
        const auto item = take();
        if (!item) return item.error();
        if (is_broken_ || *item == Token::kArrayEnd) return {};
        if (auto read = walk(*item); !read) return read;
      }
    }
    if (token != Token::kObject) return {};
    Labels labels;
    std::vector<SeriesStore::Point> early;  // before their labels
    bool named = false;
    for (;;) {
      const auto key = take();
      if (!key) return key.error();
      if (is_broken_ || *key == Token::kObjectEnd) break;
      const std::string name(scan_.text());
      const auto value = take();
      if (!value) return value.error();
      if (is_broken_) return {};
      Result<void> read;
      if (name == "metric" && *value == Token::kObject) {
        read = read_labels(labels);
        begin(labels, scan_.line());
        named = true;
      } else if (name == "values" && *value == Token::kArray) {
        read = read_points(named, early);
      } else if (name == "timestamps" && *value == Token::kArray) {
        read = read_times();
      } else if (name == "value" && *value == Token::kArray) {
        read = read_point(named, early);
      } else {
        if (name == "error" && *value == Token::kText) answer_error_ = scan_.text();
        // As VictoriaMetrics has it.
        if (name == "isPartial" && *value == Token::kWord && scan_.text() == "true")
          notes_.warn("the server says that its answer is partial: series or samples may be missing");
        if (name == "warnings" && *value == Token::kArray) notes_.warn("Prometheus has warned of this answer");
        read = walk(*value);
      }
      if (!read) return read;
      if (is_broken_) return {};
    }
    if (named && !(export_.values.empty() && export_.times.empty())) take_export();
    if (named)
      for (const SeriesStore::Point& point : early) add_sample(point.time, point.value, scan_.line());
    return {};
  }

  Result<void> read_labels(Labels& labels) {
    for (;;) {
      const auto key = take();
      if (!key) return key.error();
      if (is_broken_ || *key == Token::kObjectEnd) return {};
      std::string name(scan_.text());
      const auto value = take();
      if (!value) return value.error();
      if (*value == Token::kText && labels.size() < kMaxLabels) labels.emplace_back(std::move(name), std::string(scan_.text()));
      else if (auto read = walk(*value); !read) return read;
    }
  }

  /// As VictoriaMetrics exports: the values and their milliseconds apart.
  struct Export {
    std::vector<double> values, times;
  };

  Result<void> read_times() {
    for (;;) {
      const auto token = take();
      if (!token) return token.error();
      if (is_broken_ || *token == Token::kArrayEnd) return {};
      if (*token == Token::kNumber && export_.times.size() < SeriesStore::kMaxPoints / 4)
        export_.times.push_back(parse_double(scan_.text()).value_or(NAN));
      else if (auto read = walk(*token); !read) return read;
    }
  }

  void take_export() {
    const Export of = std::exchange(export_, {});
    if (of.times.empty())
      for (std::size_t i = 0; i < of.values.size(); ++i) notes_.skip(scan_.line(), kNoSample);
    else if (of.values.size() != of.times.size())
      notes_.skip(scan_.line(), std::to_string(of.values.size()) + " values with " + std::to_string(of.times.size()) +
                                    " times: such a series is passed over");
    else
      for (std::size_t i = 0; i < of.values.size(); ++i)
        if (const auto time = unix_millis(of.times[i] / 1000)) add_sample(*time, of.values[i], scan_.line());
        else notes_.skip(scan_.line(), kNoSample);
  }

  Result<void> read_points(bool named, std::vector<SeriesStore::Point>& early) {
    for (;;) {
      const auto token = take();
      if (!token) return token.error();
      if (is_broken_ || *token == Token::kArrayEnd) return {};
      if (*token == Token::kNumber && export_.values.size() < SeriesStore::kMaxPoints / 4) {
        export_.values.push_back(parse_double(scan_.text()).value_or(NAN));
        continue;
      }
      // VictoriaMetrics' null and "Infinity", each of which has its time.
      const bool is_null = *token == Token::kWord && scan_.text() == "null";
      const auto number = *token == Token::kText ? parse_double(scan_.text()) : std::nullopt;
      if ((is_null || number) && export_.values.size() < SeriesStore::kMaxPoints / 4) {
        empty_ += is_null || std::isnan(*number) ? 1 : 0;
        export_.values.push_back(is_null ? std::numeric_limits<double>::quiet_NaN() : *number);
        continue;
      }
      if (*token != Token::kArray) notes_.skip(scan_.line(), kNoSample);
      if (auto read = *token == Token::kArray ? read_point(named, early) : walk(*token); !read) return read;
    }
  }

  // [1793952000.123, "42"]
  Result<void> read_point(bool named, std::vector<SeriesStore::Point>& early) {
    std::optional<UnixMillis> time;
    std::optional<double> value;
    for (std::size_t i = 0;; ++i) {
      const auto token = take();
      if (!token) return token.error();
      if (is_broken_) return {};
      if (*token == Token::kArrayEnd) break;
      const auto number = parse_double(scan_.text());
      if (i == 0 && number) time = unix_millis(*number >= kLeastMillis ? *number / 1000 : *number);
      if (i == 1) value = number;
      if (auto read = walk(*token); !read) return read;
    }
    if (!time || !value) {
      if (named) store_.lose();
      notes_.skip(scan_.line(), kNoSample);
      return {};
    }
    if (named) add_sample(*time, *value, scan_.line());
    else if (early.size() < SeriesStore::kMaxPoints / 4) early.push_back({*time, *value});
    return {};
  }

  static constexpr const char* kNoSample = "a sample that is no pair of time and value";
  JsonScan scan_;
  std::string answer_error_;
  Export export_;
  std::uint64_t empty_ = 0;  // of exports
  bool is_broken_ = false;
};

class PrometheusLines final : public PrometheusHistory {
 public:
  PrometheusLines(LineReader lines, FileNotes notes) : PrometheusHistory(std::move(notes)), lines_(std::move(lines)) {}

 private:
  Result<void> read_all() override {
    for (;;) {
      const auto state = lines_.next();
      if (!state) return state.error();
      if (*state == LineState::kEnd) break;
      if (*state == LineState::kTooLong)
        notes_.skip(lines_.number(), "longer than " + std::to_string(kMaxLineBytes) + " bytes");
      else take(trimmed(as_written(lines_.line(), plain_)));
    }
    if (untimed_ > 0 && store_.points() == 0)
      return Error{ErrorCode::kMalformed,
                   notes_.path() +
                       ": looks like a metrics page without times: it is one moment. Ask Prometheus for "
                       "weeks of it: analyze --prometheus.url=http://HOST:9090" +
                       (dated_line_ == 0 ? std::string()
                                         : "; the dates between its pages (line " + std::to_string(dated_line_) +
                                               ") are not read: write the time behind each sample")};
    if (untimed_ > 0) notes_.skip(0, std::to_string(untimed_) + " samples without a time");
    return {};
  }

  void take(std::string_view line) {
    if (line.empty() || line.front() == '#') return;
    SampleLine sample;
    if (take_of_query(line)) return;
    if (const char* const why = parse_sample_line(line, sample)) {
      notes_.skip(lines_.number(), why);
      return;
    }
    // The same series goes on for thousands of lines.
    if (sample.series != series_ || series_.empty()) {
      series_ = sample.series;
      Labels labels;
      if (sample.series.find('{') == std::string_view::npos && parse_date_line(line).midnight) {
        series_.clear();
        if (dated_line_ == 0)
          notes_.skip(dated_line_ = lines_.number(), "a date among samples, which are to have times of their own");
        return;
      }
      if (const char* const why = parse_series(sample.series, labels)) {
        notes_.skip(lines_.number(), why);
        labels.clear();
        series_.clear();
        return;
      }
      begin(labels, lines_.number());
    }
    const auto value = parse_double(sample.value);
    const auto time = parse_double(sample.time);
    if (sample.time.empty()) {
      ++untimed_;
      store_.lose();
      return;
    }
    add(value, time);
  }

  /// "{...} =>" and below it "1 @[1793952000]"; of a moment, both in one line.
  bool take_of_query(std::string_view line) {
    constexpr std::string_view kArrow = " =>";
    if (begins_query_series(line)) {
      const std::size_t arrow = line.rfind(kArrow);
      Labels labels;
      is_of_query_ = parse_series(trimmed(line.substr(0, arrow)), labels) == nullptr;
      series_.clear();
      begin(labels, lines_.number());
      line = trimmed(line.substr(arrow + kArrow.size()));
      if (line.empty()) return true;
    }
    const std::size_t at = line.find(" @[");
    if (!is_of_query_ || at == std::string_view::npos || !line.ends_with(']')) return false;
    add(parse_double(trimmed(line.substr(0, at))), parse_double(line.substr(at + 3, line.size() - at - 4)));
    return true;
  }

  void add(std::optional<double> value, std::optional<double> time) {
    // A dump and the text format count milliseconds, OpenMetrics seconds.
    const auto millis = time ? unix_millis(*time >= kLeastMillis ? *time / 1000 : *time) : std::nullopt;
    if (!value || !millis) {
      store_.lose();
      notes_.skip(lines_.number(), time && !millis ? "the time behind the series is none at which this was recorded"
                                                   : "no value or no time behind the series");
      return;
    }
    notes_.timed_by(*time >= kLeastMillis ? "Unix milliseconds behind each value" : "Unix seconds behind each value");
    add_sample(*millis, *value, lines_.number());
  }

  LineReader lines_;
  std::string series_, plain_;
  bool is_of_query_ = false;
  std::uint64_t untimed_ = 0, dated_line_ = 0;  // the first line with a date of its own
};

}  // namespace

const char* parse_sample_line(std::string_view line, SampleLine& out) {
  std::size_t end = line.find_first_of("{ \t");
  if (end == std::string_view::npos) return "no sample of a metric";
  if (line[end] == '{') {
    bool in_quotes = false;
    for (++end; end < line.size() && (in_quotes || line[end] != '}'); ++end) {
      if (line[end] == '"') in_quotes = !in_quotes;
      else if (in_quotes && line[end] == '\\') ++end;
    }
    if (end >= line.size()) return "the labels do not end";
    ++end;
  }
  out.series = line.substr(0, end);
  std::string_view rest = trimmed(line.substr(end));
  if (const std::size_t exemplar = rest.find(" #"); exemplar != std::string_view::npos)
    rest = trimmed(rest.substr(0, exemplar));
  const std::size_t gap = std::min(rest.find_first_of(" \t"), rest.size());
  out.value = rest.substr(0, gap);
  out.time = trimmed(rest.substr(gap));
  return out.value.empty() ? "no value behind the series" : nullptr;
}

const char* parse_series(std::string_view text, Labels& labels) {
  const std::size_t brace = std::min(text.find('{'), text.size());
  if (brace > 0) labels.emplace_back("__name__", std::string(trimmed(text.substr(0, brace))));
  if (brace == text.size()) return nullptr;
  std::string_view rest = text.substr(brace + 1, text.size() - brace - 2);
  while (!(rest = trimmed(rest)).empty()) {
    const std::size_t equals = rest.find('=');
    if (labels.size() == kMaxLabels) return "too many labels";
    if (equals == std::string_view::npos) return "a label has no value";
    std::string_view name = trimmed(rest.substr(0, equals));
    if (name.size() > 1 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    rest = trimmed(rest.substr(equals + 1));
    if (rest.empty() || rest.front() != '"') return "a label's value is not in quotes";
    std::string value;
    std::size_t at = 1;
    for (; at < rest.size() && rest[at] != '"'; ++at) {
      if (rest[at] == '\\' && at + 1 < rest.size()) {
        ++at;
        value.push_back(rest[at] == 'n' ? '\n' : rest[at] == 't' ? '\t' : rest[at]);
      } else {
        value.push_back(rest[at]);
      }
    }
    if (at >= rest.size()) return "a label's value does not end";
    labels.emplace_back(std::string(name), std::move(value));
    rest = trimmed(rest.substr(at + 1));
    if (!rest.empty() && rest.front() == ',') rest.remove_prefix(1);
  }
  return nullptr;
}

namespace {

/// Of a metric that is known, or with labels.
bool is_series(std::string_view series) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_:0123456789";
  const std::string_view before = trimmed(series.substr(0, series.find('{')));
  if (!before.empty() && (is_digit(before.front()) || before.find_first_not_of(kLetters) != std::string_view::npos))
    return false;
  Labels labels;
  if (parse_series(series, labels) != nullptr || labels.empty() || labels[0].first != "__name__") return false;
  return find_meaning(labels[0].second) != nullptr || labels.size() > 1;
}

}  // namespace

bool begins_query_series(std::string_view line) {
  const std::size_t arrow = line.rfind(" =>");
  return arrow != std::string_view::npos && is_series(trimmed(line.substr(0, arrow)));
}

bool is_sample_line(std::string_view line) {
  SampleLine sample;
  if (parse_sample_line(line, sample) != nullptr || !parse_double(sample.value)) return false;
  return is_series(sample.series);
}

Reader make_prometheus_json(std::unique_ptr<base::File> file, FileNotes notes) {
  return std::unique_ptr<SnapshotReader>(std::make_unique<PrometheusJson>(std::move(file), std::move(notes)));
}

Reader make_prometheus_lines(LineReader lines, FileNotes notes) {
  return std::unique_ptr<SnapshotReader>(std::make_unique<PrometheusLines>(std::move(lines), std::move(notes)));
}

}  // namespace kmem::history
