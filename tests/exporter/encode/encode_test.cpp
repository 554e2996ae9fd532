#include "exporter/encode/encode.h"

#include <gtest/gtest.h>

#include <clocale>
#include <limits>
#include <locale>
#include <utility>

namespace kmem::encode {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

ClientMetric one(MetricType type, double value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value
   : type == MetricType::Gauge ? metric.gauge.value
                               : metric.untyped.value) = value;
  return metric;
}

std::string page(const std::vector<MetricFamily>& families, Format format) {
  std::string out = "what was there before";
  encode(families, format, out);
  return out;
}

std::string value_text(double value) {
  const std::string text = page({{"v", "", MetricType::Gauge, {one(MetricType::Gauge, value)}}}, Format::kText004);
  const std::string head = "# TYPE v gauge\nv ";
  EXPECT_EQ(text.substr(0, head.size()), head);
  return text.substr(head.size(), text.size() - head.size() - 1);
}

std::string label_text_on_page(std::string value, Format format = Format::kText004) {
  const std::string text = page({{"v", "", MetricType::Gauge, {one(MetricType::Gauge, 1, {{"l", std::move(value)}})}}}, format);
  const std::string head = "# TYPE v gauge\nv{l=\"";
  const std::string tail = format == Format::kText004 ? "\"} 1\n" : "\"} 1\n# EOF\n";
  EXPECT_EQ(text.substr(0, head.size()), head);
  EXPECT_TRUE(text.ends_with(tail)) << text;
  return text.substr(head.size(), text.size() - head.size() - tail.size());
}

std::vector<MetricFamily> every_type() {
  ClientMetric histogram;
  histogram.label = {{"handler", "metrics"}};
  histogram.histogram = {7, 1.25, {{3, 0.005}, {6, 1}}};
  ClientMetric summary;
  summary.summary = {5, 0.5, {{0.5, 0.1}, {1, 0.2}}};
  ClientMetric stamped = one(MetricType::Gauge, 3);
  stamped.timestamp_ms = 1767225600042;
  return {
      {"kmem_pool_tag_bytes",
       "Memory\\Pool of \"x\".\nSecond line.",
       MetricType::Gauge,
       {one(MetricType::Gauge, 4096, {{"pool", "nonpaged"}, {"tag", "Irp "}}),
        one(MetricType::Gauge, 8192, {{"pool", "nonpaged"}, {"tag", "Even"}}),
        one(MetricType::Gauge, 1, {{"pool", "paged"}, {"tag", "Even"}})}},
      {"process_cpu_seconds_total", "CPU.", MetricType::Counter, {one(MetricType::Counter, 0.25)}},
      {"jobs", "", MetricType::Counter, {one(MetricType::Counter, 2)}},
      {"kmem_exporter_build_info", "Build.", MetricType::Gauge, {one(MetricType::Gauge, 1, {{"version", "0.1.0"}})}},
      {"kmem_wait_seconds", "Wait.", MetricType::Histogram, {histogram}},
      {"quantiles", "Q.", MetricType::Summary, {summary}},
      {"anything", "", MetricType::Untyped, {one(MetricType::Untyped, -1.5)}},
      {"stamped_bytes", "", MetricType::Gauge, {stamped}},
      {"nothing", "A family without samples.", MetricType::Gauge, {}},
  };
}

TEST(Encode, TextPage) {
  EXPECT_EQ(page(every_type(), Format::kText004),
            "# HELP kmem_pool_tag_bytes Memory\\\\Pool of \"x\".\\nSecond line.\n"
            "# TYPE kmem_pool_tag_bytes gauge\n"
            "kmem_pool_tag_bytes{pool=\"nonpaged\",tag=\"Irp \"} 4096\n"
            "kmem_pool_tag_bytes{pool=\"nonpaged\",tag=\"Even\"} 8192\n"
            "kmem_pool_tag_bytes{pool=\"paged\",tag=\"Even\"} 1\n"
            "# HELP process_cpu_seconds_total CPU.\n"
            "# TYPE process_cpu_seconds_total counter\n"
            "process_cpu_seconds_total 0.25\n"
            "# TYPE jobs counter\n"
            "jobs 2\n"
            "# HELP kmem_exporter_build_info Build.\n"
            "# TYPE kmem_exporter_build_info gauge\n"
            "kmem_exporter_build_info{version=\"0.1.0\"} 1\n"
            "# HELP kmem_wait_seconds Wait.\n"
            "# TYPE kmem_wait_seconds histogram\n"
            "kmem_wait_seconds_bucket{handler=\"metrics\",le=\"0.005\"} 3\n"
            "kmem_wait_seconds_bucket{handler=\"metrics\",le=\"1\"} 6\n"
            "kmem_wait_seconds_bucket{handler=\"metrics\",le=\"+Inf\"} 7\n"
            "kmem_wait_seconds_sum{handler=\"metrics\"} 1.25\n"
            "kmem_wait_seconds_count{handler=\"metrics\"} 7\n"
            "# HELP quantiles Q.\n"
            "# TYPE quantiles summary\n"
            "quantiles{quantile=\"0.5\"} 0.1\n"
            "quantiles{quantile=\"1\"} 0.2\n"
            "quantiles_sum 0.5\n"
            "quantiles_count 5\n"
            "# TYPE anything untyped\n"
            "anything -1.5\n"
            "# TYPE stamped_bytes gauge\n"
            "stamped_bytes 3 1767225600042\n");
}

TEST(Encode, OpenMetricsPage) {
  EXPECT_EQ(page(every_type(), Format::kOpenMetrics100),
            "# HELP kmem_pool_tag_bytes Memory\\\\Pool of \\\"x\\\".\\nSecond line.\n"
            "# TYPE kmem_pool_tag_bytes gauge\n"
            "# UNIT kmem_pool_tag_bytes bytes\n"
            "kmem_pool_tag_bytes{pool=\"nonpaged\",tag=\"Irp \"} 4096\n"
            "kmem_pool_tag_bytes{pool=\"nonpaged\",tag=\"Even\"} 8192\n"
            "kmem_pool_tag_bytes{pool=\"paged\",tag=\"Even\"} 1\n"
            "# HELP process_cpu_seconds CPU.\n"
            "# TYPE process_cpu_seconds counter\n"
            "# UNIT process_cpu_seconds seconds\n"
            "process_cpu_seconds_total 0.25\n"
            "# TYPE jobs counter\n"
            "jobs_total 2\n"
            "# HELP kmem_exporter_build Build.\n"
            "# TYPE kmem_exporter_build info\n"
            "kmem_exporter_build_info{version=\"0.1.0\"} 1\n"
            "# HELP kmem_wait_seconds Wait.\n"
            "# TYPE kmem_wait_seconds histogram\n"
            "# UNIT kmem_wait_seconds seconds\n"
            "kmem_wait_seconds_bucket{handler=\"metrics\",le=\"0.005\"} 3\n"
            "kmem_wait_seconds_bucket{handler=\"metrics\",le=\"1.0\"} 6\n"
            "kmem_wait_seconds_bucket{handler=\"metrics\",le=\"+Inf\"} 7\n"
            "kmem_wait_seconds_sum{handler=\"metrics\"} 1.25\n"
            "kmem_wait_seconds_count{handler=\"metrics\"} 7\n"
            "# HELP quantiles Q.\n"
            "# TYPE quantiles summary\n"
            "quantiles{quantile=\"0.5\"} 0.1\n"
            "quantiles{quantile=\"1.0\"} 0.2\n"
            "quantiles_sum 0.5\n"
            "quantiles_count 5\n"
            "# TYPE anything unknown\n"
            "anything -1.5\n"
            "# TYPE stamped_bytes gauge\n"
            "# UNIT stamped_bytes bytes\n"
            "stamped_bytes 3 1767225600.042\n"
            "# EOF\n");
}

TEST(Encode, EmptyPage) {
  EXPECT_EQ(page({}, Format::kText004), "");
  EXPECT_EQ(page({}, Format::kOpenMetrics100), "# EOF\n");
}

TEST(Encode, NegativeTimestamps) {
  MetricFamily family{"v", "", MetricType::Gauge, {one(MetricType::Gauge, 1), one(MetricType::Gauge, 2)}};
  family.metric[0].timestamp_ms = -5;
  family.metric[1].timestamp_ms = std::numeric_limits<std::int64_t>::min();
  EXPECT_EQ(page({family}, Format::kOpenMetrics100), "# TYPE v gauge\nv 1 -0.005\nv 2 -9223372036854775.808\n# EOF\n");
}

TEST(Encode, Numbers) {
  EXPECT_EQ(value_text(0), "0");
  EXPECT_EQ(value_text(-17), "-17");
  EXPECT_EQ(value_text(1e15), "1000000000000000");
  EXPECT_EQ(value_text(9007199254740992.0), "9007199254740992");
  EXPECT_EQ(value_text(-9007199254740992.0), "-9007199254740992");
  // Where a 32-bit processor's digits are put together of two numbers.
  EXPECT_EQ(value_text(4294967295.0), "4294967295");
  EXPECT_EQ(value_text(4294967296.0), "4294967296");
  EXPECT_EQ(value_text(-5000000000.0), "-5000000000");
  EXPECT_EQ(value_text(5000000007.0), "5000000007");
  EXPECT_EQ(value_text(7000000012000000.0), "7000000012000000");
  EXPECT_EQ(value_text(9007199254740994.0), "9007199254740994");
  EXPECT_EQ(value_text(123456789012345678901.0), "123456789012345683968");
  EXPECT_EQ(value_text(1e21), "1e+21");
  EXPECT_EQ(value_text(-1.5e300), "-1.5e+300");
  EXPECT_EQ(value_text(0.0001), "0.0001");
  EXPECT_EQ(value_text(0.00012345678901234567), "0.00012345678901234567");
  EXPECT_EQ(value_text(0.00001), "1e-05");
  EXPECT_EQ(value_text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(value_text(1732150493.25), "1732150493.25");
  EXPECT_EQ(value_text(-2.2250738585072014e-308), "-2.2250738585072014e-308");
  EXPECT_EQ(value_text(5e-324), "5e-324");
  EXPECT_EQ(value_text(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(value_text(std::numeric_limits<double>::infinity()), "+Inf");
  EXPECT_EQ(value_text(-std::numeric_limits<double>::infinity()), "-Inf");
}

class CommaLocale : public std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(Encode, NoLocaleTouchesNumbers) {
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new CommaLocale));
  std::setlocale(LC_NUMERIC, "de_DE.UTF-8");  // where it is installed
  EXPECT_EQ(value_text(1234567.5), "1234567.5");
  EXPECT_EQ(value_text(1234567), "1234567");
  std::setlocale(LC_NUMERIC, "C");
  std::locale::global(before);
}

TEST(Encode, LabelEscapes) {
  EXPECT_EQ(label_text_on_page(""), "");
  EXPECT_EQ(label_text_on_page("Irp "), "Irp ");
  EXPECT_EQ(label_text_on_page("a\"b\\c\nd\te"), "a\\\"b\\\\c\\nd\te");
  EXPECT_EQ(label_text_on_page("a\"b\\c\nd", Format::kOpenMetrics100), "a\\\"b\\\\c\\nd");
  EXPECT_EQ(label_text_on_page("longer than eight bytes"), "longer than eight bytes");
  EXPECT_EQ(label_text_on_page("longer than \"eight\" bytes"), "longer than \\\"eight\\\" bytes");
  EXPECT_EQ(label_text_on_page(std::string(300, '"')).size(), 600U);
}

TEST(Encode, LegalUnicodePasses) {
  const std::string text = "\x7f \u00e9 \u20ac \U0001F600 \uFFFD \U0010FFFF";
  EXPECT_EQ(label_text_on_page(text), text);
}

TEST(Encode, IllegalBytesBecomeTextAndTheRestStays) {
  EXPECT_EQ(label_text_on_page("a\x80z"), "a\\\\x80z");
  EXPECT_EQ(label_text_on_page(std::string("a\0z", 3)), "a\\\\x00z");
  EXPECT_EQ(label_text_on_page("a\rz\x1b"), "a\\\\x0dz\\\\x1b");
  EXPECT_EQ(label_text_on_page("\xff\xfe"), "\\\\xff\\\\xfe");
  EXPECT_EQ(label_text_on_page("\xc0\xaf"), "\\\\xc0\\\\xaf");                        // overlong
  EXPECT_EQ(label_text_on_page("\xe0\x80\xaf"), "\\\\xe0\\\\x80\\\\xaf");             // overlong
  EXPECT_EQ(label_text_on_page("\xed\xa0\x80"), "\\\\xed\\\\xa0\\\\x80");             // surrogate
  EXPECT_EQ(label_text_on_page("\xf4\x90\x80\x80"), "\\\\xf4\\\\x90\\\\x80\\\\x80");  // above U+10FFFF
  EXPECT_EQ(label_text_on_page("\xf0\x8f\xbf\xbf"), "\\\\xf0\\\\x8f\\\\xbf\\\\xbf");  // overlong
  EXPECT_EQ(label_text_on_page("cut \xe2\x82"), "cut \\\\xe2\\\\x82");
  EXPECT_EQ(label_text_on_page("12345678\x90"
                               "abcdefgh"),
            "12345678\\\\x90"
            "abcdefgh");
}

TEST(Encode, IllegalBytesInHelp) {
  const MetricFamily family{"v", "bad \xc3( and\rCR", MetricType::Gauge, {one(MetricType::Gauge, 1)}};
  for (const Format format : {Format::kText004, Format::kOpenMetrics100})
    EXPECT_TRUE(page({family}, format).starts_with("# HELP v bad \\\\xc3( and\\\\x0dCR\n"));
}

TEST(Encode, IllegalNamesAreLeftOutAndCounted) {
  std::vector<MetricFamily> families;
  for (const char* name : {"", "1abc", "a-b", "__reserved", "a b", "caf\xc3\xa9", "ok_1", "with:colon"})
    families.push_back({name, "", MetricType::Gauge, {one(MetricType::Gauge, 1)}});
  std::string out;
  EXPECT_EQ(encode(families, Format::kText004, out), 6U);
  EXPECT_EQ(out, "# TYPE ok_1 gauge\nok_1 1\n# TYPE with:colon gauge\nwith:colon 1\n");
}

TEST(Encode, IllegalLabelNamesCostOnlyTheirSeries) {
  MetricFamily family{"v", "", MetricType::Gauge, {}};
  double value = 0;
  for (const Labels& labels :
       {Labels{{"a", "x"}}, Labels{{"a-b", "x"}}, Labels{{"a", "x"}, {"a", "y"}}, Labels{{"a", "y"}}, Labels{{"__name__", "w"}},
        Labels{{"a:b", "x"}}, Labels{{"b", "x"}}, Labels{{"", "x"}}, Labels{}})
    family.metric.push_back(one(MetricType::Gauge, ++value, labels));
  std::string out;
  EXPECT_EQ(encode({family}, Format::kText004, out), 5U);
  EXPECT_EQ(out, "# TYPE v gauge\nv{a=\"x\"} 1\nv{a=\"y\"} 4\nv{b=\"x\"} 7\nv 9\n");
}

TEST(Encode, BoundLabelsOfHistogramsAreReserved) {
  ClientMetric metric;
  metric.label = {{"le", "1"}};
  std::string out;
  EXPECT_EQ(encode({{"v", "", MetricType::Histogram, {metric}}}, Format::kText004, out), 1U);
  EXPECT_EQ(encode({{"v", "", MetricType::Gauge, {metric}}}, Format::kText004, out), 0U);
}

TEST(Encode, ARepeatedSeriesIsLeftOutAndCounted) {
  MetricFamily family{"v", "", MetricType::Gauge, {}};
  double value = 0;
  for (const Labels& labels : {Labels{{"process", "a"}, {"pid", "1"}}, Labels{{"process", "b"}, {"pid", "1"}},
                               Labels{{"process", "a"}, {"pid", "1"}}, Labels{{"process", "a"}, {"pid", "2"}}, Labels{},
                               Labels{{"process", "b"}, {"pid", "1"}}, Labels{}, Labels{{"process", "b"}, {"pid", "3"}}})
    family.metric.push_back(one(MetricType::Gauge, ++value, labels));
  std::string out;
  EXPECT_EQ(encode({family, family}, Format::kText004, out), 6U) << "3 in each; families have sets of their own";
  const std::string once =
      "# TYPE v gauge\nv{process=\"a\",pid=\"1\"} 1\nv{process=\"b\",pid=\"1\"} 2\nv{process=\"a\",pid=\"2\"} 4\nv 5\n"
      "v{process=\"b\",pid=\"3\"} 8\n";
  EXPECT_EQ(out, once + once);
}

TEST(Encode, ARepeatedSeriesIsFoundByWhatThePageSays) {
  // Two names that become one on the page.
  MetricFamily family{"v",
                      "",
                      MetricType::Gauge,
                      {one(MetricType::Gauge, 1, {{"l", "\xff"}}), one(MetricType::Gauge, 2, {{"l", "\\xff"}}),
                       one(MetricType::Gauge, 3, {{"l", "\xff"}})}};
  std::string out;
  EXPECT_GE(encode({family}, Format::kText004, out), 1U);
}

TEST(Encode, ARepeatedHistogramIsLeftOut) {
  ClientMetric metric;
  metric.label = {{"handler", "a"}};
  metric.histogram = {1, 1, {{1, 0.5}}};
  std::string out, single;
  EXPECT_EQ(encode({{"v", "", MetricType::Histogram, {metric, metric}}}, Format::kText004, out), 1U);
  EXPECT_EQ(encode({{"v", "", MetricType::Histogram, {metric}}}, Format::kText004, single), 0U);
  EXPECT_EQ(out, single);
}

TEST(Encode, SharedHeadsSurviveEveryKindOfChange) {
  MetricFamily family{"v", "", MetricType::Gauge, {}};
  for (const Labels& labels :
       {Labels{{"a", "1"}, {"b", "1"}, {"c", "1"}}, Labels{{"a", "1"}, {"b", "1"}, {"c", "2"}},
        Labels{{"a", "1"}, {"b", "22"}, {"c", "2"}}, Labels{{"a", "333"}, {"b", "22"}, {"c", "2"}},
        Labels{{"a", "333"}, {"b", "22"}, {"c", "2"}}, Labels{{"a", "3"}}, Labels{}, Labels{{"a", "3"}, {"b", "\n"}},
        Labels{{"a", "3"}, {"b", "\n\n"}}, Labels{{"p", "1"}, {"q", "1"}, {"r", "1"}, {"s", "1"}, {"t", "1"}},
        Labels{{"p", "1"}, {"q", "1"}, {"r", "1"}, {"s", "1"}, {"t", "2"}}})
    family.metric.push_back(one(MetricType::Gauge, 1, labels));
  EXPECT_EQ(page({family}, Format::kText004),
            "# TYPE v gauge\n"
            "v{a=\"1\",b=\"1\",c=\"1\"} 1\n"
            "v{a=\"1\",b=\"1\",c=\"2\"} 1\n"
            "v{a=\"1\",b=\"22\",c=\"2\"} 1\n"
            "v{a=\"333\",b=\"22\",c=\"2\"} 1\n"
            "v{a=\"3\"} 1\n"
            "v 1\n"
            "v{a=\"3\",b=\"\\n\"} 1\n"
            "v{a=\"3\",b=\"\\n\\n\"} 1\n"
            "v{p=\"1\",q=\"1\",r=\"1\",s=\"1\",t=\"1\"} 1\n"
            "v{p=\"1\",q=\"1\",r=\"1\",s=\"1\",t=\"2\"} 1\n");
}

TEST(Encode, InfoOnlyWhereEveryValueIsOne) {
  const MetricFamily family{"x_info", "", MetricType::Gauge, {one(MetricType::Gauge, 2)}};
  EXPECT_EQ(page({family}, Format::kOpenMetrics100), "# TYPE x_info gauge\nx_info 2\n# EOF\n");
}

TEST(Encode, LargePagesInSmallBuffers) {
  MetricFamily family{"v", "", MetricType::Gauge, {}};
  std::string expected = "# TYPE v gauge\n";
  for (int i = 0; i < 5000; ++i) {
    family.metric.push_back(one(MetricType::Gauge, i, {{"tag", std::to_string(i)}}));
    expected += "v{tag=\"" + std::to_string(i) + "\"} " + std::to_string(i) + "\n";
  }
  std::string out;
  encode({family}, Format::kText004, out);
  EXPECT_EQ(out, expected);
  const auto capacity = out.capacity();
  encode({family}, Format::kText004, out);
  EXPECT_EQ(out, expected);
  EXPECT_EQ(out.capacity(), capacity);
}

}  // namespace
}  // namespace kmem::encode
