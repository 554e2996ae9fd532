#include "collectors/history/hosts_by_name.h"

#include <gmock/gmock.h>

#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(HostsByName, DatesCountersAndEndingsAreNoPartsOfAName) {
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"SRV1-20260901.log", {"SRV1"}},
      {"poolmon_HOSTA_2026-09-01.txt", {"poolmon", "HOSTA"}},
      {"HOSTA/poolmon.log", {"HOSTA", "poolmon"}},
      {"C:\\logs\\HOSTA\\2026-09-01\\poolmon.log.2", {"C:", "logs", "HOSTA", "poolmon"}},
      {"poolmon.log", {"poolmon"}},
      {"poolmon.log.1", {"poolmon"}},
      {"poolmon.1.log", {"poolmon"}},
      {"poolmon (2).txt", {"poolmon"}},
      {"pool-20260901-0000.txt", {"pool"}},
      {"pool.1793901600.txt", {"pool"}},
      {"pool_05_09_2026.txt", {"pool"}},
      {"pool 13-09-2026 12.30.txt", {"pool"}},
      {"pool-2026-09-01T00-05-00Z.log", {"pool"}},
      {"pool-20260901T0005Z.log", {"pool"}},
      {"pool-08Nov2026_18h30.log", {"pool"}},
      {"pool-08-Nov-2026 6PM.log", {"pool"}},
      {"SRV-01_20260901.log", {"SRV", "01"}},
      {"SRV-01-2026-09-01.log", {"SRV", "01"}},
      {"pool_10.0.0.5_20260901.log", {"pool", "10.0.0.5"}},
      {"web01.corp.example_20260901_3.csv", {"web01", "corp", "example"}},
      {"20260901.log", {}},
  };
  for (const auto& [path, parts] : cases) EXPECT_EQ(parts_of_name(path), parts) << path;
}

using Texts = std::vector<std::pair<std::string, std::string>>;

struct ByName {
  test::WholeHistory whole;
  std::map<std::string, std::string> by_host;  // "18:00 64; 19:00 96"
};

ByName read_by_name(const Texts& texts) {
  test::MemoryFiles files;
  const std::vector<std::string> paths = files.put_all(texts);
  HistoryOptions options;
  options.all_hosts = true;
  ByName read;
  read.whole = test::read_history(files, paths, options);
  if (!read.whole.error.empty()) return read;
  for (int look = 0; look < kMostLooks; ++look) {
    read.by_host.clear();
    auto source = open_history(files, paths, options);
    if (!source) return read;
    do {
      Snapshot snapshot;
      EXPECT_TRUE((*source)->read(snapshot).ok());
      std::string& line = read.by_host[(*source)->host()];
      line += (line.empty() ? "" : "; ") + base::rfc3339(snapshot.time).substr(8, 8);
      for (const TagUsage& tag : snapshot.tags) line += " " + std::to_string(tag.bytes);
    } while ((*source)->advance());
    if ((*source)->learned() == options.learned) break;
    options.learned = (*source)->learned();
  }
  return read;
}

std::string table(int allocs, int bytes, const char* pool = "Nonp", const char* tag = "Leak") {
  return " Tag  Type Allocs Frees Diff Bytes Per Alloc\n " + std::string(tag) + " " + pool + " " + std::to_string(allocs) +
         " " + std::to_string(allocs - 1) + " 1 " + std::to_string(bytes) + " " + std::to_string(bytes) + "\n";
}
std::string at(const std::string& time, int allocs, int bytes) { return "2026-09-" + time + ":00Z\n" + table(allocs, bytes); }
std::string log_of(int hours, int minute, int allocs, int bytes) {
  std::string text;
  for (int hour = 0; hour < hours; ++hour)
    text += at("01 0" + std::to_string(hour) + ":" + (minute < 10 ? "0" : "") + std::to_string(minute), allocs + hour * 10,
               bytes + hour);
  return text;
}

TEST(HostsByName, FilesWhoseReadingsCannotBeOneHostsAreOfTheHostsInTheirNames) {
  const std::string one = log_of(3, 0, 5000, 640), other = log_of(3, 30, 90, 32), same_time = log_of(3, 0, 90, 32);
  const std::string first = "01T00:00 640; 01T01:00 641; 01T02:00 642", second = "01T00:30 32; 01T01:30 33; 01T02:30 34";
  const std::pair<const char*, const char*> names[] = {{"SRV1-20260901.log", "SRV2-20260901.log"},
                                                       {"poolmon_SRV1_2026-09-01.txt", "poolmon_SRV2_2026-09-01.txt"},
                                                       {"logs/SRV1/poolmon.log", "logs/SRV2/poolmon.log"},
                                                       {"SRV1.log", "SRV2.txt"},
                                                       {"pool-SRV1.log.3", "pool-SRV2.log"}};
  for (const auto& [a, b] : names) {
    const ByName two = read_by_name({{a, one}, {b, other}});
    EXPECT_EQ(two.by_host, (std::map<std::string, std::string>{{"SRV1", first}, {"SRV2", second}})) << a;
    EXPECT_THAT(two.whole.warnings, Contains(std::string(a) + ": it is taken as one of host \"SRV1\", and " + b +
                                             " as one of \"SRV2\", by their names: their readings are of the same times, and "
                                             "cannot be one host's; where they are, give one of them alone"));
    EXPECT_EQ(read_by_name({{a, one}, {b, same_time}}).by_host.at("SRV2"), "01T00:00 32; 01T01:00 33; 01T02:00 34") << a;
  }
  // A file of one table each, the date in the name alone.
  const ByName daily = read_by_name({{"SRV1-20260901.log", table(5000, 640)},
                                     {"SRV2-20260901-0005.log", table(90, 32)},
                                     {"SRV1-20260902.log", table(5010, 641)},
                                     {"SRV2-20260902-0005.log", table(91, 33)}});
  EXPECT_EQ(daily.by_host,
            (std::map<std::string, std::string>{{"SRV1", "01T00:00 640; 02T00:00 641"}, {"SRV2", "01T00:05 32; 02T00:05 33"}}));
}

// Servers of one kind have many values in common, and script CSV has a 0 in the other pool of every tag.
TEST(HostsByName, ValuesThatTwinsShareProveNothing) {
  const auto rows = [](int minute, int moving) {
    std::string text = "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n";
    for (int hour = 0; hour < 4; ++hour)
      for (int tag = 0; tag < 8; ++tag)
        text += "2026-09-01 0" + std::to_string(hour) + ":" + (minute < 10 ? "0" : "") + std::to_string(minute) + ":00,Tag" +
                std::to_string(tag) + ",0," + std::to_string(tag < 5 ? 4096 * (tag + 1) : moving * (tag + 1) + hour * 64) +
                "\n";
    return text;
  };
  for (const int minute : {0, 30}) {
    const ByName two = read_by_name({{"SRV1.csv", rows(0, 100'000)}, {"SRV2.csv", rows(minute, 900'000)}});
    EXPECT_EQ(two.by_host.size(), 2U) << minute;
    EXPECT_TRUE(two.by_host.contains("SRV2")) << minute;
    // The same machine, looked at twice.
    EXPECT_EQ(read_by_name({{"SRV1.csv", rows(0, 100'000)}, {"SRV2.csv", rows(minute, 100'000)}}).by_host.size(), 1U) << minute;
  }
}

TEST(HostsByName, ThePairsOfOneHostStayTogether) {
  Texts files;
  for (const auto& [host, bytes] : {std::pair{"SRV1", 640}, std::pair{"SRV2", 32}})
    for (const char* const pool : {"Nonp", "Paged"})
      for (const char* const day : {"01", "02"})
        files.push_back({std::string(host) + "_" + pool + "_202609" + day + ".txt", table(9, bytes, pool)});
  const ByName pairs = read_by_name(files);
  EXPECT_EQ(pairs.by_host, (std::map<std::string, std::string>{{"SRV1", "01T00:00 640 640; 02T00:00 640 640"},
                                                               {"SRV2", "01T00:00 32 32; 02T00:00 32 32"}}));
}

TEST(HostsByName, OneHostsFilesStayItsOwn) {
  const std::string early = at("01 00:00", 10, 64) + at("01 01:00", 20, 65),
                    late = at("01 02:00", 30, 66) + at("01 03:00", 40, 67);
  const std::string four = "01T00:00 64; 01T01:00 65; 01T02:00 66; 01T03:00 67";
  // One behind another, whatever their names.
  for (const auto& [a, b] : {std::pair{"poolmon.log.1", "poolmon.log"}, std::pair{"pool-20260901.txt", "pool-20260902.txt"},
                             std::pair{"monday.log", "tuesday.log"}})
    EXPECT_EQ(read_by_name({{a, early}, {b, late}}).by_host, (std::map<std::string, std::string>{{"", four}})) << a;
  // Two recordings of one host: its counters rise through both; and a copy.
  const std::string odd = at("01 00:00", 10, 64) + at("01 02:00", 30, 66),
                    even = at("01 01:00", 20, 65) + at("01 03:00", 40, 67);
  EXPECT_EQ(read_by_name({{"a.log", odd}, {"b.log", even}}).by_host, (std::map<std::string, std::string>{{"", four}}));
  EXPECT_EQ(read_by_name({{"a.log", early + late}, {"copy.log", early}}).by_host,
            (std::map<std::string, std::string>{{"", four}}));
  // Of other subjects.
  const std::string pair = "01T00:00 64 32";
  EXPECT_EQ(
      read_by_name({{"paged-20260901.txt", table(9, 64, "Paged")}, {"nonpaged-20260901.txt", table(9, 32, "Nonp")}}).by_host,
      (std::map<std::string, std::string>{{"", pair}}));
  // What differs in a date or counter alone is one host's, and said to contradict.
  const ByName counted = read_by_name({{"pool-1.log", log_of(3, 0, 5000, 640)}, {"pool-2.log", log_of(3, 0, 90, 32)}});
  EXPECT_EQ(counted.by_host.size(), 1U);
  EXPECT_THAT(counted.whole.warnings, Contains(HasSubstr("it contradicts what was read before")));
}

TEST(HostsByName, AReadingOfEachDoesNotShowWhetherNamesTellHosts) {
  const ByName two =
      read_by_name({{"SRV1-2026-09-01_0000.log", table(5000, 640)}, {"SRV2-2026-09-01_0005.log", table(90, 32)}});
  EXPECT_EQ(two.by_host, (std::map<std::string, std::string>{{"", "01T00:00 640; 01T00:05 32"}}));
  const std::string why =
      "SRV1-2026-09-01_0000.log: it and SRV2-2026-09-01_0005.log are taken as one host's: a reading of each does not show more; if "
      "their names tell two hosts, give each alone";
  EXPECT_THAT(two.whole.warnings, Contains(why));
  EXPECT_THAT(read_by_name({{"p-20260901.log", table(90, 64)}, {"p-20260902.log", table(95, 32)}}).whole.warnings,
              Not(Contains(HasSubstr("one host's"))));
}

TEST(HostsByName, AHostThatAFileTellsItselfWeighsMore) {
  const std::string rows = "timestamp,pool,tag,bytes,host\n2026-09-01T00:10:00Z,nonpaged,Leak,7,db\n";
  const ByName three =
      read_by_name({{"SRV1.log", log_of(3, 0, 5000, 640)}, {"SRV2.log", log_of(3, 30, 90, 32)}, {"SRV3.csv", rows}});
  EXPECT_EQ(three.by_host.at("db"), "01T00:10 7");
  EXPECT_EQ(three.by_host.size(), 3U);
}

}  // namespace
}  // namespace kmem::history
