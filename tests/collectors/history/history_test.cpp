#include "collectors/history/history.h"

#include <gmock/gmock.h>

#include "collectors/history/snapshot_builder.h"
#include "collectors/snapshot.h"
#include "tests/collectors/history/read_history.h"
#include "tests/collectors/replay/frames.h"

namespace kmem::history {
namespace {

using base::ErrorCode;
using test::MemoryFiles;
using test::read_history;
using test::tags_of;
using test::totals_of;
using test::WholeHistory;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr base::UnixMillis kBillion = 1'000'000'000'000;  // 2001

std::string csv(const std::string& rows) { return "timestamp,pool,tag,bytes\n" + rows; }

/// A reading a second.
std::string seconds(int count) {
  std::string rows;
  for (int i = 0; i < count; ++i) rows += std::to_string(1'000'000'000 + i) + ",paged,A,1\n";
  return csv(rows);
}

std::vector<base::UnixMillis> times_of(const WholeHistory& found) {
  std::vector<base::UnixMillis> times;
  for (const Snapshot& snapshot : found.snapshots) times.push_back(snapshot.time);
  return times;
}

TEST(History, ReadGivesTheCurrentSnapshotUntilAdvanced) {
  MemoryFiles files;
  files.put("f", csv("1000000001,paged,A,1\n1000000002,paged,A,2\n"));
  auto source = open_history(files, {"f"});
  ASSERT_TRUE(source.ok());
  Snapshot snapshot;
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE((*source)->read(snapshot).ok());
    EXPECT_EQ(snapshot.time, kBillion + 1000);
  }
  EXPECT_TRUE((*source)->advance());
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE((*source)->read(snapshot).ok());
    EXPECT_EQ(snapshot.time, kBillion + 2000);
    EXPECT_THAT(tags_of(snapshot), ElementsAre("paged 'A' 2 ?"));
    EXPECT_FALSE((*source)->advance());
  }
}

TEST(History, CapturesGoThroughTheSameDoor) {
  MemoryFiles files;
  RawFrame frame;
  frame.time = 5000;
  frame.parts = {{"proc/meminfo", 0, 0, "MemTotal:  10 kB\nMemAvailable:  4 kB\nPercpu:  2 kB\n"}};
  RawFrame later = frame;
  later.time = 6000;
  RawFrame back = frame;
  back.time = 5500;
  const std::string bytes = test::capture_of({frame, later, back});
  files.put("c", bytes);
  files.put("torn", test::capture_of({frame, later}).substr(0, test::capture_of({frame, later}).size() - 1));
  WholeHistory found = read_history(files, {"c"});
  EXPECT_THAT(times_of(found), ElementsAre(5000, 6000));
  EXPECT_EQ(found.snapshots[0].system, System::kLinux);
  EXPECT_EQ(found.snapshots[0].available_bytes, 4096U);
  EXPECT_THAT(found.skipped, ElementsAre("c:0: its time lies before the snapshot's above it; a host's times must rise"));
  EXPECT_EQ(found.progress.bytes_read, bytes.size());
  EXPECT_EQ(found.progress.bytes_total, bytes.size());
  found = read_history(files, {"torn"});
  EXPECT_THAT(times_of(found), ElementsAre(5000));
  ASSERT_EQ(found.skipped.size(), 1U);
  EXPECT_THAT(found.skipped[0], testing::HasSubstr("torn:0: damaged at byte "));
}

TEST(History, WholeFramesBehindDamageAreUsed) {
  MemoryFiles files;
  std::vector<RawFrame> frames(4);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    frames[i].time = static_cast<base::UnixMillis>(5000 + i * 1000);
    frames[i].parts = {{"proc/meminfo", 0, 0, "MemTotal:  10 kB\nMemAvailable:  4 kB\n"}};
  }
  const std::size_t head = test::capture_of({}).size(), frame = test::capture_of({frames[0]}).size() - head;
  for (const std::size_t hurt : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) {
    std::string bytes = test::capture_of(frames);
    bytes[head + hurt * frame + 40] ^= 1;
    files.put("c", bytes);
    const WholeHistory found = read_history(files, {"c"});
    std::vector<base::UnixMillis> times;
    for (std::size_t i = 0; i < frames.size(); ++i)
      if (i != hurt) times.push_back(frames[i].time);
    EXPECT_THAT(times_of(found), testing::ElementsAreArray(times)) << hurt;
    EXPECT_THAT(found.skipped,
                ElementsAre("c:0: damaged at byte " + std::to_string(head + hurt * frame) + ": the frame's body is changed; " +
                            std::to_string(frame) + " bytes are passed over"));
  }
}

TEST(History, CapturesOfSeveralSystemsAreTold) {
  MemoryFiles files;
  RawFrame frame;
  const auto put = [&](const char* path, const std::string& version, const std::string& architecture) {
    frame.time += 1000;
    frame.parts = {{"proc/meminfo", 0, 0, "MemTotal:  10 kB\nMemAvailable:  4 kB\n"},
                   {"kmem/system", 0, 0, "version=" + version + "\narchitecture=" + architecture + "\n"}};
    files.put(path, test::capture_of({frame}));
  };
  put("a", "5.10.0", "x86_64");
  put("b", "6.1.0", "x86_64");
  put("c", "6.1.0", "aarch64");
  EXPECT_THAT(read_history(files, {"a", "b"}).warnings, testing::IsEmpty());
  EXPECT_THAT(read_history(files, {"a", "b", "c"}).warnings,
              ElementsAre("c: is of Linux (aarch64), a of Linux (x86_64); neither names its host, so they are taken as one "
                          "host's: analyze them one by one if not"));
}

TEST(History, ACaptureOfTwoSystemsIsTold) {
  MemoryFiles files;
  const auto frame_of = [](base::UnixMillis time, const std::string& version, const std::string& architecture) {
    RawFrame frame;
    frame.time = time;
    frame.parts = {{"proc/meminfo", 0, 0, "MemTotal:  10 kB\nMemAvailable:  4 kB\n"},
                   {"kmem/system", 0, 0, "version=" + version + "\narchitecture=" + architecture + "\n"}};
    return frame;
  };
  files.put("updated", test::capture_of({frame_of(1000, "5.10.0", "x86_64"), frame_of(2000, "6.1.0", "x86_64")}));
  EXPECT_THAT(read_history(files, {"updated"}).warnings, testing::IsEmpty());
  RawFrame windows = frame_of(3000, "5.2.3790", "x86_64");
  windows.system = System::kWindows;
  windows.pointer_bytes = 4;
  windows.parts = {{"kmem/system", 0, 0, "version=5.2.3790\nmachine=x86\n"}};
  files.put("mixed", test::capture_of({frame_of(1000, "6.1.0", "x86_64"), windows, frame_of(4000, "6.1.0", "x86_64")}));
  EXPECT_THAT(
      read_history(files, {"mixed"}).warnings,
      ElementsAre("mixed: is of Linux (x86_64), from 1970-01-01T00:00:03Z on of Windows 5.2 (x86); they are taken as one "
                  "host's, which they are not unless it was upgraded"));
}

// Snapshots days apart are held against what comes behind them, which may be the torn end.
TEST(History, AGoodSnapshotBeforeATornEndIsGiven) {
  RawFrame frame;
  frame.parts = {{"proc/meminfo", 0, 0, "MemTotal:  10 kB\nMemAvailable:  4 kB\n"}};
  for (const int count : {2, 3, 6}) {
    std::vector<RawFrame> frames;
    std::vector<base::UnixMillis> times;
    for (int i = 0; i < count; ++i) {
      frame.time = 5000 + i * 3 * base::kDayMillis;
      frames.push_back(frame);
      if (i + 1 < count) times.push_back(frame.time);
    }
    const std::string whole = test::capture_of(frames);
    MemoryFiles files;
    files.put("torn", whole.substr(0, whole.size() - 1));
    const WholeHistory found = read_history(files, {"torn"});
    EXPECT_THAT(times_of(found), testing::ElementsAreArray(times));
    ASSERT_EQ(found.skipped.size(), 1U);
    EXPECT_THAT(found.skipped[0], testing::HasSubstr("torn:0: damaged at byte "));
  }
}

TEST(History, SeveralFilesAreOneHistoryInTimeOrder) {
  MemoryFiles files;
  files.put("late", csv("1000000030,paged,A,3\n1000000040,paged,A,4\n"));
  files.put("early", csv("1000000010,paged,A,1\n1000000035,paged,A,9\n"));
  files.put("latest", csv("1000000050,paged,A,5\n"));
  const WholeHistory found = read_history(files, {"latest", "late", "early"});
  EXPECT_THAT(times_of(found),
              ElementsAre(kBillion + 10'000, kBillion + 30'000, kBillion + 35'000, kBillion + 40'000, kBillion + 50'000));
  EXPECT_THAT(found.skipped, IsEmpty());
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(History, SnapshotsOfOneTimeAreMergedWhateverTheirFormat) {
  MemoryFiles files;
  files.put("tags.csv", csv("1714543200,nonpaged,Leak,5\n1714543200,commit,,7\n1714543300,paged,B,6\n"));
  files.put("totals.csv",
            "\"(PDH-CSV 4.0) (GMT)(0)\",\"\\Memory\\Pool Nonpaged Bytes\",\"\\Memory\\Committed Bytes\","
            "\"\\System\\System Up Time\"\n\"05/01/2024 06:00:00.000\",\"8\",\"7\",\"100\"\n");
  files.put("again.csv", csv("1714543200,nonpaged,Leak,99\n1714543200,nonpaged,More,2\n"));
  const WholeHistory found = read_history(files, {"tags.csv", "totals.csv", "again.csv"});
  ASSERT_THAT(times_of(found), ElementsAre(1'714'543'200'000, 1'714'543'300'000));
  EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("nonpaged 'Leak' 5 ?", "nonpaged 'More' 2 ?"));
  EXPECT_THAT(totals_of(found.snapshots[0]), ElementsAre(Pair("commit", 7), Pair("nonpaged.bytes", 8)));
  EXPECT_EQ(found.snapshots[0].boot_time, 1'714'543'100'000);
  EXPECT_EQ(found.snapshots[0].system, System::kWindows);
  EXPECT_THAT(tags_of(found.snapshots[1]), ElementsAre("paged 'B' 6 ?"));
  EXPECT_THAT(found.warnings,
              ElementsAre("again.csv: it contradicts what was read before of the same time, which is used: "
                          "line 2, 2024-05-01T06:00:00Z: nonpaged \"Leak\" is 99, but 5 in the files before it"));
}

TEST(History, WhatContradictsIsNamedWithBothValues) {
  MemoryFiles files;
  const std::string head = "timestamp,host,pool,tag,bytes,outstanding\n";
  files.put("a.csv",
            head + "1714543200,SRV,nonpaged,Leak,64,1\n1714543200,SRV,paged,,700,\n1714546800,SRV,nonpaged,Leak,128,2\n");
  files.put("b.csv", head +
                         "1714543200,srv,nonpaged,Leak,64,1\n1714543200,srv,paged,,900,\n1714546800,srv,nonpaged,Leak,128,3\n"
                         "1714546800,srv,nonpaged,New,1,1\n");
  const WholeHistory both = read_history(files, {"a.csv", "b.csv"});
  EXPECT_THAT(both.warnings,
              ElementsAre("b.csv: it contradicts what was read before of the same time, which is used: line 2, "
                          "2024-05-01T06:00:00Z, host \"SRV\": paged (whole pool) is 900, but 700 in a.csv, line 2; 1 more "
                          "values do so"));
  EXPECT_THAT(tags_of(both.snapshots.at(1)), ElementsAre("nonpaged 'Leak' 128 2", "nonpaged 'New' 1 1"));
  // The same again is no contradiction.
  files.put("c.csv", head + "1714543200,srv,nonpaged,Leak,64,1\n");
  EXPECT_THAT(read_history(files, {"a.csv", "c.csv"}).warnings,
              ElementsAre("c.csv: it has values of a time that an earlier one also has; the earlier one's are used"));
}

TEST(History, CapturesThatContradictEachOtherAreNamedWithoutLines) {
  MemoryFiles files;
  RawFrame frame;
  frame.time = 5000;
  frame.parts = {{"proc/meminfo", 0, 0, "MemTotal:  10 kB\nPercpu:  2 kB\n"}};
  files.put("a", test::capture_of({frame}));
  frame.parts = {{"proc/meminfo", 0, 0, "MemTotal:  10 kB\nPercpu:  3 kB\n"}};
  files.put("b", test::capture_of({frame}));
  EXPECT_THAT(
      read_history(files, {"a", "b"}).warnings,
      ElementsAre("b: it contradicts what was read before of the same time, which is used: 1970-01-01T00:00:05Z: percpu "
                  "(whole pool) is 3072, but 2048 in a"));
}

TEST(History, NothingInOneFileContradictsAValueInAnother) {
  for (const bool is_first : {false, true}) {
    MemoryFiles files;
    files.put("a.csv", csv(is_first ? "1714543200,paged,A,0\n1714543200,paged,B,6\n" : "1714543200,paged,A,5\n"));
    files.put("b.csv", csv(is_first ? "1714543200,paged,A,5\n" : "1714543200,paged,A,0\n1714543200,paged,B,6\n"));
    const WholeHistory found = read_history(files, {"a.csv", "b.csv"});
    ASSERT_EQ(found.snapshots.size(), 1U);
    if (is_first) EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("paged 'B' 6 ?"));
    else EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("paged 'A' 5 ?", "paged 'B' 6 ?"));
    const std::string used = is_first ? "0" : "5", other = is_first ? "5" : "0";
    EXPECT_THAT(found.warnings,
                ElementsAre("b.csv: it contradicts what was read before of the same time, which is used: line 2, "
                            "2024-05-01T06:00:00Z: paged \"A\" is " +
                            other + ", but " + used + " in a.csv, line 2"));
  }
}

TEST(History, ManyFilesAreOpenedOnlyInTheirTime) {
  MemoryFiles files;
  std::vector<std::string> paths;
  std::uint64_t bytes = 0;
  for (int i = 99; i >= 0; --i) {
    paths.push_back("f" + std::to_string(i));
    const std::string time = std::to_string(1'000'001'000 + 10 * i);
    const std::string content = csv("broken\n" + time + ",paged,A,1\n" + time + ".5,paged,A,2\n");
    bytes += content.size();
    files.put(paths.back(), content);
  }
  const WholeHistory found = read_history(files, paths);
  ASSERT_EQ(found.snapshots.size(), 200U);
  for (std::size_t i = 0; i < 200; ++i)
    EXPECT_EQ(found.snapshots[i].time, kBillion + 1'000'000 + static_cast<base::UnixMillis>(i / 2 * 10'000 + i % 2 * 500));
  EXPECT_EQ(found.skipped_count, 100U);  // each once, though most files were opened twice
  EXPECT_EQ(found.progress.bytes_read, bytes);
  EXPECT_EQ(found.progress.bytes_total, bytes);
}

TEST(History, ProgressGrowsWithReading) {
  MemoryFiles files;
  files.put("f", seconds(20'000));
  auto source = open_history(files, {"f"});
  ASSERT_TRUE(source.ok());
  const Progress first = (*source)->progress();
  EXPECT_EQ(first.bytes_total, seconds(20'000).size());
  EXPECT_LT(first.bytes_read, first.bytes_total / 2);
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE((*source)->advance());
  const Progress middle = (*source)->progress();
  EXPECT_GT(middle.bytes_read, first.bytes_read);
  EXPECT_LT(middle.bytes_read, middle.bytes_total);
  while ((*source)->advance()) continue;
  EXPECT_EQ((*source)->progress().bytes_read, first.bytes_total);
}

TEST(History, SkipsAreCountedBeyondTheList) {
  MemoryFiles files;
  std::string rows = "1000000001,paged,A,1\n";
  for (int i = 0; i < 1500; ++i) rows += "broken\n";
  files.put("f", csv(rows));
  const WholeHistory found = read_history(files, {"f"});
  EXPECT_EQ(found.skipped.size(), kMaxSkippedListed);
  EXPECT_EQ(found.skipped_count, 1500U);
}

TEST(History, AFileOfNothingUsableIsLeftOutAndListed) {
  MemoryFiles files;
  files.put("empty", "");
  files.put("zip", "\x1f\x8b\x08xxx");
  files.put("binary", std::string("MZ\0\0", 4));
  files.put("tabs", "\"(PDH-TSV 4.0) (GMT)(0)\"\t\"x\"\n");
  files.put("good", csv("1000000001,paged,A,1\n"));
  const WholeHistory found = read_history(files, {"empty", "zip", "binary", "tabs", "good"});
  EXPECT_THAT(times_of(found), ElementsAre(kBillion + 1000));
  EXPECT_THAT(found.skipped,
              ElementsAre("empty:0: empty", "zip:0: compressed; unpack it first",
                          "binary:0: binary, and no capture; perfmon's logs become CSV by: relog FILE -f csv -o OUT",
                          "tabs:0: tabs:1: no counter that is known; Memory\\Pool Nonpaged Bytes and such are, by their "
                          "English names"));
}

TEST(History, NothingUsableAtAllIsAnError) {
  MemoryFiles files;
  files.put("empty", "");
  const auto nothing = open_history(files, {"empty"});
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(nothing.error().message, "no usable history: empty: empty");
  EXPECT_EQ(open_history(files, {}).error().message, "no usable history: no file is named");
  EXPECT_EQ(open_history(files, {"absent"}).error().code, ErrorCode::kAbsent);
}

TEST(History, AFileThatFailsLaterEndsThere) {
  MemoryFiles files;
  files.put("f", seconds(20'000));
  auto source = open_history(files, {"f"});
  ASSERT_TRUE(source.ok());
  files.fail_after(0);
  std::size_t more = 0;
  while ((*source)->advance()) ++more;
  EXPECT_LT(more, 15'000U);
  ASSERT_EQ((*source)->skipped().size(), 1U);
  EXPECT_EQ((*source)->skipped()[0].reason, "cannot read: disk full");
}

template <typename T>
void fill_in(T&) {}
void fill_in(std::optional<std::uint64_t>& field) { field = 7; }
void fill_in(std::optional<std::uint32_t>& field) { field = 7; }

TEST(SnapshotBuilder, MergingLosesNoField) {
  Snapshot full;
  full.time = 1000;
  for_each_field(kSnapshotFields, full, full, [](auto& field, auto&) { fill_in(field); });
  full.boot_time = 500;
  PoolTotals pool;
  for_each_field(kPoolFields, pool, pool, [](auto& field, auto&) { fill_in(field); });
  pool.limit = PoolLimit{9, "registry", "rule"};
  full.pools = {pool};
  full.settings = {{"a", 1}};
  full.parts = {{"slabinfo", PartState::kOk, "", 0, 0}};
  full.failure_events = {{"Srv", 2019, 3, 900}};
  full.event_log = EventLogReading{};
  full.session_tags = {{1, {Pool::kPaged, 0, 0, "Gh05", 64, 1, 0, 0, true}}};
  full.tags = {{Pool::kPaged, 0, 0, "Leak", 64, 1, 0, 0, true}};
  full.processes = {{4, "System", 1, {}, {}}};

  SnapshotBuilder builder;
  Snapshot first;
  first.time = 1000;
  first.failure_events = {{"Srv", 2020, 1, {}}};
  EXPECT_TRUE(builder.merge(std::move(first)));
  EXPECT_TRUE(builder.merge(Snapshot(full)));
  Snapshot merged = builder.take();
  EXPECT_EQ(merged.boot_time, 500);
  EXPECT_EQ(merged.failure_events.size(), 2U);
  EXPECT_EQ(merged.failure_events[1].count, 3U);
  ASSERT_EQ(merged.pools.size(), 1U);
  ASSERT_TRUE(merged.pools[0].limit);
  EXPECT_EQ(merged.pools[0].limit->rule, "rule");
  for_each_field(kPoolFields, merged.pools[0], pool, []<typename T>(T& mine, T& theirs) {
    if constexpr (requires { *mine == *theirs; }) { EXPECT_EQ(mine, theirs); }
  });
  for_each_field(kSnapshotFields, merged, full, []<typename T>(T& mine, T& theirs) {
    if constexpr (std::is_same_v<T, std::optional<std::uint64_t>>) {
      EXPECT_EQ(mine, theirs);
    } else if constexpr (requires { mine.size(); }) {
      EXPECT_GE(mine.size(), theirs.size());
    } else if constexpr (requires { mine.has_value(); }) {
      EXPECT_EQ(mine.has_value(), theirs.has_value());
    }
  });
  full.settings[0].value = 2;
  EXPECT_TRUE(builder.merge(std::move(merged)));
  EXPECT_FALSE(builder.merge(std::move(full)));
}

}  // namespace
}  // namespace kmem::history
