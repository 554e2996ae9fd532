// README against the program: its table of metrics is the catalogue (KMEM_UPDATE_GOLDEN=1 writes it anew), and every
// flag, command and file that it names exists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "collectors/windows/limits.h"
#include "config/knobs.h"
#include "exporter/commands/command_table.h"
#include "exporter/metrics/catalogue.h"

namespace kmem {
namespace {

constexpr const char* kReadme = "../README.md";
constexpr std::string_view kBegin = "<!-- metrics: written by docs_tests -->\n";
constexpr std::string_view kEnd = "<!-- end of metrics -->\n";

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string type_text(prometheus::MetricType type) {
  switch (type) {
    case prometheus::MetricType::Counter: return "counter";
    case prometheus::MetricType::Gauge: return "gauge";
    case prometheus::MetricType::Histogram: return "histogram";
    default: return "other";
  }
}

std::string metrics_table() {
  std::string table = "| metric | type | labels | meaning and source |\n|---|---|---|---|\n";
  for (const metrics::MetricRow& row : metrics::catalogue()) {
    std::string labels;
    for (const std::string_view label : row.labels) {
      if (label.empty()) break;
      if (!labels.empty()) labels += ", ";
      labels += label;
    }
    std::string help(row.help);
    for (std::size_t at = 0; (at = help.find('|', at)) != std::string::npos; at += 2) help.insert(at, "\\");
    table.append("| ").append(row.name).append(" | ").append(type_text(row.type)).append(" | ").append(labels);
    table.append(" | ").append(help).append(" |\n");
  }
  return table;
}

TEST(Readme, TellsWhatEveryRoomIs) {
  const std::string readme = read(kReadme);
  std::set<std::string> rooms;
  for (const std::string stage : {"collectors", "exporter"}) {
    for (const auto& entry : std::filesystem::directory_iterator("../" + stage)) {
      if (std::filesystem::exists(entry.path() / "CMakeLists.txt")) {
        rooms.insert("`" + stage + "/" + entry.path().filename().string() + "/`");
      }
    }
  }
  EXPECT_GE(rooms.size(), 15U);
  for (const std::string& room : rooms) EXPECT_NE(readme.find(room), std::string::npos) << room;
}

TEST(Readme, ListsTheMetricsOfTheCatalogue) {
  const std::string readme = read(kReadme);
  const std::size_t begin = readme.find(kBegin), end = readme.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t from = begin + kBegin.size();
  const std::string table = metrics_table();
  if (std::getenv("KMEM_UPDATE_GOLDEN") != nullptr)
    std::ofstream(kReadme, std::ios::binary) << readme.substr(0, from) << table << readme.substr(end);
  EXPECT_EQ(readme.substr(from, end - from), table);
}

TEST(Readme, NamesOnlyFlagsThatExist) {
  const std::string readme = read(kReadme);
  // Of families of flags, CMake's, packaging/run.sh's and promtool's.
  std::set<std::string> known = {"--collector.NAME", "--no-collector.NAME", "--preset", "--build", "--stack",
                                 "--max-block-duration"};
  for (const CommandRow& row : command_table())
    for (const CommandFlag& flag : row.flags) known.insert(std::string(flag.name));
  for (const CommonFlag& flag : common_flags()) known.insert(std::string(flag.name));
  for (const config::KnobInfo& knob : config::knobs()) {
    known.insert(knob.flag);
    if (knob.type == config::KnobType::kBool) known.insert(std::string("--no-").append(knob.flag.substr(2)));
  }
  const std::regex flag("--[a-z][A-Za-z_.-]*[A-Za-z]");
  for (std::sregex_iterator found(readme.begin(), readme.end(), flag), none; found != none; ++found)
    EXPECT_THAT(known, testing::Contains(found->str())) << "in README.md";
}

TEST(Runbooks, NameOnlyCommandsAndFlagsThatExist) {
  std::set<std::string> common;
  for (const CommonFlag& flag : common_flags()) common.insert(std::string(flag.name));
  for (const config::KnobInfo& knob : config::knobs()) common.insert(knob.flag);
  const std::regex call("`kmem_exporter ([a-z-]+)([^`]*)`"), flag("--[a-z][A-Za-z_.-]*[A-Za-z]");
  int calls = 0;
  for (const auto& file : std::filesystem::directory_iterator("../dashboards/runbooks")) {
    const std::string text = read(file.path().string());
    for (std::sregex_iterator found(text.begin(), text.end(), call), none; found != none; ++found, ++calls) {
      const std::string command = (*found)[1], rest = (*found)[2];
      std::set<std::string> known = common;
      bool exists = false;
      for (const CommandRow& row : command_table()) {
        if (row.name != command) continue;
        exists = true;
        for (const CommandFlag& one : row.flags) known.insert(std::string(one.name));
      }
      EXPECT_TRUE(exists) << file.path() << ": " << command;
      for (std::sregex_iterator word(rest.begin(), rest.end(), flag); word != none; ++word)
        EXPECT_THAT(known, testing::Contains(word->str())) << file.path();
    }
  }
  EXPECT_GT(calls, 5);
}

TEST(Readme, NamesEveryCommand) {
  const std::string readme = read(kReadme);
  for (const CommandRow& row : command_table())
    EXPECT_THAT(readme, testing::HasSubstr(std::string("`").append(row.name))) << row.name;
}

TEST(Readme, HasARowForEveryRuleOfThePoolsLimits) {
  const std::string readme = read(kReadme);
  const std::regex row("\n\\| `([a-z0-9_.]+_x(86|64))` \\|");
  std::set<std::string> rows;
  for (std::sregex_iterator found(readme.begin(), readme.end(), row), none; found != none; ++found)
    EXPECT_TRUE(rows.insert((*found)[1]).second) << (*found)[1];
  std::set<std::string> rules;
  for (const std::string_view rule : windows::limit_rules()) rules.emplace(rule);
  EXPECT_EQ(rows, rules);
}

TEST(Readme, NamesOnlyFilesThatExist) {
  const std::string readme = read(kReadme);
  const std::regex path("`((collectors|config|exporter|packaging|tests|dashboards)/[A-Za-z0-9_./-]+)`");
  int named = 0;
  for (std::sregex_iterator found(readme.begin(), readme.end(), path), none; found != none; ++found, ++named) {
    const std::string name = (*found)[1];
    const bool folder = name.ends_with('/');
    const std::string probe = folder ? name + "CMakeLists.txt" : name;
    EXPECT_TRUE(std::ifstream("../" + probe).good() || folder) << name << " is named in README.md";
  }
  EXPECT_GT(named, 5);
}

}  // namespace
}  // namespace kmem
