// Prometheus' own words -> history: the JSON of its HTTP API (matrix or vector; the whole answer, or what jq or promtool
// left of it, also several behind one another), and sample lines: `promtool tsdb dump`, OpenMetrics with times. Series
// come one by one, so all of a file is read before its first snapshot; series_store.h bounds the memory.
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>

#include "collectors/base/time_words.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/json_scan.h"
#include "collectors/history/prometheus_text.h"
#include "collectors/history/series_store.h"
#include "collectors/history/snapshot_reader.h"

namespace kmem::history {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::UnixMillis;
using Token = JsonScan::Token;

constexpr std::size_t kMaxLabels = 64;

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

  FileNotes notes_;
  SeriesStore store_;
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
      notes_.skip(0, std::to_string(store_.no_amounts()) + " samples are below 0 or infinite, which no amount of memory is");
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
    if (named)
      for (const SeriesStore::Point& point : early) store_.add(point.time, point.value);
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

  Result<void> read_points(bool named, std::vector<SeriesStore::Point>& early) {
    for (;;) {
      const auto token = take();
      if (!token) return token.error();
      if (is_broken_ || *token == Token::kArrayEnd) return {};
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
      if (i == 0 && number) time = unix_millis(*number);
      if (i == 1) value = number;
      if (auto read = walk(*token); !read) return read;
    }
    if (!time || !value) {
      if (named) store_.lose();
      notes_.skip(scan_.line(), kNoSample);
      return {};
    }
    if (named) store_.add(*time, *value);
    else if (early.size() < SeriesStore::kMaxPoints / 4) early.push_back({*time, *value});
    return {};
  }

  static constexpr const char* kNoSample = "a sample that is no pair of time and value";
  JsonScan scan_;
  std::string answer_error_;
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
      else take(trimmed(lines_.line()));
    }
    if (untimed_ > 0 && store_.points() == 0)
      return Error{ErrorCode::kMalformed, notes_.path() +
                                              ": looks like a metrics page without times: it is one moment. Ask Prometheus for "
                                              "weeks of it: analyze --prometheus.url=http://HOST:9090"};
    if (untimed_ > 0) notes_.skip(0, std::to_string(untimed_) + " samples without a time");
    return {};
  }

  void take(std::string_view line) {
    if (line.empty() || line.front() == '#') return;
    SampleLine sample;
    if (const char* const why = parse_sample_line(line, sample)) {
      notes_.skip(lines_.number(), why);
      return;
    }
    // The same series goes on for thousands of lines.
    if (sample.series != series_ || series_.empty()) {
      series_ = sample.series;
      Labels labels;
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
    // A dump and the text format count milliseconds, OpenMetrics seconds.
    constexpr double kLeastMillis = 2.5e11;
    const auto millis = time ? unix_millis(*time >= kLeastMillis ? *time / 1000 : *time) : std::nullopt;
    if (!value || !millis) {
      store_.lose();
      notes_.skip(lines_.number(), time && !millis ? "the time behind the series is none at which this was recorded"
                                                   : "no value or no time behind the series");
      return;
    }
    notes_.timed_by(*time >= kLeastMillis ? "Unix milliseconds behind each value" : "Unix seconds behind each value");
    store_.add(*millis, *value);
  }

  LineReader lines_;
  std::string series_;
  std::uint64_t untimed_ = 0;
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

bool is_sample_line(std::string_view line) {
  SampleLine sample;
  Labels labels;
  if (parse_sample_line(line, sample) != nullptr || !parse_double(sample.value)) return false;
  if (parse_series(sample.series, labels) != nullptr || labels.empty() || labels[0].first != "__name__") return false;
  const std::string& name = labels[0].second;
  return find_meaning(name) != nullptr ||
         (line.find('{') != std::string_view::npos && line.find('=') != std::string_view::npos);
}

Reader make_prometheus_json(std::unique_ptr<base::File> file, FileNotes notes) {
  return std::unique_ptr<SnapshotReader>(std::make_unique<PrometheusJson>(std::move(file), std::move(notes)));
}

Reader make_prometheus_lines(LineReader lines, FileNotes notes) {
  return std::unique_ptr<SnapshotReader>(std::make_unique<PrometheusLines>(std::move(lines), std::move(notes)));
}

}  // namespace kmem::history
