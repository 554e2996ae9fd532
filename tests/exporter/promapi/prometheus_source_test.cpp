#include "exporter/promapi/prometheus_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "collectors/base/time_words.h"

namespace kmem::promapi {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kEnd = 1'793'901'600 / kHour * kHour;  // 2026-11-05T18:00:00Z
constexpr base::UnixMillis kNow = (kEnd + 1800) * 1000;

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      out.push_back(static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

/// A server with series by their names and labels; values are of an hour since 1970.
class Server final : public HttpGetter {
 public:
  struct Series {
    std::string name, labels;  // R"("instance":"a")"
    std::function<double(std::int64_t hour)> value;
  };
  std::vector<Series> series;
  std::int64_t most_steps = 11'000;
  int refused = 0;
  std::int64_t longest = 0;
  std::vector<std::string> queries;
  int status = 200;
  std::string other_body;

  base::Result<HttpAnswer> get(const std::string& path) override {
    if (status != 200) return HttpAnswer{status, other_body};
    const std::size_t mark = path.find('?');
    std::map<std::string, std::string> parameters;
    for (std::size_t at = mark + 1; at < path.size();) {
      const std::size_t end = std::min(path.find('&', at), path.size());
      const std::size_t equals = path.find('=', at);
      parameters[decoded(path.substr(at, equals - at))] = decoded(path.substr(equals + 1, end - equals - 1));
      at = end + 1;
    }
    const std::string what = path.substr(0, mark);
    if (what == "/api/v1/label/__name__/values") return names(parameters["match[]"]);
    if (what == "/api/v1/label/instance/values") return instances(parameters["match[]"]);
    if (what == "/api/v1/series") return list(parameters["match[]"]);
    EXPECT_EQ(what, "/api/v1/query_range");
    return range(parameters["query"], std::stoll(parameters["start"]), std::stoll(parameters["end"]),
                 std::stoll(parameters["step"]));
  }

 private:
  HttpAnswer instances(const std::string& match) const {
    EXPECT_EQ(match.find("instance"), std::string::npos);
    std::string body;
    for (const Series& one : series) {
      const std::string label = "\"instance\":";
      const std::size_t begin = one.labels.find(label) + label.size();
      body += (body.empty() ? "" : ",") + one.labels.substr(begin, one.labels.find('"', begin + 1) + 1 - begin);
    }
    return {200, R"({"status":"success","data":[)" + body + "]}"};
  }
  HttpAnswer names(const std::string& match) const {
    std::map<std::string, bool> all;
    const std::size_t labels = match.find("instance=\"");
    for (const Series& one : series)
      if (labels == std::string::npos ||
          one.labels.find("\"instance\":" + match.substr(labels + 9, match.find('"', labels + 10) + 1 - labels - 9)) !=
              std::string::npos)
        all[one.name] = true;
    std::string body;
    for (const auto& [name, unused] : all) body += (body.empty() ? "\"" : ",\"") + name + "\"";
    return {200, R"({"status":"success","data":[)" + body + "]}"};
  }
  HttpAnswer list(const std::string& match) const {
    std::string body;
    for (const Series& one : series)
      if (fits(one, match))
        body += std::string(body.empty() ? "" : ",") + R"({"__name__":")" + one.name + "\"," + one.labels + "}";
    return {200, R"({"status":"success","data":[)" + body + "]}"};
  }
  // instance="a" in the selector against "instance":"a" in the labels.
  static bool fits(const Series& one, const std::string& selector) {
    const bool by_pattern = selector.starts_with("{__name__=~");
    if (!by_pattern && selector.substr(0, selector.find('{')) != one.name) return false;
    if (by_pattern && selector.find(one.name) == std::string::npos) return false;
    const std::size_t at = selector.find("instance=\"");
    if (at == std::string::npos) return true;
    const std::string value = selector.substr(at + 10, selector.find('"', at + 10) - at - 10);
    return one.labels.find("\"instance\":\"" + value + "\"") != std::string::npos;
  }
  HttpAnswer range(const std::string& query, std::int64_t start, std::int64_t end, std::int64_t step) {
    queries.push_back(query);
    EXPECT_EQ(step, kHour);
    EXPECT_EQ(start % kHour, kHour - 1);
    const std::int64_t steps = (end - start) / step + 1;
    if (steps > most_steps) {
      ++refused;
      return {422, R"({"status":"error","errorType":"execution","error":"query processing would load too many samples"})"};
    }
    longest = std::max(longest, steps);
    const std::size_t bracket = query.find('(');
    const std::string selector = query.substr(bracket + 1, query.rfind("[1h])") - bracket - 1);
    std::string body;
    for (const Series& one : series) {
      if (!fits(one, selector)) continue;
      body += std::string(body.empty() ? "" : ",") + R"({"metric":{)" + one.labels + R"(},"values":[)";
      bool first = true;
      for (std::int64_t at = start; at <= end; at += step) {
        const double value = one.value(at / kHour);
        if (std::isnan(value)) continue;
        body += std::string(first ? "" : ",") + "[" + std::to_string(at) + ",\"" + std::to_string(value) + "\"]";
        first = false;
      }
      body += "]}";
    }
    return {200, R"({"status":"success","data":{"resultType":"matrix","result":[)" + body + "]}}"};
  }
};

Question question(std::chrono::hours range) {
  Question asked;
  asked.url = "http://p:9090";
  asked.range = range;
  asked.now = kNow;
  return asked;
}

struct Told {
  std::string host;
  base::UnixMillis time;
  std::map<std::string, std::uint64_t> values;
  std::uint64_t group;
};

std::vector<Told> all_of(history::HistorySource& source) {
  std::vector<Told> told;
  do {
    Snapshot snapshot;
    EXPECT_TRUE(source.read(snapshot).ok());
    Told one{source.host(), snapshot.time, {}, source.group()};
    for (const PoolTotals& pool : snapshot.pools) one.values[std::string(pool_name(pool.pool))] = pool.bytes.value_or(0);
    for (const TagUsage& tag : snapshot.tags) one.values[tag.tag] = tag.bytes;
    if (snapshot.system_ptes_free) one.values["ptes"] = *snapshot.system_ptes_free;
    told.push_back(std::move(one));
  } while (source.advance());
  return told;
}

TEST(PrometheusSource, HostAfterHostHourByHour) {
  Server server;
  for (const std::string host : {"b", "a"}) {
    const std::string labels = R"("instance":")" + host + R"(","job":"win")";
    const double base = host == "a" ? 1000 : 2000;
    server.series.push_back({"windows_memory_pool_nonpaged_bytes", labels,
                             [base](std::int64_t hour) { return base + static_cast<double>(hour - kEnd / kHour); }});
    server.series.push_back({"windows_memory_free_system_page_table_entries", labels, [](std::int64_t) { return 77.0; }});
    server.series.push_back({"up", labels, [](std::int64_t) { return 1.0; }});
  }
  auto source = ask_prometheus(server, question(std::chrono::hours(48)));
  ASSERT_TRUE(source.ok()) << source.error().message;
  const std::vector<Told> told = all_of(**source);
  ASSERT_EQ(told.size(), 2U * 49);
  for (std::size_t i = 0; i < told.size(); ++i) {
    const auto back = static_cast<std::int64_t>(48 - i % 49);
    EXPECT_EQ(told[i].host, i < 49 ? "a" : "b");
    EXPECT_EQ(told[i].group, i < 49 ? 1U : 2U);
    // At the hour's last second, and never in the future.
    EXPECT_EQ(told[i].time, std::min<base::UnixMillis>((kEnd - back * kHour + kHour - 1) * 1000, kNow));
    EXPECT_THAT(told[i].values,
                ElementsAre(testing::Pair("nonpaged", (i < 49 ? 1000 : 2000) - back), testing::Pair("ptes", 77)));
  }
  // Free entries are least used where most are free.
  EXPECT_THAT(server.queries,
              testing::Contains("max_over_time(windows_memory_free_system_page_table_entries{instance=\"a\"}[1h])"));
  EXPECT_THAT(server.queries, testing::Contains("min_over_time(windows_memory_pool_nonpaged_bytes{instance=\"a\"}[1h])"));
  EXPECT_THAT((*source)->skipped(), IsEmpty());
}

TEST(PrometheusSource, WhatIsTooMuchIsAskedForInPieces) {
  Server server;
  server.most_steps = 100;
  for (int tag = 0; tag < 30; ++tag)
    server.series.push_back({"kmem_pool_tag_bytes", R"("instance":"a","pool":"paged","tag":"T)" + std::to_string(tag) + "\"",
                             [tag](std::int64_t) { return 10.0 + tag; }});
  Question asked = question(std::chrono::hours(1000));
  asked.window_points = 30 * 400;  // three windows
  auto source = ask_prometheus(server, asked);
  ASSERT_TRUE(source.ok()) << source.error().message;
  const std::vector<Told> told = all_of(**source);
  ASSERT_EQ(told.size(), 1001U);
  base::UnixMillis last = 0;
  for (const Told& one : told) {
    EXPECT_GT(one.time, last);
    last = one.time;
    EXPECT_EQ(one.values.size(), 30U);
    EXPECT_EQ(one.values.at("T7"), 17U);
  }
  EXPECT_GT(server.refused, 0);
  EXPECT_LE(server.longest, 100);
  EXPECT_THAT((*source)->skipped(), IsEmpty());
}

TEST(PrometheusSource, ThousandsOfSeriesMakeShortQueries) {
  Server server;
  for (int tag = 0; tag < 2000; ++tag)
    server.series.push_back({"node_slabinfo_objects", R"("instance":"a","slab":"s)" + std::to_string(tag) + "\"",
                             [](std::int64_t) { return NAN; }});
  server.series.push_back({"node_memory_SUnreclaim_bytes", R"("instance":"a")", [](std::int64_t) { return 5.0; }});
  auto source = ask_prometheus(server, question(std::chrono::hours(24 * 56)));
  ASSERT_TRUE(source.ok()) << source.error().message;
  EXPECT_EQ(all_of(**source).size(), 24U * 56 + 1);
  // 2,000 series in 15 s scrapes: 20 million samples are 41 hours.
  EXPECT_GT(std::count_if(server.queries.begin(), server.queries.end(),
                          [](const std::string& query) { return query.find("slabinfo") != std::string::npos; }),
            30);
}

TEST(PrometheusSource, OneHostByName) {
  Server server;
  for (const std::string host : {"a", "b"})
    server.series.push_back(
        {"node_memory_SUnreclaim_bytes", R"("instance":")" + host + R"(","job":"node")", [](std::int64_t) { return 5.0; }});
  Question asked = question(std::chrono::hours(24));
  asked.host = "b";
  auto source = ask_prometheus(server, asked);
  ASSERT_TRUE(source.ok()) << source.error().message;
  for (const Told& one : all_of(**source)) EXPECT_EQ(one.host, "b");
  EXPECT_THAT((*source)->readings().at(0).rules,
              ElementsAre("floors of every hour, at its end", "labels instance=\"b\"", "metrics node_memory_SUnreclaim_bytes",
                          "host \"b\": 1 series of 1 metrics, job \"node\""));
  asked.host = "c";
  const auto none = ask_prometheus(server, asked);
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(
      none.error().message,
      testing::EndsWith("no series of kernel memory of host \"c\", as its label instance has it; there are \"a\", \"b\""));
}

TEST(PrometheusSource, OneHostOfALabel) {
  Server server;
  for (const std::string host : {"a", "b"})
    server.series.push_back(
        {"node_memory_SUnreclaim_bytes", R"("instance":")" + host + "\"", [](std::int64_t) { return 5.0; }});
  Question asked = question(std::chrono::hours(24));
  asked.selectors = {{"instance", "b", false}};
  auto source = ask_prometheus(server, asked);
  ASSERT_TRUE(source.ok()) << source.error().message;
  for (const Told& one : all_of(**source)) EXPECT_EQ(one.host, "b");
}

TEST(PrometheusSource, SaysWhyNothingCanBeHad) {
  Server server;
  const auto why = [&] {
    const auto source = ask_prometheus(server, question(std::chrono::hours(24)));
    return source.ok() ? std::string() : source.error().message;
  };
  EXPECT_EQ(why(),
            "http://p:9090: no series of kernel memory: neither kmem_*, windows_memory_* nor node_memory_*, node_slabinfo_*");
  server.series.push_back({"node_memory_SUnreclaim_bytes", R"("instance":"a")", [](std::int64_t) { return NAN; }});
  EXPECT_EQ(why(), "http://p:9090: no samples in that time");
  server.most_steps = 0;
  EXPECT_EQ(
      why(),
      "http://p:9090: host \"a\", node_memory_SUnreclaim_bytes: http://p:9090 answered 422: query processing would load too many samples");
  server.status = 401;
  EXPECT_EQ(why(), "http://p:9090 answered 401: it wants another user or password; --prometheus.config names a file with them");
  server.status = 404;
  server.other_body = "<html>";
  EXPECT_EQ(why(), "http://p:9090 answered 404: that is no Prometheus, or its API is elsewhere");
}

}  // namespace
}  // namespace kmem::promapi
