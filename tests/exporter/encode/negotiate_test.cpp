#include "exporter/encode/negotiate.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace kmem::encode {
namespace {

constexpr std::string_view kText = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kOpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view kAllowUtf8 = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8";

struct Case {
  std::string_view header;
  std::string_view content_type;
};

TEST(Negotiate, RealClients) {
  const Case cases[] = {
      // Prometheus 2.42
      {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
       kOpenMetrics},
      // Prometheus 3
      {"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
       "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
       "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
       kAllowUtf8},
      // Prometheus 3 with native histograms asks for protobuf first
      {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
       "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
       "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
       "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
       kAllowUtf8},
      // Prometheus 3 told to scrape text only
      {"text/plain;version=0.0.4;q=0.2,*/*;q=0.1", kText},
      {"", kText},
      {"*/*", kText},                                                                         // curl
      {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", kText},  // browsers
      {"text/plain;version=0.0.4", kText},
  };
  for (const Case& row : cases) {
    const Negotiated got = negotiate(row.header);
    EXPECT_EQ(got.content_type, row.content_type) << row.header;
    EXPECT_EQ(got.format, row.content_type == kText ? Format::kText004 : Format::kOpenMetrics100) << row.header;
  }
}

TEST(Negotiate, WeightsAndSpecificity) {
  const Case cases[] = {
      {"application/openmetrics-text", kOpenMetrics},
      {"application/openmetrics-text;version=1.0.0", kOpenMetrics},
      {"application/openmetrics-text;version=0.0.1", kText},
      {"application/openmetrics-text;version=2.0.0", kText},
      {"application/openmetrics-text;version=2.0.0,*/*", kText},
      {"text/plain;version=1.0.0,application/openmetrics-text;q=0.1", kOpenMetrics},
      {"application/openmetrics-text;q=0.5,text/plain;q=0.6", kText},
      {"application/openmetrics-text;q=0.6,text/plain;q=0.5", kOpenMetrics},
      {"application/openmetrics-text,text/plain", kOpenMetrics},
      {"text/plain,application/openmetrics-text", kText},
      {"application/openmetrics-text, */*", kOpenMetrics},
      {"*/*, application/openmetrics-text", kOpenMetrics},
      {"*/*;q=1, application/openmetrics-text;q=0.1", kText},
      {"text/*, */*", kText},
      {"application/*", kOpenMetrics},
      {"application/*;q=0.5, text/*;q=0.5", kOpenMetrics},
      {"text/plain;q=0, */*", kOpenMetrics},
      {"text/plain;q=0, text/plain;version=0.0.4", kText},
      {"application/openmetrics-text;q=0, text/plain;q=0", kText},
      {"application/openmetrics-text;q=0", kText},
      {"application/openmetrics-text;q=0.000, text/plain;q=0.001", kText},
      {"APPLICATION/OpenMetrics-Text; VERSION=\"1.0.0\" ; Q=0.9 , text/plain; q=0.8", kOpenMetrics},
      {"application/openmetrics-text ; charset=utf-8", kOpenMetrics},
      {"foo/bar;x=\"a,text/plain;q=1\",application/openmetrics-text", kOpenMetrics},
  };
  for (const Case& row : cases) EXPECT_EQ(negotiate(row.header).content_type, row.content_type) << row.header;
}

TEST(Negotiate, EscapingIsEchoedIfKnown) {
  const std::string base(kOpenMetrics);
  for (const char* scheme : {"allow-utf-8", "underscores", "dots", "values"})
    EXPECT_EQ(negotiate("application/openmetrics-text;version=1.0.0;escaping=" + std::string(scheme)).content_type,
              base + "; escaping=" + scheme);
  EXPECT_EQ(negotiate("application/openmetrics-text;escaping=\"dots\"").content_type, base + "; escaping=dots");
  EXPECT_EQ(negotiate("application/openmetrics-text;escaping=x\r\nSet-Cookie: a").content_type, base);
  EXPECT_EQ(negotiate("text/plain;version=0.0.4;escaping=dots").content_type, kText);
  EXPECT_EQ(negotiate("application/openmetrics-text;version=0.0.1;escaping=dots,"
                      "application/openmetrics-text;version=1.0.0")
                .content_type,
            base);
}

TEST(Negotiate, MalformedElementsAreNotThere) {
  for (const char* broken : {"application/openmetrics-text;q=",
                             "application/openmetrics-text;q=nan",
                             "application/openmetrics-text;q=2",
                             "application/openmetrics-text;q=1.5",
                             "application/openmetrics-text;q=-1",
                             "application/openmetrics-text;q=1e1",
                             "application/openmetrics-text;q=.5",
                             "application/openmetrics-text;q=0x1",
                             "application/openmetrics-text;version=\"1.0.0",
                             ";q=1",
                             ",,,",
                             "/",
                             "*",
                             "*/",
                             "text",
                             ";;;",
                             "\"",
                             "\\",
                             "application/openmetrics-textx",
                             "application/openmetrics-tex",
                             "application/openmetrics-text;q=0.0000000000000000000000000000000000000001"})
    EXPECT_EQ(negotiate(broken).content_type, kText) << broken;
  EXPECT_EQ(negotiate("text/plain;q=x, ,,application/openmetrics-text;q=0.1").content_type, kOpenMetrics);
}

TEST(Negotiate, AnyBytesAndAnyLength) {
  std::mt19937 random(7);
  static constexpr std::string_view kAlphabet("*/,;=q\"\\ .01aversion\x80\xff\0textplain", 32);
  for (int round = 0; round < 20'000; ++round) {
    std::string header(random() % 80, ' ');
    for (char& c : header) c = kAlphabet[random() % kAlphabet.size()];
    const std::string_view type = negotiate(header).content_type;
    EXPECT_TRUE(type == kText || type.starts_with(kOpenMetrics));
    (void)accepts_gzip(header);
  }
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "a/b;q=0.1,";
  EXPECT_EQ(negotiate(many + "application/openmetrics-text").content_type, kOpenMetrics);
}

TEST(AcceptsGzip, Table) {
  for (const char* yes :
       {"gzip", "GZIP", "x-gzip", "gzip, deflate, br", "deflate, gzip;q=0.5", "*", "br, *;q=0.1", "gzip;q=1.0, identity;q=0.5",
        "identity;q=0.5, gzip;q=0.5", "gzip ; q = 0.001", "*;q=0, gzip", "identity;q=0, gzip;q=0.1"})
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  for (const char* no : {"", "identity", "deflate, br", "gzip;q=0", "gzip;q=0.0", "gzip;q=0.000, *", "*;q=0", "gzipx", "xgzip",
                         "notgzip;q=1", "gzip;q=bad", "gzip;q=0, gzip", "identity, gzip;q=0.5", ",", ";"})
    EXPECT_FALSE(accepts_gzip(no)) << no;
}

}  // namespace
}  // namespace kmem::encode
