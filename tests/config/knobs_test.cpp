#include "config/knobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "config/load.h"

namespace kmem::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const KnobInfo& knob(const std::string& name) {
  const KnobInfo* found = find_knob(name);
  if (found == nullptr) throw std::runtime_error("no knob " + name);
  return *found;
}

/// "" = taken.
std::string try_set(const std::string& name, const std::vector<std::string>& values) {
  Config config;
  const auto faults = set_knob(config, knob(name), values);
  if (!faults.empty()) { EXPECT_EQ(config, Config{}) << "a refused value changed something"; }
  return faults.empty() ? "" : faults[0].message;
}

TEST(Knobs, AreAllThereOnce) {
  std::set<std::string_view> names;
  std::set<std::string> flags;
  for (const KnobInfo& info : knobs()) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_TRUE(flags.insert(info.flag).second) << info.flag;
    EXPECT_FALSE(info.help.empty()) << info.name;
    EXPECT_FALSE(info.expected.empty()) << info.name;
  }
  EXPECT_EQ(names.size() - kCollectors.size(), 43U) << "a knob came or went: its test below goes with it";
  EXPECT_EQ(find_knob("web"), nullptr);
  EXPECT_EQ(find_knob("web.max-requests"), nullptr);
}

TEST(Knobs, FlagsFollowTheEcosystem) {
  EXPECT_EQ(knob("source.kind").flag, "--collector.source");
  EXPECT_EQ(knob("source.procfs").flag, "--path.procfs");
  EXPECT_EQ(knob("source.collectors.pool_tags").flag, "--collector.pool_tags");
  EXPECT_EQ(knob("web.listen_addresses").flag, "--web.listen-address");
  EXPECT_EQ(knob("web.config_file").flag, "--web.config.file");
  EXPECT_EQ(knob("web.max_requests").flag, "--web.max-requests");
  EXPECT_EQ(knob("storage.path").flag, "--storage.path");
}

// A value other than the default for every knob, and what the Config then holds.
TEST(Knobs, EveryOneSetsItsField) {
  std::map<std::string, std::string> other = {
      {"source.kind", "\"linux\""},
      {"source.procfs", "\"/p\""},
      {"source.sysfs", "\"/s\""},
      {"sampling.interval", "90s"},
      {"scrape.min_interval", "0s"},
      {"scrape.timeout", "2s"},
      {"metrics.profile", "lean"},
      {"tags.top_bytes", "0"},
      {"tags.top_outstanding", "1000"},
      {"tags.top_growth", "7"},
      {"tags.max_exported", "5000"},
      {"tags.max_tracked", "64"},
      {"tags.dwell", "1h"},
      {"tags.top_session", "0"},
      {"tags.include", "[\"nonpaged/Even\", \"dentry\"]"},
      {"tags.counters", "false"},
      {"tags.all", "true"},
      {"processes.top", "200"},
      {"drivers.enabled", "false"},
      {"drivers.scan", "false"},
      {"drivers.pooltag_file", "\"/d/pooltag.txt\""},
      {"drivers.leak_signatures_file", "\"/d/leaks.txt\""},
      {"drivers.folders", "[\"/d\", \"/e\"]"},
      {"trend.enabled", "false"},
      {"trend.max_subjects", "64"},
      {"trend.min_growth_per_day", "1MiB"},
      {"web.listen_addresses", "[\"[::1]:1\", \"host:2\"]"},
      {"web.telemetry_path", "\"/m\""},
      {"web.systemd_socket", "true"},
      {"web.host_names", "[\"a.example\", \"*\"]"},
      {"web.healthy_without_password", "true"},
      {"web.config_file", "\"/w.yml\""},
      {"web.max_requests", "1"},
      {"web.max_connections", "8"},
      {"web.max_header_bytes", "64KiB"},
      {"web.request_timeout", "100ms"},
      {"web.idle_timeout", "10m"},
      {"web.write_timeout", "1m"},
      {"web.keep_alive_requests", "1000000"},
      {"storage.path", "\"/var/lib/kmem\""},
      {"storage.save_interval", "1d"},
      {"log.level", "error"},
      {"log.format", "json"},
  };
  Config expected;
  expected.source = {"linux", "/p", "/s", {}};
  for (const CollectorInfo& info : kCollectors) {
    bool& on = expected.source.collectors.*info.on;
    on = !on;
    other.emplace("source.collectors." + std::string(info.name), on ? "true" : "false");
  }
  expected.sampling.interval = std::chrono::seconds(90);
  expected.scrape = {std::chrono::seconds(0), std::chrono::seconds(2)};
  expected.metrics.profile = MetricsProfile::kLean;
  expected.tags = {0, 1000, 7, 5000, 64, std::chrono::hours(1), {"nonpaged/Even", "dentry"}, false, true, 0};
  expected.processes.top = 200;
  expected.drivers = {false, false, "/d/pooltag.txt", "/d/leaks.txt", {"/d", "/e"}};
  expected.trend = {false, 64, 1 << 20};
  expected.web = {{"[::1]:1", "host:2"},
                  true,
                  "/m",
                  "/w.yml",
                  {"a.example", "*"},
                  true,
                  1,
                  8,
                  65'536,
                  std::chrono::milliseconds(100),
                  std::chrono::minutes(10),
                  std::chrono::minutes(1),
                  1'000'000};
  expected.storage = {"/var/lib/kmem", std::chrono::hours(24)};
  expected.log = {base::LogLevel::kError, base::LogFormat::kJson};

  Config config;
  for (const KnobInfo& info : knobs()) {
    ASSERT_TRUE(other.contains(std::string(info.name))) << info.name;
    const std::string& text = other.at(std::string(info.name));
    EXPECT_NE(text, info.default_value) << info.name;
    // Through YAML, so that what knob_text writes is what load reads.
    std::string yaml, indent;
    std::istringstream parts{std::string(info.name)};
    for (std::string part; std::getline(parts, part, '.'); indent += ' ') yaml += indent + part + ":\n";
    yaml.insert(yaml.size() - 1, " " + text);
    const LoadResult loaded = load(yaml, "f", config);
    ASSERT_TRUE(loaded.ok()) << info.name << ": " << loaded.faults[0].text();
    EXPECT_NE(loaded.config, config) << info.name;
    config = loaded.config;
    EXPECT_EQ(knob_text(config, info), text) << info.name;
  }
  EXPECT_EQ(config, expected);
}

TEST(Knobs, RangesHoldAtBothEnds) {
  EXPECT_EQ(try_set("web.max_requests", {"1"}), "");
  EXPECT_EQ(try_set("web.max_requests", {"1000"}), "");
  EXPECT_EQ(try_set("web.max_requests", {"0"}), "expected 1..1000 requests, got \"0\"");
  EXPECT_EQ(try_set("web.max_requests", {"1001"}), "expected 1..1000 requests, got \"1001\"");
  EXPECT_EQ(try_set("web.max_requests", {"-1"}), "expected 1..1000 requests, got \"-1\"");
  EXPECT_EQ(try_set("sampling.interval", {"999ms"}), "expected a duration of 1s..1h, got \"999ms\"");
  EXPECT_EQ(try_set("sampling.interval", {"61m"}), "expected a duration of 1s..1h, got \"61m\"");
  EXPECT_EQ(try_set("sampling.interval", {"60"}),
            "expected a duration of 1s..1h, got \"60\"; the unit is missing: ms, s, m, h or d");
  EXPECT_EQ(try_set("tags.dwell", {"90m"}), "expected a duration of 1h..365d in whole hours, got \"90m\"");
  EXPECT_EQ(try_set("web.max_header_bytes", {"1KiB"}), "");
  EXPECT_EQ(try_set("web.max_header_bytes", {"1023"}), "expected a size of 1KiB..64KiB, got \"1023\"");
  EXPECT_EQ(try_set("web.max_header_bytes", {"65KiB"}), "expected a size of 1KiB..64KiB, got \"65KiB\"");
  EXPECT_EQ(try_set("tags.all", {"yes"}), "expected true or false, got \"yes\"");
}

TEST(Knobs, ChoicesNameTheNearest) {
  EXPECT_EQ(try_set("log.level", {"wran"}), "expected debug, info, warn or error, got \"wran\"; did you mean \"warn\"?");
  EXPECT_EQ(try_set("log.format", {"jsn"}), "expected logfmt or json, got \"jsn\"; did you mean \"json\"?");
  EXPECT_EQ(try_set("log.level", {"zzz"}), "expected debug, info, warn or error, got \"zzz\"");
  EXPECT_EQ(try_set("source.kind", {"windws"}),
            "expected auto, linux, windows or replay:FILE, got \"windws\"; did you mean \"windows\"?");
  EXPECT_EQ(try_set("source.kind", {"replay:"}),
            "expected auto, linux, windows or replay:FILE, got \"replay:\"; the name of a recorded file is missing");
  EXPECT_EQ(try_set("source.kind", {"replay:x"}), "");
}

TEST(Knobs, TextIsChecked) {
  const std::string path = "expected a path such as /metrics, outside /-/ and /api/, got ";
  EXPECT_EQ(try_set("web.telemetry_path", {"/"}), "");
  EXPECT_EQ(try_set("web.telemetry_path", {"/a/b"}), "");
  for (const char* bad : {"", "metrics", "/a b", "/a?b", "/-/ready", "/api/v1/tags", "/%41", "/\xC3\xA4"})
    EXPECT_EQ(try_set("web.telemetry_path", {bad}), path + "\"" + bad + "\"");
  EXPECT_EQ(try_set("source.procfs", {""}), "expected a folder, got \"\"");
  EXPECT_EQ(try_set("storage.path", {""}), "");
  EXPECT_EQ(try_set("storage.path", {"a\nb"}), "expected a folder, got \"a\\x0ab\"; it holds a control character");
  EXPECT_EQ(try_set("storage.path", {"C:\temp"}),
            "expected a folder, got \"C:\\x09emp\"; it holds a control character: a "
            "path with backslashes goes into single quotes");
  EXPECT_EQ(try_set("storage.path", {"a\xFF"}), "expected a folder, got \"a\\xff\"; it is not UTF-8");
  EXPECT_NE(try_set("storage.path", {std::string(4097, 'x')}), "");
  EXPECT_EQ(try_set("storage.path", {std::string(4096, 'x')}), "");
}

TEST(Knobs, HostNamesAreNamesWithoutPort) {
  for (const char* good : {"*", "kmem.example.org", "a-b", "10.0.0.1"})
    EXPECT_EQ(try_set("web.host_names", {good}), "") << good;
  for (const char* bad : {"", "a:1", "http://a", "a b", "*.example", "[::1]"})
    EXPECT_EQ(try_set("web.host_names", {bad}), "expected a name without port, or *, got \"" + std::string(bad) + "\"");
}

TEST(Knobs, ListsAreCheckedItemByItem) {
  Config config;
  const auto faults = set_knob(config, knob("web.listen_addresses"), {":1", "10054", ":1", "a b"});
  ASSERT_EQ(faults.size(), 3U);
  EXPECT_EQ(faults[0].index, 1U);
  EXPECT_EQ(faults[0].message, "expected host:port, [v6]:port or :port, got \"10054\"; did you mean \":10054\"?");
  EXPECT_EQ(faults[1].index, 2U);
  EXPECT_EQ(faults[1].message, "\":1\" is given twice");
  EXPECT_EQ(faults[2].message, "expected host:port, [v6]:port or :port, got \"a b\"");
  const auto hint = [](const std::string& address) {
    const std::string said = try_set("web.listen_addresses", {address});
    return said.substr(std::min(said.find("; "), said.size()));
  };
  EXPECT_EQ(hint("127.0.0.1"), "; the port is missing: did you mean \"127.0.0.1:10054\"?");
  EXPECT_EQ(hint("my-host"), "; the port is missing: did you mean \"my-host:10054\"?");
  EXPECT_EQ(hint("[::1]"), "; the port is missing: did you mean \"[::1]:10054\"?");
  EXPECT_EQ(hint("::1"), "; an IPv6 address stands in brackets, with a port behind it: did you mean \"[::1]:10054\"?");
  EXPECT_EQ(hint("fe80::12"),
            "; an IPv6 address stands in brackets, with a port behind it: did you mean "
            "\"[fe80::12]:10054\"?");
  EXPECT_EQ(hint("::1:9100"), "; an IPv6 address stands in brackets: did you mean \"[::1]:9100\"?");
  for (const char* none : {"a b", "host:", ":x", "host:99999", "http://host", ""}) EXPECT_EQ(hint(none), "") << none;
  EXPECT_EQ(hint("unix:run/x"), "; a socket in the file system is unix:/absolute/path of at most 107 bytes, not on Windows");
  EXPECT_EQ(try_set("web.listen_addresses", {}), "expected 1..16 items, got 0");
  std::vector<std::string> many;
  for (int i = 1; i <= 17; ++i) many.push_back(":" + std::to_string(i));
  EXPECT_EQ(try_set("web.listen_addresses", many), "expected 1..16 items, got 17");
}

TEST(Knobs, IncludedTagsMayNameTheirPool) {
  for (const char* good : {"Even", "nonpaged/Even", "slab_unreclaimable/kmalloc-64", "mm/slub.c", "Irp ", "drivers/net/x"})
    EXPECT_EQ(try_set("tags.include", {good}), "") << good;
  EXPECT_EQ(try_set("tags.include", {"nonpage/Even"}),
            "expected a tag or pool/tag, such as nonpaged/Even, got \"nonpage/Even\"; did you mean \"nonpaged/Even\"?");
  EXPECT_NE(try_set("tags.include", {""}), "");
  EXPECT_NE(try_set("tags.include", {"paged/"}), "");
}

TEST(Knobs, ReloadSaysWhatNeedsARestart) {
  Config fresh;
  EXPECT_THAT(reloadable(Config{}, fresh).apply, IsEmpty());
  EXPECT_THAT(reloadable(Config{}, fresh).need_restart, IsEmpty());
  fresh.log.level = base::LogLevel::kDebug;
  fresh.tags.include = {"Even"};
  fresh.source.collectors.slabinfo = false;
  fresh.source.kind = "linux";
  fresh.web.listen_addresses = {":1"};
  fresh.storage.path = "/x";
  const ReloadPlan plan = reloadable(Config{}, fresh);
  EXPECT_THAT(plan.apply, ElementsAre("source.collectors.slabinfo", "tags.include", "log.level"));
  EXPECT_THAT(plan.need_restart, ElementsAre("source.kind", "web.listen_addresses", "storage.path"));
}

TEST(Knobs, ReloadKeepsWhatNeedsARestart) {
  Config running, fresh;
  running.drivers.folders = {"/old"};
  running.trend.enabled = false;
  fresh.drivers.folders = {"/new"};
  fresh.storage = {"/x", std::chrono::seconds(10)};
  fresh.source.sysfs = "/y";
  fresh.source.collectors.stat = false;
  Config expected = fresh;
  expected.drivers.folders = {"/old"};
  expected.trend.enabled = false;
  expected.storage.path = "";
  expected.source.sysfs = "/sys";
  EXPECT_EQ(reloadable(running, fresh).next, expected);
}

TEST(CollectorTable, SaysWhichSystemsAndHowOften) {
  for (const CollectorInfo& info : kCollectors) {
    const bool on_linux = info.on_linux.is_there, on_windows = info.on_windows.is_there;
    EXPECT_TRUE(on_linux || on_windows) << info.name;
    EXPECT_TRUE(info.help.starts_with(on_linux && on_windows ? "Both: " : on_linux ? "Linux: " : "Windows: ")) << info.name;
    EXPECT_EQ(find_knob("source.collectors." + std::string(info.name))->help, info.help);
  }
  EXPECT_EQ(collector("big_pool").on_windows.every, std::chrono::minutes(1));
  EXPECT_EQ(collector("settings").on_linux.every, std::chrono::minutes(1));
  EXPECT_EQ(collector("performance").on_windows.every, std::chrono::seconds(0));
}

std::string read_example() {
  std::ifstream file("../config/kmem_exporter.yml", std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

TEST(Example, IsWrittenByTheTable) {
  if (std::getenv("KMEM_UPDATE_GOLDEN") != nullptr)
    std::ofstream("../config/kmem_exporter.yml", std::ios::binary) << example_yaml();
  EXPECT_EQ(read_example(), example_yaml()) << "KMEM_UPDATE_GOLDEN=1 writes it anew";
}

TEST(Example, EqualsTheDefaults) {
  // Over a base that differs everywhere, so that a knob missing from the example would show.
  Config base;
  base.source = {
      "windows", "a", "b", {false, false, true, false, false, false, false, false, false, false, false, false, false}};
  base.sampling.interval = base.scrape.min_interval = std::chrono::seconds(3);
  base.tags = {1, 1, 1, 1, 64, std::chrono::hours(1), {"x"}, false, true, 1};
  base.processes.top = 1;
  base.drivers = {false, false, "x", "x", {"x"}};
  base.web = {{":1"},
              true,
              "/x",
              "x",
              {"x"},
              true,
              1,
              8,
              1024,
              std::chrono::seconds(1),
              std::chrono::seconds(1),
              std::chrono::seconds(1),
              1};
  base.storage = {"x", std::chrono::seconds(10)};
  base.log = {base::LogLevel::kError, base::LogFormat::kJson};
  const LoadResult loaded = load(read_example(), "../config/kmem_exporter.yml", base);
  ASSERT_TRUE(loaded.ok()) << loaded.faults[0].text();
  EXPECT_EQ(loaded.config, Config{});
}

TEST(Example, SaysWhatEveryKnobIs) {
  const std::string example = example_yaml();
  for (const KnobInfo& info : knobs()) {
    const std::string key = std::string(info.name.substr(info.name.rfind('.') + 1)) + ": " + info.default_value + "\n";
    EXPECT_NE(example.find(key), std::string::npos) << info.name;
    EXPECT_NE(example.find("Default: " + info.default_value.substr(0, info.default_value.find(' '))), std::string::npos);
  }
  std::istringstream lines(example);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 110U) << line;
}

TEST(Knobs, SayWhereTheirPathsBegin) {
  std::vector<std::string> with_paths;
  for (const KnobInfo& knob : knobs()) {
    const bool is_text = knob.type == KnobType::kPath || knob.type == KnobType::kText || knob.type == KnobType::kList;
    if (is_text && path_at(knob, "x") == 0) with_paths.emplace_back(knob.name);
    EXPECT_EQ(path_at(knob, ""), std::string::npos) << knob.name;
  }
  EXPECT_THAT(with_paths,
              testing::ElementsAre("source.procfs", "source.sysfs", "drivers.pooltag_file", "drivers.leak_signatures_file",
                                   "drivers.folders", "web.config_file", "storage.path"));
  EXPECT_EQ(path_at(*find_knob("source.kind"), "replay:a.cap"), 7u);
  EXPECT_EQ(path_at(*find_knob("source.kind"), "replay:"), std::string::npos);
  EXPECT_EQ(path_at(*find_knob("source.kind"), "linux"), std::string::npos);
}

}  // namespace
}  // namespace kmem::config
