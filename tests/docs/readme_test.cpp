// The documents against the program: the table of metrics is the catalogue (KMEM_UPDATE_GOLDEN=1 writes it anew), and
// every flag, command and file that they name exists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/windows/limits.h"
#include "config/collectors.h"
#include "config/knobs.h"
#include "config/text.h"
#include "exporter/commands/command_table.h"
#include "exporter/metrics/catalogue.h"

namespace kmem {
namespace {

constexpr const char* kReadme = "../README.md";
constexpr const char* kMetrics = "../exporter/metrics/README.md";
constexpr std::array kRooms = {"collectors", "config", "exporter", "dashboards", "packaging", "tests"};
constexpr const char* kCollectors = "../collectors/README.md";

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// README.md and the one of every folder that has one.
std::vector<std::string> documents() {
  std::vector<std::string> found = {kReadme};
  for (const std::string room : kRooms)
    for (const auto& entry : std::filesystem::recursive_directory_iterator("../" + room))
      if (entry.path().filename() == "README.md") found.push_back(entry.path().generic_string());
  std::sort(found.begin(), found.end());
  return found;
}

/// Without the lines that call other programs, which have flags of their own.
std::string of_this_program(const std::string& text) {
  static const std::regex other(
      "kmem_(trend|surge)_(sim|fit)|mimirtool|thanos|vmalert|measure\\.py|site_rules\\.py|ctest|test\\.sh");
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!std::regex_search(line, other)) out += line + "\n";
  return out;
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
  const std::string readme = read("../exporter/README.md");
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

std::string pace_text(const config::Pace& pace) {
  if (!pace.is_there) return "";
  return pace.every.count() == 0 ? "each reading" : config::duration_text(pace.every);
}

std::string collectors_table() {
  std::string table = "| collector | Linux | Windows | gives, needs |\n|---|---|---|---|\n";
  for (const config::CollectorInfo& info : config::kCollectors) {
    std::string_view help = info.help;
    help.remove_prefix(help.find(": ") + 2);
    table.append("| ").append(info.name).append(" | ").append(pace_text(info.on_linux)).append(" | ");
    table.append(pace_text(info.on_windows)).append(" | ").append(help).append(" |\n");
  }
  return table;
}

/// What stands between a document's two comments; KMEM_UPDATE_GOLDEN=1 writes it anew.
void expect_written(const char* document, const std::string& what, const std::string& table) {
  std::string readme = read(document);
  const std::string mark = "<!-- " + what + ": written by docs_tests -->\n";
  const std::size_t begin = readme.find(mark);
  std::size_t end = readme.find("<!-- end of " + what + " -->\n");
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const std::size_t from = begin + mark.size();
  if (std::getenv("KMEM_UPDATE_GOLDEN") != nullptr) {
    readme.replace(from, end - from, table);
    end = from + table.size();
    std::ofstream(document, std::ios::binary) << readme;
  }
  EXPECT_EQ(readme.substr(from, end - from), table) << "KMEM_UPDATE_GOLDEN=1 writes it anew";
}

TEST(Readme, ListsTheMetricsOfTheCatalogue) { expect_written(kMetrics, "metrics", metrics_table()); }

TEST(Readme, ListsTheCollectors) { expect_written(kCollectors, "collectors", collectors_table()); }

TEST(Readme, NamesOnlyFlagsThatExist) {
  // Of families of flags, CMake's, packaging/run.sh's, promtool's, packaging/lint.sh's and site_rules.py's.
  std::set<std::string> known = {"--collector.NAME", "--no-collector.NAME",  "--preset", "--build",
                                 "--stack",          "--max-block-duration", "--fix",    "--settings"};
  for (const CommandRow& row : command_table())
    for (const CommandFlag& flag : row.flags) known.insert(std::string(flag.name));
  for (const CommonFlag& flag : common_flags()) known.insert(std::string(flag.name));
  for (const config::KnobInfo& knob : config::knobs()) {
    known.insert(knob.flag);
    if (knob.type == config::KnobType::kBool) known.insert(std::string("--no-").append(knob.flag.substr(2)));
  }
  const std::regex flag("--[a-z][A-Za-z_.-]*[A-Za-z]");
  std::size_t flags = 0;
  for (const std::string& document : documents()) {
    const std::string text = of_this_program(read(document));
    for (std::sregex_iterator found(text.begin(), text.end(), flag), none; found != none; ++found, ++flags)
      EXPECT_THAT(known, testing::Contains(found->str())) << "in " << document;
  }
  EXPECT_GT(flags, 40U);
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
  const std::string readme = read("../collectors/windows/README.md");
  const std::regex row("\n\\| `([a-z0-9_.]+_x(86|64))` \\|");
  std::set<std::string> rows;
  for (std::sregex_iterator found(readme.begin(), readme.end(), row), none; found != none; ++found)
    EXPECT_TRUE(rows.insert((*found)[1]).second) << (*found)[1];
  std::set<std::string> rules;
  for (const std::string_view rule : windows::limit_rules()) rules.emplace(rule);
  EXPECT_EQ(rows, rules);
}

TEST(Readme, NamesOnlyFilesThatExist) {
  const std::regex path("`((collectors|config|exporter|packaging|tests|dashboards)/[A-Za-z0-9_./-]+)`");
  int named = 0;
  for (const std::string& document : documents()) {
    const std::string text = read(document);
    for (std::sregex_iterator found(text.begin(), text.end(), path), none; found != none; ++found, ++named) {
      const std::string name = (*found)[1];
      EXPECT_TRUE(std::filesystem::exists("../" + name)) << name << " is named in " << document;
    }
  }
  EXPECT_GT(named, 20);
}

/// GitHub's way to an anchor: lower case, blanks to hyphens, other signs dropped.
std::string anchor_of(const std::string& heading) {
  std::string out;
  for (const char c : heading) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ' || c == '-') out += '-';
    else if (c == '_' || std::isalnum(byte) != 0) out += static_cast<char>(std::tolower(byte));
  }
  return out;
}

TEST(Readme, LeadsSomewhereWithEveryLink) {
  const std::regex link("\\]\\(([^)# ]*)(#([^) ]*))?\\)"), heading("(^|\n)#+ ([^\n]*)");
  int links = 0;
  for (const std::string& document : documents()) {
    const std::string text = read(document);
    for (std::sregex_iterator found(text.begin(), text.end(), link), none; found != none; ++found, ++links) {
      const std::string file = (*found)[1], anchor = (*found)[3];
      if (file.starts_with("http")) continue;
      const std::filesystem::path here(document), target = file.empty() ? here : here.parent_path() / file;
      ASSERT_TRUE(std::filesystem::exists(target)) << found->str() << " in " << document;
      if (anchor.empty()) continue;
      const std::string there = read(target.string());
      std::set<std::string> anchors;
      for (std::sregex_iterator one(there.begin(), there.end(), heading); one != none; ++one)
        anchors.insert(anchor_of((*one)[2]));
      EXPECT_THAT(anchors, testing::Contains(anchor)) << "in " << document;
    }
  }
  EXPECT_GT(links, 10);
}

}  // namespace
}  // namespace kmem
