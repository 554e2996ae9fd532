// Our text against prometheus-cpp's on random families. Known differences, taken out before comparing: theirs writes
// HELP unescaped, "Nan", 16 digits, and the parts of histograms and summaries in another order.
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <random>
#include <sstream>

#include "exporter/encode/encode.h"

namespace kmem::encode {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}
  std::size_t below(std::size_t bound) { return engine_() % bound; }

  double number() {
    switch (below(8)) {
      case 0: return 0;
      case 1: return std::numeric_limits<double>::infinity() * (below(2) == 0 ? 1 : -1);
      case 2: return std::numeric_limits<double>::quiet_NaN();
      case 3: return static_cast<double>(engine_()) / 997.0;
      case 4: return std::ldexp(static_cast<double>(engine_()) - 2e9, static_cast<int>(below(600)) - 300);
      case 5: return -static_cast<double>(below(100'000));
      default: return static_cast<double>((static_cast<std::uint64_t>(engine_()) << 21) ^ engine_());
    }
  }

  std::string text(bool help) {
    static const std::string pieces[] = {
        "Irp ",       "kmalloc-64", "\"", "\\", "\n", "\t", "\u00e9", "\u20ac",
        "\U0001F600", "{",          "}",  ",",  "=",  "#",  " ",      "a long piece of plain text"};
    std::string text;
    for (std::size_t i = below(6); i > 0; --i) {
      const std::string& piece = pieces[below(std::size(pieces))];
      if (!help || (piece != "\n" && piece != "\\")) text += piece;
    }
    return text;
  }

  MetricFamily family(std::size_t index) {
    static constexpr MetricType kTypes[] = {MetricType::Counter, MetricType::Gauge, MetricType::Untyped, MetricType::Summary,
                                            MetricType::Histogram};
    MetricFamily family{
        "family_" + std::to_string(index) + (below(2) == 0 ? "_total" : "_bytes"), text(true), kTypes[below(5)], {}};
    const std::size_t labels = below(7);
    for (std::size_t series = 1 + below(8); series > 0; --series) {
      ClientMetric& metric = family.metric.emplace_back();
      for (std::size_t i = 0; i < labels; ++i) metric.label.push_back({"label_" + std::to_string(i), text(false)});
      if (below(4) == 0) metric.label.push_back({"more", "x"});
      metric.label.push_back({"n", std::to_string(series)});
      metric.counter.value = metric.gauge.value = metric.untyped.value = number();
      if (below(3) == 0) metric.timestamp_ms = static_cast<std::int64_t>(below(1'000'000)) - 1000;
      metric.summary = {below(1000), number(), {{0.5, number()}, {0.99, number()}}};
      metric.histogram = {below(1000), number(), {{1, 0.25}, {2, 1}, {3, 2.5}}};
      if (below(2) == 0) metric.histogram.bucket.push_back({4, std::numeric_limits<double>::infinity()});
    }
    return family;
  }

 private:
  std::mt19937 engine_;
};

struct Sample {
  double value = 0;
  std::string timestamp;
};
struct Page {
  std::vector<std::string> metadata;      // in order
  std::map<std::string, Sample> samples;  // by everything before the value
};

Page parse(const std::string& text) {
  Page page;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ")) {
      page.metadata.push_back(line);
      continue;
    }
    const std::size_t labels_end = line.rfind("} ");
    const std::size_t head = labels_end == std::string::npos ? line.find(' ') : labels_end + 1;
    const std::size_t tail = line.find(' ', head + 1);
    const std::string value = line.substr(head + 1, tail == std::string::npos ? tail : tail - head - 1);
    Sample sample{std::strtod(value.c_str(), nullptr), tail == std::string::npos ? "" : line.substr(tail)};
    EXPECT_TRUE(page.samples.emplace(line.substr(0, head), sample).second) << line;
  }
  return page;
}

bool equal_to_16_digits(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::abs(a - b) <= std::abs(a) * 1e-15;
}

TEST(Differential, TextSaysWhatPrometheusCppSays) {
  std::size_t compared = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    std::vector<MetricFamily> families;
    for (std::size_t i = 0; i < 8; ++i) families.push_back(random.family(i));

    std::ostringstream theirs_text;
    prometheus::TextSerializer().Serialize(theirs_text, families);
    std::string ours_text;
    ASSERT_EQ(encode(families, Format::kText004, ours_text), 0U);
    const Page theirs = parse(theirs_text.str());
    const Page ours = parse(ours_text);

    EXPECT_EQ(ours.metadata, theirs.metadata) << "seed " << seed;
    ASSERT_EQ(ours.samples.size(), theirs.samples.size()) << "seed " << seed;
    for (const auto& [head, sample] : theirs.samples) {
      const auto mine = ours.samples.find(head);
      ASSERT_NE(mine, ours.samples.end()) << head;
      EXPECT_TRUE(equal_to_16_digits(mine->second.value, sample.value)) << head;
      EXPECT_EQ(mine->second.timestamp, sample.timestamp) << head;
      ++compared;
    }
  }
  EXPECT_GT(compared, 20'000U);
}

TEST(Differential, EveryDoubleReadsBackTheSame) {
  Random random(4711);
  for (int i = 0; i < 20'000; ++i) {
    const double value = random.number();
    ClientMetric metric;
    metric.gauge.value = value;
    std::string out;
    encode({{"v", "", MetricType::Gauge, {metric}}}, Format::kText004, out);
    const double back = std::strtod(out.c_str() + std::string_view("# TYPE v gauge\nv ").size(), nullptr);
    ASSERT_TRUE(back == value || (std::isnan(back) && std::isnan(value))) << out;
  }
}

}  // namespace
}  // namespace kmem::encode
