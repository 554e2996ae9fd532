#include "exporter/encode/encode.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "exporter/encode/writer.h"

namespace kmem::encode {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr std::array<std::string_view, 3> kUnits = {"bytes_per_second", "bytes", "seconds"};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// [a-zA-Z_][a-zA-Z0-9_]*, with colons if allowed; "__" is Prometheus' own.
bool is_legal_name(std::string_view name, bool colons) {
  if (name.empty() || name.starts_with("__") || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [colons](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (colons && c == ':');
  });
}

/// Prometheus refuses a whole page for one label that comes twice in a series.
bool legal_labels(const Labels& labels, std::string_view reserved) {
  for (auto label = labels.begin(); label != labels.end(); ++label) {
    if (!is_legal_name(label->name, false) || label->name == reserved) return false;
    if (std::any_of(labels.begin(), label, [&](const auto& before) { return before.name == label->name; })) return false;
  }
  return true;
}

/// A value of a label into the hash of a series. What was just written to the page would be read back slowly.
std::uint64_t mix(std::uint64_t hash, std::string_view value) {
  constexpr std::uint64_t kOdd = 0xFF51'AFD7'ED55'8CCDULL;
  std::uint64_t word = 0;
  const auto take = [&] {
    hash = (hash ^ word) * kOdd;
    hash ^= hash >> 32;
  };
  hash ^= static_cast<std::uint64_t>(value.size()) << 56;
  for (; value.size() > 8; value.remove_prefix(8)) {
    std::memcpy(&word, value.data(), 8);
    take();
  }
  word = 0;
  std::memcpy(&word, value.data(), value.size());
  take();
  return hash;
}

/// The head of the line before, so that what a series shares with it (the name, the pool) is copied in one piece and
/// its label names need no second check. This is half of the encoder's speed.
struct LineBefore {
  static constexpr std::size_t kMaxLabels = 5;
  const Labels* labels = nullptr;
  std::size_t start = 0;
  std::array<std::size_t, kMaxLabels> value_offsets{};  // from start; 0 = not kept
  std::array<std::uint64_t, kMaxLabels> hashes{};       // of the values up to and with this one

  [[nodiscard]] bool has_same_names(const Labels& other) const {
    return labels != nullptr && std::equal(labels->begin(), labels->end(), other.begin(), other.end(),
                                           [](const auto& a, const auto& b) { return a.name == b.name; });
  }
  /// Index of the first label whose value differs, or of the last.
  [[nodiscard]] std::size_t first_change(const Labels& other) const {
    std::size_t index = 0;
    while (index + 1 < other.size() && (*labels)[index].value == other[index].value) ++index;
    return index;
  }
};

/// The series of one family, by the text of their labels on the page: one that comes twice makes Prometheus refuse all.
class SeenSeries {
 public:
  void begin(std::size_t series) {
    std::size_t size = 16;
    while (size < 2 * series) size *= 2;
    if (size > entries_.size()) entries_.resize(size);
    mask_ = size - 1;
    std::fill_n(entries_.begin(), size, Entry{});
  }
  /// Whether it was not there yet. `mixed`: see mix().
  bool add(const Writer& page, std::size_t from, std::size_t end, std::uint64_t mixed) {
    const std::string_view text = page.piece(from, end);
    const auto print = static_cast<std::uint32_t>(mixed >> 32) | 1U;
    for (std::size_t at = static_cast<std::size_t>(mixed) & mask_;; at = (at + 1) & mask_) {
      Entry& entry = entries_[at];
      if (entry.print == 0) {
        entry = {print, from, end};
        return true;
      }
      if (entry.print == print && page.piece(entry.from, entry.end) == text) return false;
    }
  }

 private:
  struct Entry {
    std::uint32_t print = 0;  // 0 = free
    std::size_t from = 0, end = 0;
  };
  std::vector<Entry> entries_;
  std::size_t mask_ = 0;
};

class FamilyEncoder {
 public:
  FamilyEncoder(Writer& out, SeenSeries& seen, Format format, const MetricFamily& family)
      : out_(out), seen_(seen), openmetrics_(format == Format::kOpenMetrics100), family_(family), base_(family.name),
        sample_(family.name) {}

  /// Into `kept`, if it is given and the family is one whose lines differ in nothing but a number.
  std::size_t encode(PageEncoder::Kept* kept = nullptr) {
    if (kept != nullptr) forget(*kept);
    if (!is_legal_name(family_.name, true)) return 1;
    if (family_.metric.empty()) return 0;
    const std::string_view type = openmetrics_ ? openmetrics_type() : text_type();
    const std::size_t family_start = out_.used();
    metadata(type);
    const std::string_view reserved = family_.type == MetricType::Histogram ? "le"
                                      : family_.type == MetricType::Summary ? "quantile"
                                                                            : "";
    std::size_t left_out = 0;
    const bool one_line = family_.type != MetricType::Histogram && family_.type != MetricType::Summary;
    const bool several = family_.metric.size() > 1;
    const bool keeps = kept != nullptr && one_line && std::none_of(family_.metric.begin(), family_.metric.end(), has_time);
    const auto keep = [&](std::size_t from, std::size_t end) {
      if (!keeps) return;
      kept->text.append(out_.piece(from, end));
      kept->ends.push_back(static_cast<std::uint32_t>(kept->text.size()));
    };
    keep(family_start, out_.used());
    if (several && one_line) seen_.begin(family_.metric.size());
    for (const ClientMetric& metric : family_.metric) {
      if (several && !one_line && is_repeated(metric)) {
        ++left_out;
        continue;
      }
      if (!before_.has_same_names(metric.label)) {
        if (!legal_labels(metric.label, reserved)) {
          ++left_out;
          keep(0, 0);
          continue;
        }
        before_ = {};
      }
      const std::size_t start = out_.used();
      samples(metric);
      // With times of their own, the samples of one series are a history.
      if (several && one_line && metric.timestamp_ms == 0 && !seen_.add(out_, start, labels_end_, hash_)) {
        out_.cut(start);
        before_ = {};
        ++left_out;
        keep(0, 0);
        continue;
      }
      keep(start, head_end_);
      before_.labels = &metric.label;
    }
    if (keeps) {
      kept->left_out = left_out;
      kept->all_one = all_one();
    }
    return left_out;
  }

  /// By what was kept when it was encoded with the same stamp; false when that does not suffice.
  bool encode_kept(const PageEncoder::Kept& kept) {
    const auto& metrics = family_.metric;
    if (kept.ends.size() != metrics.size() + 1) return false;
    if (openmetrics_ && family_.name.ends_with("_info") && kept.all_one != all_one()) return false;
    if (std::any_of(metrics.begin(), metrics.end(), has_time)) return false;
    switch (family_.type) {
      case MetricType::Counter: lines(kept, [](const ClientMetric& metric) { return metric.counter.value; }); break;
      case MetricType::Gauge: lines(kept, [](const ClientMetric& metric) { return metric.gauge.value; }); break;
      case MetricType::Untyped: lines(kept, [](const ClientMetric& metric) { return metric.untyped.value; }); break;
      default: return false;
    }
    return true;
  }

 private:
  static void forget(PageEncoder::Kept& kept) {
    kept.text.clear();
    kept.ends.clear();
    kept.left_out = 0;
  }
  static bool has_time(const ClientMetric& metric) { return metric.timestamp_ms != 0; }
  [[nodiscard]] bool all_one() const {
    return std::all_of(family_.metric.begin(), family_.metric.end(),
                       [](const ClientMetric& metric) { return metric.gauge.value == 1; });
  }

  template <typename Value>
  void lines(const PageEncoder::Kept& kept, Value value) {
    const std::string_view text = kept.text;
    std::size_t from = kept.ends.front();
    out_.text(text.substr(0, from));
    for (std::size_t i = 0; i < family_.metric.size(); ++i) {
      const std::size_t end = kept.ends[i + 1];
      if (end != from) out_.line(text.data() + from, end - from, value(family_.metric[i]));
      from = end;
    }
  }

  [[nodiscard]] bool is_repeated(const ClientMetric& metric) const {
    for (const ClientMetric& each : family_.metric) {
      if (&each == &metric) return false;
      if (each.label == metric.label && each.timestamp_ms == metric.timestamp_ms) return true;
    }
    return false;
  }

  [[nodiscard]] std::string_view text_type() const {
    switch (family_.type) {
      case MetricType::Counter: return "counter";
      case MetricType::Gauge: return "gauge";
      case MetricType::Summary: return "summary";
      case MetricType::Histogram: return "histogram";
      case MetricType::Untyped: break;
    }
    return "untyped";
  }

  /// Also settles base_, the family's name without the suffix that its samples bear.
  std::string_view openmetrics_type() {
    const auto strip = [this](std::string_view suffix) {
      if (base_.size() <= suffix.size() || !base_.ends_with(suffix)) return false;
      base_.remove_suffix(suffix.size());
      return true;
    };
    if (family_.type == MetricType::Counter) {
      if (!strip("_total")) sample_suffix_ = "_total";
      return "counter";
    }
    if (family_.type == MetricType::Gauge && all_one() && strip("_info")) return "info";
    return family_.type == MetricType::Untyped ? "unknown" : text_type();
  }

  void metadata(std::string_view type) {
    if (!family_.help.empty()) {
      metadata_head("HELP");
      out_.escaped(family_.help, openmetrics_);
      out_.text('\n');
    }
    metadata_head("TYPE");
    out_.text(type);
    out_.text('\n');
    if (!openmetrics_ || type == "info") return;
    for (const std::string_view unit : kUnits) {
      if (base_.size() <= unit.size() || !base_.ends_with(unit)) continue;
      if (base_[base_.size() - unit.size() - 1] != '_') continue;
      metadata_head("UNIT");
      out_.text(unit);
      out_.text('\n');
      return;
    }
  }
  void metadata_head(std::string_view keyword) {
    out_.text("# ");
    out_.text(keyword);
    out_.text(' ');
    out_.text(base_);
    out_.text(' ');
  }

  void samples(const ClientMetric& metric) {
    switch (family_.type) {
      case MetricType::Counter: return sample(metric, metric.counter.value);
      case MetricType::Gauge: return sample(metric, metric.gauge.value);
      case MetricType::Untyped: return sample(metric, metric.untyped.value);
      case MetricType::Summary: return summary(metric);
      case MetricType::Histogram: return histogram(metric);
    }
  }

  void sample(const ClientMetric& metric, double value) {
    head(metric.label);
    out_.number(value);
    tail(metric);
  }

  void summary(const ClientMetric& metric) {
    for (const auto& quantile : metric.summary.quantile) {
      part_head(metric.label, "", "quantile", quantile.quantile);
      out_.number(quantile.value);
      tail(metric);
    }
    sum_and_count(metric, metric.summary.sample_sum, metric.summary.sample_count);
  }

  void histogram(const ClientMetric& metric) {
    const auto& buckets = metric.histogram.bucket;
    const auto bucket = [&](double bound, std::uint64_t observations) {
      part_head(metric.label, "_bucket", "le", bound);
      out_.integer(observations);
      tail(metric);
    };
    for (const auto& row : buckets) bucket(row.upper_bound, row.cumulative_count);
    if (buckets.empty() || buckets.back().upper_bound != kInfinity) bucket(kInfinity, metric.histogram.sample_count);
    sum_and_count(metric, metric.histogram.sample_sum, metric.histogram.sample_count);
  }

  void sum_and_count(const ClientMetric& metric, double sum, std::uint64_t observations) {
    part_head(metric.label, "_sum");
    out_.number(sum);
    tail(metric);
    part_head(metric.label, "_count");
    out_.integer(observations);
    tail(metric);
  }

  /// Name and labels of a series that is one line.
  void head(const Labels& labels) {
    const std::size_t start = out_.used();
    const bool shares = before_.labels != nullptr && before_.value_offsets[0] != 0;
    std::size_t index = 0;
    hash_ = 0;
    if (shares) {
      index = before_.first_change(labels);
      if (index > 0) hash_ = before_.hashes[index - 1];
      out_.repeat(before_.start, before_.value_offsets[index]);
    } else {
      out_.text(sample_);
      out_.text(sample_suffix_);
    }
    const bool keep = labels.size() <= LineBefore::kMaxLabels;
    for (std::size_t i = index; i < labels.size(); ++i) {
      if (!shares || i > index) {
        label_name(labels[i].name, i == 0 ? '{' : ',');
        if (keep) before_.value_offsets[i] = out_.used() - start;
      }
      out_.escaped(labels[i].value, true);
      out_.text('"');
      hash_ = mix(hash_, labels[i].value);
      if (keep) before_.hashes[i] = hash_;
    }
    before_.start = start;
    labels_end_ = out_.used();
    out_.text(labels.empty() ? " " : "} ");
    head_end_ = out_.used();
  }

  /// Name and labels of one line of a histogram or summary.
  void part_head(const Labels& labels, std::string_view suffix, std::string_view bound_name = "", double bound = 0) {
    out_.text(sample_);
    out_.text(suffix);
    char before = '{';
    for (const ClientMetric::Label& label : labels) {
      label_name(label.name, before);
      out_.escaped(label.value, true);
      out_.text('"');
      before = ',';
    }
    if (!bound_name.empty()) {
      label_name(bound_name, before);
      out_.number(bound);
      if (openmetrics_ && Writer::is_whole(bound)) out_.text(".0");  // OpenMetrics' canonical numbers
      out_.text('"');
      before = ',';
    }
    out_.text(before == ',' ? "} " : " ");
  }

  void label_name(std::string_view name, char before) {
    out_.text(before);
    out_.text(name);
    out_.text("=\"");
  }

  void tail(const ClientMetric& metric) {
    if (metric.timestamp_ms != 0) {
      out_.text(' ');
      if (openmetrics_) {
        seconds(metric.timestamp_ms);
      } else {
        out_.integer(metric.timestamp_ms);
      }
    }
    out_.text('\n');
  }
  void seconds(std::int64_t millis) {
    if (millis < 0) out_.text('-');
    const std::uint64_t size = millis < 0 ? 0 - static_cast<std::uint64_t>(millis) : static_cast<std::uint64_t>(millis);
    out_.integer(size / 1000);
    const auto digit = [](std::uint64_t value) { return static_cast<char>('0' + value % 10); };
    const std::array<char, 4> fraction = {'.', digit(size / 100), digit(size / 10), digit(size)};
    out_.text({fraction.data(), fraction.size()});
  }

  Writer& out_;
  SeenSeries& seen_;
  std::size_t labels_end_ = 0;  // of the last line
  std::size_t head_end_ = 0;    // where its number begins
  std::uint64_t hash_ = 0;      // of its values
  const bool openmetrics_;
  const MetricFamily& family_;
  std::string_view base_;
  const std::string_view sample_;
  std::string_view sample_suffix_ = "";  // of counters whose name lacks what OpenMetrics wants
  LineBefore before_;
};

}  // namespace

std::size_t encode(const std::vector<MetricFamily>& families, Format format, std::string& out) {
  Writer writer(out);
  SeenSeries seen;
  std::size_t left_out = 0;
  for (const MetricFamily& family : families) left_out += FamilyEncoder(writer, seen, format, family).encode();
  if (format == Format::kOpenMetrics100) writer.text("# EOF\n");
  return left_out;
}

std::size_t PageEncoder::encode(std::initializer_list<Group> groups, Format format, std::string& out) {
  if (format != std::exchange(format_, format)) kept_.clear();
  Writer writer(out);
  SeenSeries seen;
  std::size_t left_out = 0, index = 0;
  for (const Group& group : groups) {
    for (std::size_t i = 0; i < group.families.size(); ++i, ++index) {
      FamilyEncoder encoder(writer, seen, format, group.families[i]);
      const std::uint64_t stamp = i < group.stamps.size() ? group.stamps[i] : 0;
      if (index == kept_.size()) kept_.emplace_back();
      Kept& kept = kept_[index];
      if (stamp != 0 && stamp == kept.stamp && encoder.encode_kept(kept)) {
        left_out += kept.left_out;
      } else {
        kept.stamp = stamp;
        left_out += encoder.encode(&kept);
      }
    }
  }
  kept_.resize(index);
  if (format == Format::kOpenMetrics100) writer.text("# EOF\n");
  return left_out;
}

}  // namespace kmem::encode
