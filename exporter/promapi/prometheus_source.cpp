#include "exporter/promapi/prometheus_source.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <deque>
#include <map>
#include <span>
#include <utility>

#include "collectors/base/clock.h"
#include "collectors/history/json_scan.h"
#include "collectors/history/metric_meaning.h"
#include "collectors/history/notes.h"
#include "collectors/history/series_store.h"

namespace kmem::promapi {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::UnixMillis;
using history::JsonScan;
using history::Labels;
using history::MetricMeaning;
using history::SeriesStore;
using Token = JsonScan::Token;

constexpr std::int64_t kStepSeconds = base::kHourMillis / base::kSecondMillis;
constexpr std::int64_t kMostSteps = 10'000;
// As if all were scraped every 15 s: less than half of what Prometheus lets a query load.
constexpr std::int64_t kMostSamples = 20'000'000;
constexpr std::int64_t kScrapeSeconds = 15;
constexpr std::size_t kMostNames = 10'000;
constexpr std::size_t kMostHosts = 1000;
constexpr std::size_t kMostSeries = 100'000;
constexpr std::size_t kMostPerQuery = 500;  // series, so that an answer stays small

std::string encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    if (plain) out.push_back(c);
    else out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

// In PromQL's quotes.
std::string in_promql(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n') out += "\\n";
    else if (c == '"' || c == '\\') out.append({'\\', c});
    else out.push_back(c);
  }
  return out + "\"";
}

class TextFile final : public base::File {
 public:
  explicit TextFile(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t length = std::min(into.size(), text_.size() - at_);
    std::memcpy(into.data(), text_.data() + at_, length);
    at_ += length;
    return length;
  }
  Result<void> append(std::string_view) override { return refuse(); }
  Result<void> truncate(std::uint64_t) override { return refuse(); }
  Result<void> sync() override { return {}; }

 private:
  static Result<void> refuse() { return Error{ErrorCode::kInvalid, "an answer is only read"}; }
  std::string text_;
  std::size_t at_ = 0;
};

/// An answer of the API, token by token.
class Answer {
 public:
  explicit Answer(std::string body) : scan_(std::make_unique<TextFile>(std::move(body))) {}

  Token take() {
    const auto token = scan_.next();
    if (!token || *token == Token::kBroken || *token == Token::kEnd) {
      ended_ = true;
      return Token::kEnd;
    }
    return *token;
  }
  [[nodiscard]] std::string_view text() const { return scan_.text(); }
  [[nodiscard]] bool ended() const { return ended_; }

  /// Every value to its end; `visit` gets strings and objects' labels.
  void skip(Token token) {
    if (token != Token::kObject && token != Token::kArray) return;
    for (std::size_t depth = 1; depth > 0 && !ended_;) {
      const Token next = take();
      if (next == Token::kObject || next == Token::kArray) ++depth;
      if (next == Token::kObjectEnd || next == Token::kArrayEnd) --depth;
    }
  }

  Labels labels() {
    Labels labels;
    while (!ended_) {
      if (take() != Token::kKey) break;
      std::string name(text());
      const Token value = take();
      if (value == Token::kText) labels.emplace_back(std::move(name), std::string(text()));
      else skip(value);
    }
    return labels;
  }

  /// Goes to what stands behind a key of the outermost object; false when it is not there.
  bool find(std::string_view key, Token wanted) {
    while (!ended_) {
      if (take() != Token::kKey) return false;
      const bool is_it = text() == key;
      const Token value = take();
      if (is_it) return value == wanted;
      skip(value);
    }
    return false;
  }

 private:
  JsonScan scan_;
  bool ended_ = false;
};

std::string error_of(const std::string& body) {
  Answer answer(body);
  if (answer.take() == Token::kObject && answer.find("error", Token::kText)) return std::string(answer.text().substr(0, 300));
  return {};
}

struct Host {
  std::string label;  // empty: its series name none
  std::string name;
};

class PrometheusSource final : public history::HistorySource {
 public:
  PrometheusSource(HttpGetter& http, Question question)
      : http_(http), question_(std::move(question)), reading_(&notes_.begin(question_.url)) {
    reading_->format = "Prometheus' HTTP API";
    reading_->rules = {"floors of every hour, at its end"};
    const std::int64_t now_seconds = question_.now / 1000;
    end_hour_ = now_seconds / kStepSeconds;
    const std::int64_t hours = std::max<std::int64_t>(question_.range.count() / 1000 / kStepSeconds, 1);
    first_hour_ = std::max<std::int64_t>(end_hour_ - hours, 0);
  }

  Result<void> open() {
    if (auto found = find_names(); !found) return found;
    if (auto found = find_hosts(); !found) return found;
    if (!advance()) {
      const std::string why = notes_.skipped().empty() ? "no samples in that time" : notes_.skipped().front().reason;
      return Error{ErrorCode::kInvalid, question_.url + ": " + why};
    }
    return {};
  }

  Result<void> read(Snapshot& out) override {
    out = current_;
    return {};
  }

  bool advance() override {
    for (;;) {
      if (store_ && store_->next(current_)) {
        host_ = store_->host();
        if (reading_->snapshots++ == 0) reading_->first = current_.time;
        reading_->first = std::min(reading_->first, current_.time);
        reading_->last = std::max(reading_->last, current_.time);
        reading_->rows += current_.tags.size() + current_.processes.size() + current_.pools.size();
        return true;
      }
      if (!next_window()) return false;
    }
  }

  [[nodiscard]] const std::string& host() const override { return host_; }
  [[nodiscard]] std::uint64_t group() const override { return next_host_; }
  [[nodiscard]] const std::vector<history::Skipped>& skipped() const override { return notes_.skipped(); }
  [[nodiscard]] std::uint64_t skipped_count() const override { return notes_.skipped_count(); }
  [[nodiscard]] const std::vector<std::string>& warnings() const override { return notes_.warnings(); }
  [[nodiscard]] const std::deque<history::FileReading>& readings() const override { return notes_.readings(); }
  [[nodiscard]] history::Progress progress() const override { return {next_host_, hosts_.size()}; }

 private:
  struct Metric {
    std::string name;
    const MetricMeaning* meaning = nullptr;
    std::vector<Labels> series;
  };

  Result<std::string> ask(const std::string& path) {
    auto answer = http_.get(path);
    if (!answer) return Error{ErrorCode::kInvalid, answer.error().message};
    if (answer->status == 200) return std::move(answer->body);
    std::string why = error_of(answer->body);
    if (answer->status == 401 || answer->status == 403)
      why = "it wants another user or password; --prometheus.config names a file with them";
    if (why.empty()) why = "that is no Prometheus, or its API is elsewhere";
    return Error{
        answer->status == 422 || answer->status >= 500 || answer->status == 400 ? ErrorCode::kUnsupported : ErrorCode::kInvalid,
        question_.url + " answered " + std::to_string(answer->status) + ": " + why};
  }

  [[nodiscard]] std::string times() const {
    return "&start=" + std::to_string(first_hour_ * kStepSeconds) + "&end=" + std::to_string(question_.now / 1000 + 1);
  }

  [[nodiscard]] std::string matchers(const Host* host) const { return matchers(host, question_.host); }
  [[nodiscard]] std::string matchers(const Host* host, const std::string& instance) const {
    std::string out;
    const auto add = [&](const std::string& label, const char* operation, const std::string& value) {
      out.append(out.empty() ? "" : ",").append(label).append(operation).append(in_promql(value));
    };
    for (const Selector& selector : question_.selectors) add(selector.label, selector.is_pattern ? "=~" : "=", selector.value);
    if (!instance.empty()) add("instance", "=", instance);
    if (host != nullptr && !host->label.empty() && (instance.empty() || host->label != "instance"))
      add(host->label, "=", host->name);
    return out;
  }

  static std::string with_any_name(const std::string& labels) {
    return "{__name__=~\"(kmem|windows|wmi|node)_.+\"" + (labels.empty() ? "" : "," + labels) + "}";
  }

  /// The first instances that have such series.
  std::string hosts_there() {
    constexpr std::size_t kMostShown = 10;
    auto body = ask("/api/v1/label/instance/values?match[]=" + encoded(with_any_name(matchers(nullptr, {}))) + times());
    if (!body) return {};
    Answer answer(std::move(*body));
    std::string names;
    if (answer.take() != Token::kObject || !answer.find("data", Token::kArray)) return {};
    for (std::size_t shown = 0; answer.take() == Token::kText; ++shown) {
      if (shown == kMostShown) return names + " and more";
      names.append(names.empty() ? "" : ", ").append(history::in_quotes(answer.text()));
    }
    return names;
  }

  static constexpr std::size_t kMostExplained = 20;

  /// What is asked for, as --explain shows it.
  void explain_question() {
    if (const std::string labels = matchers(nullptr); !labels.empty()) reading_->rules.push_back("labels " + labels);
    std::string names = "metrics";
    for (std::size_t i = 0; i < std::min(names_.size(), kMostExplained); ++i)
      names.append(i == 0 ? " " : ", ").append(names_[i]);
    if (names_.size() > kMostExplained) names += " and " + std::to_string(names_.size() - kMostExplained) + " more";
    reading_->rules.push_back(std::move(names));
  }

  void explain_host(const Host& host, std::size_t series) {
    if (next_host_ > kMostExplained) return;
    std::map<std::string, bool> jobs;
    for (const Metric& metric : metrics_)
      for (const Labels& labels : metric.series)
        for (const auto& [label, value] : labels)
          if (label == "job") jobs[value] = true;
    std::string words = "host " + history::in_quotes(host.name) + ": " + std::to_string(series) + " series of " +
                        std::to_string(metrics_.size()) + " metrics";
    const char* between = jobs.size() == 1 ? ", job " : ", jobs ";
    for (const auto& [job, unused] : jobs) words += std::exchange(between, ", ") + history::in_quotes(job);
    reading_->rules.push_back(std::move(words));
  }

  Result<void> find_names() {
    const std::string own = with_any_name(matchers(nullptr));
    auto body = ask("/api/v1/label/__name__/values?match[]=" + encoded(own) + times());
    if (!body) return body.error();
    Answer answer(std::move(*body));
    if (answer.take() != Token::kObject || !answer.find("data", Token::kArray))
      return Error{ErrorCode::kInvalid, question_.url + ": that is no answer of Prometheus"};
    while (answer.take() == Token::kText && names_.size() < kMostNames)
      if (history::find_meaning(answer.text()) != nullptr) names_.emplace_back(answer.text());
    if (names_.empty() && !question_.host.empty()) {
      const std::string there = hosts_there();
      return Error{ErrorCode::kInvalid,
                   question_.url + ": no series of kernel memory of host " + history::in_quotes(question_.host) +
                       (question_.selectors.empty() ? "" : " with these labels") +
                       (there.empty() ? ", nor of any other" : ", as its label instance has it; there are " + there)};
    }
    explain_question();
    if (names_.empty())
      return Error{ErrorCode::kInvalid, question_.url + ": no series of kernel memory" +
                                            (question_.selectors.empty() ? "" : " with these labels") +
                                            ": neither kmem_*, windows_memory_* nor node_memory_*, node_slabinfo_*"};
    return {};
  }

  // By the metrics that a host has once; by all others only where there are none of these.
  Result<void> find_hosts() {
    std::map<std::pair<std::string, std::string>, bool> hosts;
    for (const bool of_many : {false, true}) {
      for (const std::string& name : names_) {
        if ((history::find_meaning(name)->subject_label.empty()) == of_many) continue;
        const std::string labels = matchers(nullptr);
        auto found = series_of(name + (labels.empty() ? "" : "{" + labels + "}"));
        if (!found) return found.error();
        for (const Labels& one : *found) {
          const std::string_view value = history::host_label(one);
          const auto label = std::find_if(
              one.begin(), one.end(), [&](const auto& pair) { return !value.empty() && pair.second.data() == value.data(); });
          hosts[{label == one.end() ? "" : label->first, std::string(value)}] = true;
        }
      }
      if (!hosts.empty()) break;
    }
    for (const auto& [host, unused] : hosts) {
      if (hosts_.size() == kMostHosts) {
        notes_.warn(question_.url, "more than " + std::to_string(kMostHosts) + " hosts; --label takes some of them");
        break;
      }
      hosts_.push_back({host.first, host.second});
    }
    return {};
  }

  Result<std::vector<Labels>> series_of(const std::string& selector) {
    auto body = ask("/api/v1/series?match[]=" + encoded(selector) + times());
    if (!body) return body.error();
    Answer answer(std::move(*body));
    std::vector<Labels> series;
    if (answer.take() == Token::kObject && answer.find("data", Token::kArray))
      while (answer.take() == Token::kObject && series.size() < kMostSeries) series.push_back(answer.labels());
    return series;
  }

  // The next window of the host, or the first of the next host.
  bool next_window() {
    while (window_hour_ > end_hour_ || metrics_.empty()) {
      if (next_host_ == hosts_.size()) return false;
      const Host& host = hosts_[next_host_++];
      metrics_.clear();
      window_hour_ = first_hour_;
      if (auto begun = begin_host(host); !begun)
        notes_.skip(question_.url, 0, "host " + history::in_quotes(host.name) + ": " + begun.error().message);
    }
    const std::int64_t last = std::min(end_hour_, window_hour_ + window_hours_ - 1);
    store_.emplace(question_.window_points * 2, true);
    const Host& host = hosts_[next_host_ - 1];
    for (const Metric& metric : metrics_)
      for (const Labels& labels : metric.series) (void)store_->begin(labels);
    for (const Metric& metric : metrics_)
      if (auto asked = ask_metric(host, metric, window_hour_, last); !asked)
        notes_.skip(question_.url, 0,
                    "host " + history::in_quotes(host.name) + ", " + metric.name + ": " + asked.error().message);
    store_->finish();
    for (const std::string& instance : store_->of_several_jobs())
      if (std::exchange(doubted_, instance) != instance)
        notes_.warn(question_.url,
                    "the jobs of " + history::in_quotes(instance) +
                        " have different values of the same, and the first one's are used; name one with --label job=NAME");
    window_hour_ = last + 1;
    return true;
  }

  Result<void> begin_host(const Host& host) {
    std::string pattern;
    for (const std::string& name : names_) pattern.append(pattern.empty() ? "" : "|").append(name);
    const std::string labels = matchers(&host);
    auto found = series_of("{__name__=~" + in_promql(pattern) + (labels.empty() ? "" : "," + labels) + "}");
    if (!found) return found.error();
    std::map<std::string, Metric> metrics;
    for (Labels& series : *found) {
      const auto name = std::find_if(series.begin(), series.end(), [](const auto& one) { return one.first == "__name__"; });
      if (name == series.end()) continue;
      Metric& metric = metrics[name->second];
      metric.name = name->second;
      metric.meaning = history::find_meaning(metric.name);
      metric.series.push_back(std::move(series));
    }
    std::size_t count = 0;
    for (auto& [name, metric] : metrics) {
      count += metric.series.size();
      if (metric.meaning != nullptr) metrics_.push_back(std::move(metric));
    }
    explain_host(host, count);
    const auto points = static_cast<std::int64_t>(question_.window_points / std::max<std::size_t>(count, 1));
    window_hours_ = std::clamp<std::int64_t>(points, 24, kMostSteps);
    return {};
  }

  // In pieces of time that no server refuses.
  Result<void> ask_metric(const Host& host, const Metric& metric, std::int64_t first, std::int64_t last) {
    const auto count = static_cast<std::int64_t>(metric.series.size());
    const std::int64_t by_samples = kMostSamples / (count * (kStepSeconds / kScrapeSeconds));
    const std::int64_t by_size = static_cast<std::int64_t>(kMostPerQuery) * 1344 / count;
    const std::int64_t hours = std::clamp<std::int64_t>(std::min(by_samples, by_size), 24, kMostSteps);
    for (std::int64_t at = first; at <= last; at += hours)
      if (auto asked = ask_hours(host, metric, at, std::min(last, at + hours - 1)); !asked) return asked;
    return {};
  }

  Result<void> ask_hours(const Host& host, const Metric& metric, std::int64_t first, std::int64_t last) {
    const std::string labels = matchers(&host);
    const std::string query = std::string(metric.meaning->highest ? "max" : "min") + "_over_time(" + metric.name +
                              (labels.empty() ? "" : "{" + labels + "}") + "[1h])";
    // An hour's floor is asked for at its last second.
    const auto at = [](std::int64_t hour) { return std::to_string(hour * kStepSeconds + kStepSeconds - 1); };
    auto body = ask("/api/v1/query_range?query=" + encoded(query) + "&start=" + at(first) + "&end=" + at(last) +
                    "&step=" + std::to_string(kStepSeconds));
    if (!body) {
      constexpr std::int64_t kLeastHours = 24;
      if (body.error().code != ErrorCode::kUnsupported || last - first < kLeastHours) return body.error();
      const std::int64_t middle = first + (last - first) / 2;
      if (auto half = ask_hours(host, metric, first, middle); !half) return half;
      return ask_hours(host, metric, middle + 1, last);
    }
    Answer answer(std::move(*body));
    if (answer.take() != Token::kObject || !answer.find("data", Token::kObject) || !answer.find("result", Token::kArray))
      return Error{ErrorCode::kInvalid, "no answer of Prometheus"};
    while (answer.take() == Token::kObject) take_series(answer, metric.name);
    if (answer.ended()) return Error{ErrorCode::kInvalid, "the answer broke off"};
    return {};
  }

  void take_series(Answer& answer, const std::string& name) {
    while (!answer.ended() && answer.take() == Token::kKey) {
      const bool is_metric = answer.text() == "metric";
      const bool is_values = answer.text() == "values";
      const Token value = answer.take();
      if (is_metric && value == Token::kObject) {
        Labels labels = answer.labels();
        labels.emplace_back("__name__", name);
        (void)store_->begin(labels);
      } else if (is_values && value == Token::kArray) {
        while (!answer.ended() && answer.take() == Token::kArray) take_point(answer);
      } else {
        answer.skip(value);
      }
    }
  }

  void take_point(Answer& answer) {
    double parts[2] = {-1, -1};
    for (double& part : parts) {
      (void)answer.take();
      const std::string_view text = answer.text();
      if (std::from_chars(text.data(), text.data() + text.size(), part).ec != std::errc{}) part = -1;
    }
    (void)answer.take();
    if (parts[0] < 0 || parts[0] > 2.5e11) return;
    store_->add(std::min<UnixMillis>(std::llround(parts[0] * 1000), question_.now), parts[1]);
  }

  HttpGetter& http_;
  Question question_;
  history::Notes notes_;
  history::FileReading* reading_;
  std::int64_t first_hour_ = 0, end_hour_ = 0;
  std::vector<std::string> names_;
  std::vector<Host> hosts_;
  std::size_t next_host_ = 0;
  std::vector<Metric> metrics_;  // of the host
  std::int64_t window_hour_ = 0, window_hours_ = 0;
  std::optional<SeriesStore> store_;
  std::string doubted_;  // the host whose jobs were told of last
  Snapshot current_;
  std::string host_;
};

}  // namespace

Result<std::unique_ptr<history::HistorySource>> ask_prometheus(HttpGetter& http, Question question) {
  auto source = std::make_unique<PrometheusSource>(http, std::move(question));
  if (auto opened = source->open(); !opened) return opened.error();
  return std::unique_ptr<history::HistorySource>(std::move(source));
}

}  // namespace kmem::promapi
