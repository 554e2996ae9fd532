// 56 days by the hour with a known leak of 300 KB a day, 40 calm tags and a reboot, in every format that people have:
// the same tag is found, as fast and since as long.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "collectors/base/time_words.h"
#include "exporter/commands/analysis.h"
#include "tests/exporter/commands/history_text.h"

namespace kmem {
namespace {

constexpr std::int64_t kStartSeconds = 1'788'220'800;  // 2026-09-01T00:00:00Z
constexpr int kHours = 56 * 24;
// Beyond the end: where a format tells no boot time, one leak's fall among forty calm tags is no sure sign of a reboot.
constexpr int kRebootHour = kHours + 1;
constexpr double kLeakPerDay = 300'000;
constexpr int kCalm = 40;

std::int64_t seconds(int hour) { return kStartSeconds + hour * 3600LL; }
std::int64_t boot_seconds(int hour) { return hour < kRebootHour ? seconds(0) - 86'400 : seconds(kRebootHour) - 300; }

// Of the leak (0) and the calm ones.
std::uint64_t bytes_of(int tag, int hour) {
  if (tag == 0) {
    const int since_boot = hour < kRebootHour ? hour : hour - kRebootHour;
    return 8'000'000 + static_cast<std::uint64_t>(kLeakPerDay / 24 * since_boot);
  }
  const double base = 256'000 + 16'000.0 * tag;
  const double day = std::sin(2 * 3.14159265358979 * (hour + tag) / 24);
  const double noise = static_cast<double>((hour * 7919 + tag * 104'729) % 1000) / 1000 - 0.5;
  return static_cast<std::uint64_t>(base * (1 + 0.004 * day + 0.004 * noise));
}
std::uint64_t total(int hour) {
  std::uint64_t sum = 0;
  for (int tag = 0; tag <= kCalm; ++tag) sum += bytes_of(tag, hour);
  return sum;
}
std::string name_of(int tag) { return tag == 0 ? "Leak" : "C" + std::to_string(100 + tag); }

std::string words(const char* format, auto... values) {
  std::array<char, 512> text{};
  return {text.data(), static_cast<std::size_t>(std::snprintf(text.data(), text.size(), format, values...))};
}
std::string iso(int hour) { return base::rfc3339(seconds(hour) * 1000); }
// "11/05/2026 18:00:00"
std::string us_time(int hour, bool twelve) {
  const std::string text = iso(hour);
  const int of_day = std::stoi(text.substr(11, 2));
  const std::string date = text.substr(5, 2) + "/" + text.substr(8, 2) + "/" + text.substr(0, 4);
  if (!twelve) return date + " " + text.substr(11, 8);
  return date + words(" %d:00:00 %s", of_day % 12 == 0 ? 12 : of_day % 12, of_day < 12 ? "AM" : "PM");
}

std::string each_hour(const std::function<std::string(int hour)>& make) {
  std::string text;
  for (int hour = 0; hour < kHours; ++hour) text += make(hour);
  return text;
}
std::string each_tag(const std::function<std::string(int tag)>& make) {
  std::string text;
  for (int tag = 0; tag <= kCalm; ++tag) text += make(tag);
  return text;
}
std::uint64_t pages(int tag, int hour) { return bytes_of(tag, hour) / 4096; }

std::string matrix(const std::vector<std::pair<std::string, std::function<double(int hour)>>>& series) {
  std::string text = R"({"status":"success","data":{"resultType":"matrix","result":[)";
  for (const auto& [labels, value] : series) {
    text += std::string(text.back() == '[' ? "" : ",") + R"({"metric":{)" + labels + R"(,"instance":"h:1","job":"j"},"values":[)";
    for (int hour = 0; hour < kHours; ++hour)
      text += words("%s[%lld,\"%.0f\"]", hour == 0 ? "" : ",", static_cast<long long>(seconds(hour)), value(hour));
    text += "]}";
  }
  return text + "]}}";
}
std::string json_label(const std::string& name, const std::string& value) { return "\"" + name + "\":\"" + value + "\""; }

std::string dump(const std::function<std::string(int tag)>& labels, const std::function<double(int tag, int hour)>& value) {
  return each_tag([&](int tag) {
    return each_hour([&](int hour) {
      return "{__name__=" + labels(tag) + ", instance=\"h:1\", job=\"j\"} " + words("%.0f", value(tag, hour)) + " " +
             std::to_string(seconds(hour) * 1000) + "\n";
    });
  });
}

struct Shape {
  const char* name;
  std::function<std::string()> make;
  trend::Kind kind;
  Pool pool;
  std::string tag;
};
std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.name; }

const std::vector<Shape> kShapes = {
    {"slabinfo",
     [] {
       return each_hour([](int hour) {
         return iso(hour) + "\nbtime " + std::to_string(boot_seconds(hour)) + "\nslabinfo - version: 2.1\n" + each_tag([&](int tag) {
           return words("%s %d %d 64 64 1 : tunables 0 0 0 : slabdata 1 %llu 0\n", name_of(tag).c_str(), 1, 1,
                        static_cast<unsigned long long>(pages(tag, hour)));
         });
       });
     },
     trend::Kind::kTag, Pool::kSlabUnreclaimable, "Leak"},
    {"meminfo",
     [] {
       return each_hour([](int hour) {
         return iso(hour) + "\nMemTotal: 8048204 kB\nSUnreclaim: " + std::to_string(total(hour) / 1024) + " kB\n";
       });
     },
     trend::Kind::kPool, Pool::kSlabUnreclaimable, ""},
    {"slabtop",
     [] {
       return each_hour([](int hour) {
         return iso(hour) + "\n  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n" + each_tag([&](int tag) {
           return words("%d %d 100%% 0.06K 1 64 %lluK %s\n", 1, 1, static_cast<unsigned long long>(pages(tag, hour) * 4),
                        name_of(tag).c_str());
         });
       });
     },
     trend::Kind::kTag, Pool::kSlabUnreclaimable, "Leak"},
    {"vmstat -m",
     [] {
       return each_hour([](int hour) {
         return std::to_string(seconds(hour)) + "\nCache                       Num  Total   Size  Pages\n" + each_tag([&](int tag) {
           return words("%s 1 %llu 64 64\n", name_of(tag).c_str(), static_cast<unsigned long long>(pages(tag, hour) * 64));
         });
       });
     },
     trend::Kind::kTag, Pool::kSlabUnreclaimable, "Leak"},
    {"sar",
     [] {
       std::string text;
       for (int hour = 0; hour < kHours; ++hour) {
         const std::string time = iso(hour);
         if (hour % 24 == 0)
           text += "\nLinux 5.10.0 (h) \t" + time.substr(0, 10) + " \t_x86_64_\t(2 CPU)\n\n00:00:00 kbmemfree kbmemused kbcommit kbslab\n";
         if (hour == kRebootHour) text += time.substr(11, 8) + " LINUX RESTART\n\n00:00:00 kbmemfree kbmemused kbcommit kbslab\n";
         text += time.substr(11, 8) + " 1 2 3 " + std::to_string(total(hour) / 1024) + "\n";
       }
       return text;
     },
     trend::Kind::kTag, Pool::kSlabUnreclaimable, "kbslab"},
    {"sadf -d",
     [] {
       return "# hostname;interval;timestamp;kbmemfree;kbmemused;kbcommit;kbslab\n" + each_hour([](int hour) {
         return "h;3600;" + iso(hour).substr(0, 10) + " " + iso(hour).substr(11, 8) + " UTC;1;2;3;" + std::to_string(total(hour) / 1024) + "\n";
       });
     },
     trend::Kind::kTag, Pool::kSlabUnreclaimable, "kbslab"},
    {"sadf -j",
     [] {
       return R"({"sysstat":{"hosts":[{"nodename":"h","statistics":[)" + each_hour([](int hour) {
                return std::string(hour == 0 ? "" : ",") + R"({"timestamp":{"date":")" + iso(hour).substr(0, 10) + R"(","time":")" +
                       iso(hour).substr(11, 8) + R"(","utc":1},"memory":{"slab":)" + std::to_string(total(hour) / 1024) + "}}";
              }) +
              "]}]}}";
     },
     trend::Kind::kTag, Pool::kSlabUnreclaimable, "kbslab"},
    {"a script's tags",
     [] {
       return "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n" + each_hour([](int hour) {
         return each_tag([&](int tag) { return us_time(hour, true) + "," + name_of(tag) + ",0," + std::to_string(bytes_of(tag, hour)) + "\n"; });
       });
     },
     trend::Kind::kTag, Pool::kNonpaged, "Leak"},
    {"Get-Counter",
     [] {
       return "\"Path\",\"CookedValue\",\"Timestamp\"\n" + each_hour([](int hour) {
         const std::string behind = ",\"" + us_time(hour, true) + "\"\n";
         return "\"\\\\h\\memory\\pool nonpaged bytes\"," + std::to_string(total(hour)) + behind + "\"\\\\h\\system\\system up time\"," +
                std::to_string(seconds(hour) - boot_seconds(hour)) + behind;
       });
     },
     trend::Kind::kPool, Pool::kNonpaged, ""},
    {"typeperf",
     [] {
       return "\"(PDH-CSV 4.0)\",\"\\\\H\\Memory\\Pool Nonpaged Bytes\"\n" + each_hour([](int hour) {
                return "\"" + us_time(hour, false) + ".000\",\"" + std::to_string(total(hour)) + ".000000\"\n";
              }) +
              "The command completed successfully.\n";
     },
     trend::Kind::kPool, Pool::kNonpaged, ""},
    {"windows_exporter's answer",
     [] {
       return matrix({{json_label("__name__", "windows_memory_pool_nonpaged_bytes"), [](int hour) { return static_cast<double>(total(hour)); }},
                      {json_label("__name__", "windows_system_boot_time_timestamp"),
                       [](int hour) { return static_cast<double>(boot_seconds(hour)); }}});
     },
     trend::Kind::kPool, Pool::kNonpaged, ""},
    {"our own answer",
     [] {
       std::vector<std::pair<std::string, std::function<double(int)>>> series;
       for (int tag = 0; tag <= kCalm; ++tag)
         series.emplace_back(json_label("__name__", "kmem_pool_tag_bytes") + "," + json_label("pool", "paged") + "," + json_label("tag", name_of(tag)),
                             [tag](int hour) { return static_cast<double>(bytes_of(tag, hour)); });
       return matrix(series);
     },
     trend::Kind::kTag, Pool::kPaged, "Leak"},
    {"a dump of node_exporter's caches",
     [] {
       const auto labels = [](const std::string& metric) {
         return [metric](int tag) { return "\"" + metric + "\", slab=\"" + name_of(tag) + "\""; };
       };
       return dump(labels("node_slabinfo_objects"), [](int tag, int hour) { return static_cast<double>(pages(tag, hour) * 64); }) +
              dump(labels("node_slabinfo_object_size_bytes"), [](int, int) { return 64.0; }) +
              dump(labels("node_slabinfo_objects_per_slab"), [](int, int) { return 64.0; }) +
              dump(labels("node_slabinfo_pages_per_slab"), [](int, int) { return 1.0; });
     },
     trend::Kind::kTag, Pool::kSlabUnreclaimable, "Leak"},
};

class SourcesTruth : public testing::TestWithParam<Shape> {};

TEST_P(SourcesTruth, TheLeakIsFoundAsItIs) {
  const Shape& shape = GetParam();
  test::MemoryFiles files;
  files.put("f", shape.make());
  test::Shown shown;
  const auto analysis = analyze_history(files, {"f"}, analysis_options(config::Config{}), shown.meter);
  ASSERT_TRUE(analysis.ok()) << analysis.error().message;
  EXPECT_EQ(analysis->snapshots, static_cast<std::uint64_t>(kHours));
  EXPECT_EQ(analysis->skipped_count, 0U);
  EXPECT_TRUE(analysis->others.empty());
  const trend::SubjectReport* leak = nullptr;
  for (const AnalyzedSubject& subject : analysis->subjects) {
    const trend::SubjectReport& report = subject.report;
    if (report.kind == shape.kind && report.pool == shape.pool && report.text == shape.tag) leak = &report;
    else EXPECT_NE(report.kind, trend::Kind::kTag) << report.text;
  }
  ASSERT_NE(leak, nullptr);
  EXPECT_EQ(leak->verdict, trend::Verdict::kLeak);
  EXPECT_NEAR(leak->credible_slope_per_second * 86'400, kLeakPerDay, kLeakPerDay * 0.05);
  ASSERT_TRUE(leak->since.has_value());
  EXPECT_NEAR(static_cast<double>(*leak->since) / 1000, static_cast<double>(kStartSeconds), 2 * 86'400.0);
}

TEST(ManyHosts, InOneFileWorstFirst) {
  // b leaks, a and c do not; the slower leak of d comes behind b's.
  std::string text = "Tag,NonPagedUsedBytes,ComputerName,DateTime\n";
  for (int hour = 0; hour < kHours; ++hour)
    for (const std::string host : {"a", "b", "c", "d"}) {
      // Without a reboot: with two tags and no boot times none can be told.
      const auto grown = static_cast<std::uint64_t>(kLeakPerDay / 24 * hour);
      const std::uint64_t leak = 8'000'000 + (host == "b" ? grown : host == "d" ? grown / 2 : 0);
      text += "Leak," + std::to_string(leak) + "," + host + "," + iso(hour) + "\nCalm," + std::to_string(bytes_of(1, hour)) + "," + host + "," + iso(hour) + "\n";
    }
  test::MemoryFiles files;
  files.put("f", text);
  test::Shown shown;
  const auto analysis = analyze_history(files, {"f"}, analysis_options(config::Config{}), shown.meter);
  ASSERT_TRUE(analysis.ok()) << analysis.error().message;
  ASSERT_EQ(analysis->others.size(), 3U);
  EXPECT_EQ(analysis->host, "b");
  EXPECT_EQ(analysis->others[0].host, "d");
  EXPECT_EQ(analysis->others[1].host, "a");
  EXPECT_EQ(analysis->others[2].host, "c");
  EXPECT_EQ(analysis->snapshots, static_cast<std::uint64_t>(kHours));
  const std::string report = analysis_text(*analysis, false, true);
  EXPECT_EQ(report.find("Hosts    4: 2 with leaks, 0 to watch\n\nVERDICT  HOST  DAYS  WHAT\nLEAK     b       56  nonpaged Leak "), 0U) << report;
  EXPECT_NE(report.find("\nok       c       56\n"), std::string::npos) << report;
  EXPECT_NE(report.find("\nHost     d\nHistory  2026-09-01T00:00:00Z to "), std::string::npos) << report;
  EXPECT_NE(report.find("\nRead\n  f: CSV of a PowerShell script, 5376 snapshots, 10752 rows, 0 skipped\n"
                        "    times    2026-09-01T00:00:00Z to 2026-10-26T23:00:00Z\n    by       times with a zone\n"),
            std::string::npos)
      << report;
  const auto document = nlohmann::json::parse(analysis_json(*analysis, true));
  ASSERT_EQ(document["hosts"].size(), 4U);
  EXPECT_EQ(document["hosts"][0]["host"], "b");
  EXPECT_EQ(document["hosts"][0]["verdict"], "leak");
  EXPECT_EQ(document["hosts"][0]["subjects"][0]["tag"], "Leak");
  EXPECT_EQ(document["hosts"][3]["verdict"], "ok");
  EXPECT_EQ(document["files"][0]["format"], "CSV of a PowerShell script");
  EXPECT_EQ(document["history"], document["hosts"][0]["history"]);  // the worst where the only one would be

  AnalysisOptions of_one = analysis_options(config::Config{});
  of_one.history.host = "D";
  const auto one = analyze_history(files, {"f"}, of_one, shown.meter);
  ASSERT_TRUE(one.ok());
  EXPECT_TRUE(one->others.empty());
  const auto single = nlohmann::json::parse(analysis_json(*one));
  EXPECT_EQ(single["history"]["snapshots"], kHours);
  EXPECT_FALSE(single.contains("hosts"));
  EXPECT_FALSE(single.contains("files"));
}

INSTANTIATE_TEST_SUITE_P(Shapes, SourcesTruth, testing::ValuesIn(kShapes));

}  // namespace
}  // namespace kmem
