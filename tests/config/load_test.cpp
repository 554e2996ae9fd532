#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <string>
#include <vector>

#include "config/yaml_document.h"

namespace kmem::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> load_faults(const std::string& text) {
  std::vector<std::string> out;
  for (const Fault& fault : load(text, "kmem.yml").faults) out.push_back(fault.text());
  return out;
}

TEST(Load, NothingGivesTheDefaults) {
  for (const char* text : {"", "---\n", "web:\n", "web: {}\n", "source:\n  collectors:\n", "~\n"}) {
    const LoadResult loaded = load(text, "kmem.yml");
    EXPECT_TRUE(loaded.ok()) << text;
    EXPECT_EQ(loaded.config, Config{}) << text;
  }
}

TEST(Load, WhatIsGivenIsTakenAndTheRestComesFromTheBase) {
  Config base;
  base.tags.max_exported = 7;
  const LoadResult loaded = load(
      "web:\n  listen_addresses:\n    - 127.0.0.1:9100\n    - \"[::1]:9100\"\n  max_header_bytes: 16KiB\n"
      "tags: {dwell: 2d, include: [Even]}\nlog: {level: debug}\nsource:\n  collectors: {vmallocinfo: true}\n",
      "kmem.yml", base);
  ASSERT_TRUE(loaded.ok()) << loaded.faults[0].text();
  Config expected = base;
  expected.web.listen_addresses = {"127.0.0.1:9100", "[::1]:9100"};
  expected.web.max_header_bytes = 16'384;
  expected.tags.dwell = std::chrono::hours(48);
  expected.tags.include = {"Even"};
  expected.log.level = base::LogLevel::kDebug;
  expected.source.collectors.vmallocinfo = true;
  EXPECT_EQ(loaded.config, expected);
}

TEST(Load, PathsCountFromTheFile) {
  const LoadResult loaded = load(
      "storage: {path: state}\nweb: {config_file: ../web.yml}\nsource: {kind: 'replay:c.kmem', "
      "procfs: proc}\ndrivers: {pooltag_file: p.txt, leak_signatures_file: l.txt, folders: [drv, /drv]}\n"
      "tags: {include: [Even]}\n",
      "/etc/kmem/kmem.yml");
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.config.storage.path, "/etc/kmem/state");
  EXPECT_EQ(loaded.config.web.config_file, "/etc/kmem/../web.yml");
  EXPECT_EQ(loaded.config.source.kind, "replay:/etc/kmem/c.kmem");
  EXPECT_EQ(loaded.config.source.procfs, "/etc/kmem/proc");
  EXPECT_EQ(loaded.config.source.sysfs, "/sys");
  EXPECT_EQ(loaded.config.drivers.pooltag_file, "/etc/kmem/p.txt");
  EXPECT_EQ(loaded.config.drivers.leak_signatures_file, "/etc/kmem/l.txt");
  EXPECT_THAT(loaded.config.drivers.folders, ElementsAre("/etc/kmem/drv", "/drv"));
  EXPECT_THAT(loaded.config.tags.include, ElementsAre("Even"));
}

TEST(Load, UnknownKeysNameTheNearest) {
  EXPECT_THAT(load_faults("wbe: {}\n"), ElementsAre("kmem.yml:1:1: unknown key \"wbe\"; did you mean \"web\"?"));
  EXPECT_THAT(load_faults("web:\n  max_request: 1\n"),
              ElementsAre("kmem.yml:2:3: unknown key \"max_request\" in web; did you mean \"max_requests\"?"));
  EXPECT_THAT(load_faults("source:\n  collectors:\n    slab_info: true\n"),
              ElementsAre("kmem.yml:3:5: unknown key \"slab_info\" in source.collectors; did you mean \"slabinfo\"?"));
  EXPECT_THAT(load_faults("log:\n  dwell: 1h\n"),
              ElementsAre("kmem.yml:2:3: unknown key \"dwell\" in log; did you mean \"tags.dwell\"?"));
  EXPECT_THAT(load_faults("xyzzy: 1\n"), ElementsAre("kmem.yml:1:1: unknown key \"xyzzy\""));
  EXPECT_THAT(load_faults("web.max_requests: 1\n"),
              ElementsAre("kmem.yml:1:1: unknown key \"web.max_requests\": expected a section for each part of the name"));
  EXPECT_THAT(load_faults("'': 1\n<<: {}\n"),
              ElementsAre("kmem.yml:1:1: unknown key \"\"", "kmem.yml:2:1: unknown key \"<<\""));
}

TEST(Load, WrongTypesSayWhatIsExpected) {
  EXPECT_THAT(load_faults("web: 5\n"), ElementsAre("kmem.yml:1:6: web: expected sections and keys, got \"5\""));
  EXPECT_THAT(load_faults("- a\n"), ElementsAre("kmem.yml:1:1: the file: expected sections and keys, got a list"));
  EXPECT_THAT(load_faults("web:\n  max_requests: [1]\n"),
              ElementsAre("kmem.yml:2:17: web.max_requests: expected 1..1000 requests, got a list"));
  EXPECT_THAT(load_faults("web:\n  max_requests: {a: 1}\n"),
              ElementsAre("kmem.yml:2:17: web.max_requests: expected 1..1000 requests, got a section"));
  EXPECT_THAT(load_faults("web:\n  max_requests: '1'\n"),
              ElementsAre("kmem.yml:2:17: web.max_requests: expected 1..1000 requests, got text in quotes"));
  EXPECT_THAT(load_faults("tags:\n  all: \"true\"\n"),
              ElementsAre("kmem.yml:2:8: tags.all: expected true or false, got text in quotes"));
  EXPECT_THAT(load_faults("tags:\n  all: yes\n"), ElementsAre("kmem.yml:2:8: tags.all: expected true or false, got \"yes\""));
  EXPECT_THAT(load_faults("sampling: {interval: null}\n"),
              ElementsAre("kmem.yml:1:22: sampling.interval: expected a duration of 1s..1h, got nothing"));
  EXPECT_THAT(load_faults("web:\n  listen_addresses: ':1'\n"),
              ElementsAre("kmem.yml:2:21: web.listen_addresses: expected a list, each host:port, [v6]:port or :port, "
                          "got \":1\""));
  EXPECT_THAT(load_faults("web:\n  listen_addresses: [[':1'], ':x']\n"),
              ElementsAre("kmem.yml:2:22: web.listen_addresses: expected host:port, [v6]:port or :port, got a list"));
}

TEST(Load, ListItemsHaveTheirOwnPlaces) {
  EXPECT_THAT(load_faults("web:\n  listen_addresses:\n    - ':1'\n    - 'x'\n    - ':1'\n"),
              ElementsAre("kmem.yml:4:7: web.listen_addresses: expected host:port, [v6]:port or :port, got \"x\"; "
                          "the port is missing: did you mean \"x:10054\"?",
                          "kmem.yml:5:7: web.listen_addresses: \":1\" is given twice"));
  EXPECT_THAT(load_faults("web:\n  listen_addresses: []\n"),
              ElementsAre("kmem.yml:2:21: web.listen_addresses: expected 1..16 items, got 0"));
}

TEST(Load, TellsEveryFaultAtOnceInOrder) {
  EXPECT_THAT(
      load_faults("sampling:\n  interval: 2h\nweb:\n  max_requests: 0\n  max_requests: 5\n  port: 1\nlog: {level: loud}\n"
                  "tags: {include: *x}\n"),
      ElementsAre("kmem.yml:2:13: sampling.interval: expected a duration of 1s..1h, got \"2h\"",
                  "kmem.yml:4:17: web.max_requests: expected 1..1000 requests, got \"0\"",
                  "kmem.yml:5:3: key \"max_requests\" is given twice, first in line 4",
                  "kmem.yml:6:3: unknown key \"port\" in web",
                  "kmem.yml:7:14: log.level: expected debug, info, warn or error, got \"loud\"",
                  // yaml-cpp 0.8 names the anchor as well.
                  testing::StartsWith("kmem.yml:8:17: not valid YAML: the referenced anchor is not defined")));
}

TEST(Load, FaultsOfTheTextComeTogetherWithThoseBeforeThem) {
  EXPECT_THAT(load_faults("web:\n  max_requests: 0\nlog:\n\tlevel: x\n"),
              ElementsAre("kmem.yml:2:17: web.max_requests: expected 1..1000 requests, got \"0\"",
                          "kmem.yml:4:1: a tab in the indentation: expected spaces"));
}

TEST(Load, AnchoredValuesAreRefusedOnce) {
  EXPECT_THAT(load_faults("sampling: {interval: &i 5s}\nscrape: {min_interval: *i}\n"),
              ElementsAre("kmem.yml:1:22: anchors (&name) are not supported",
                          "kmem.yml:2:24: aliases (*name) are not supported: write the value out"));
}

TEST(Load, ManyFaultsAreCutOff) {
  const auto keys = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "zz" + std::to_string(i) + ": 1\n";
    return text;
  };
  const std::clock_t begun = std::clock();
  (void)load_faults(keys(10'000));
  const std::clock_t half = std::clock();
  const std::vector<std::string> faults = load_faults(keys(20'000));
  const std::clock_t whole = std::clock();
  ASSERT_EQ(faults.size(), kMaxFaults + 1);
  EXPECT_EQ(faults[0], "kmem.yml:1:1: unknown key \"zz0\"");
  EXPECT_EQ(faults.back(), "kmem.yml: more than 100 faults: the rest is not shown");
  EXPECT_LT(whole - half, 8 * (half - begun)) << "twice as many";
}

TEST(Load, ControlCharactersCannotHideInEscapes) {
  EXPECT_THAT(load_faults("storage: {path: \"a\\0b\"}\n"),
              ElementsAre("kmem.yml:1:17: storage.path: expected a folder, got \"a\\x00b\"; it holds a control character"));
}

}  // namespace
}  // namespace kmem::config
