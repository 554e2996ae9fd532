// Times that go back: hosts one behind another, newest first, parts in the wrong order.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "collectors/history/snapshot_reader.h"
#include "collectors/history/sorted_reader.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr base::UnixMillis kNov1 = 1'793'491'200'000, kHour = 3'600'000;

/// "host hour bytes ..." of each snapshot of all hosts, in the order they come.
std::vector<std::string> readings_of(base::FileSystem& files, const std::vector<std::string>& paths,
                                     std::vector<std::string>* said = nullptr) {
  std::vector<std::string> found;
  HistoryOptions options;
  options.all_hosts = true;
  auto source = open_history(files, paths, options);
  if (!source) return {source.error().message};
  do {
    Snapshot snapshot;
    EXPECT_TRUE((*source)->read(snapshot).ok());
    std::string line = (*source)->host() + " " + std::to_string((snapshot.time - kNov1) / kHour);
    for (const TagUsage& tag : snapshot.tags) line += " " + std::to_string(tag.bytes);
    for (const PoolTotals& pool : snapshot.pools) line += " " + std::to_string(pool.bytes.value_or(0));
    found.push_back(std::move(line));
  } while ((*source)->advance());
  if (said != nullptr)
    for (const Skipped& one : (*source)->skipped())
      said->push_back(one.file + ":" + std::to_string(one.line) + ": " + one.reason);
  return found;
}
std::vector<std::string> readings_of(const std::string& text, std::vector<std::string>* said = nullptr) {
  test::MemoryFiles files;
  files.put("f", text);
  return readings_of(files, {"f"}, said);
}

std::string two(int number) { return (number < 10 ? "0" : "") + std::to_string(number); }
std::string csv_row(const std::string& host, int hour, int bytes) {
  return "2026-11-01T" + two(hour) + ":00:00Z," + host + ",nonpaged,Leak," + std::to_string(bytes) + "\n";
}
const std::string kHostCsv = "timestamp,host,pool,tag,bytes\n";

TEST(Order, HostsOneBehindAnother) {
  std::string csv = kHostCsv, script = "DateTime,ComputerName,Tag,PagedUsedBytes,NonPagedUsedBytes\n";
  std::string counters = "Path,CookedValue,Timestamp\n", memsnap = "Process ID         Proc.Name PagedPool\n", prometheus;
  std::vector<std::string> wanted;
  for (const char* host : {"a", "b"})
    for (int hour = 0; hour < 9; ++hour) {
      const std::string at = "2026-11-01 " + two(hour) + ":00", bytes = std::to_string(hour + 1);
      csv += csv_row(host, hour, hour + 1);
      script += at + "," + host + ",Leak,0," + bytes + "\n";
      counters += "\\\\" + std::string(host) + "\\memory\\pool nonpaged bytes," + bytes + "," + at + "\n";
      wanted.push_back(std::string(host) + " " + std::to_string(hour) + " " + bytes);
    }
  for (const std::string* text : {&csv, &script, &counters}) {
    std::vector<std::string> said, found = readings_of(*text, &said);
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, wanted) << text->substr(0, 40);
    EXPECT_THAT(said, IsEmpty());
  }
}

TEST(Order, ManyHostsOneBehindAnother) {
  std::string csv = kHostCsv;
  for (int host = 0; host < 700; ++host)
    for (int hour = 0; hour < 7; ++hour) csv += csv_row("h" + std::to_string(host), hour, 1000 * hour + host + 1);
  std::vector<std::string> said;
  const std::vector<std::string> found = readings_of(csv, &said);
  EXPECT_EQ(found.size(), 4900U);
  std::map<std::string, int> hours;
  for (const std::string& line : found) {
    const std::string host = line.substr(0, line.find(' '));
    const int hour = hours[host]++;
    EXPECT_EQ(line, host + " " + std::to_string(hour) + " " + std::to_string(1000 * hour + std::stoi(host.substr(1)) + 1));
  }
  EXPECT_THAT(said, IsEmpty());
}

TEST(Order, NewestFirst) {
  const std::string table = "\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n Leak Nonp ";
  std::string csv = kHostCsv, script = "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n", text, linux;
  std::string perfmon = "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\Memory\\Pool Nonpaged Bytes\"\n";
  std::vector<std::string> wanted;
  for (int hour = 8; hour >= 0; --hour) {
    const std::string clock = two(hour) + ":00", bytes = std::to_string(1024 * (hour + 1));
    csv += csv_row("", hour, 1024 * (hour + 1));
    script += "2026-11-01 " + clock + ",Leak,0," + bytes + "\n";
    text += "2026-11-01 " + clock + "Z" + table + "1 0 1 " + bytes + " " + bytes + "\n";
    linux += "2026-11-01 " + clock + "Z\nSUnreclaim: " + std::to_string(hour + 1) + " kB\n";
    perfmon += "\"11/01/2026 " + clock + ":00.000\",\"" + bytes + "\"\n";
    wanted.insert(wanted.begin(), " " + std::to_string(hour) + " " + bytes);
  }
  for (const std::string* one : {&csv, &script, &text, &linux, &perfmon}) {
    std::vector<std::string> said;
    EXPECT_EQ(readings_of(*one, &said), wanted) << one->substr(0, 60);
    EXPECT_THAT(said, IsEmpty());
    EXPECT_THAT(test::read_text(*one).warnings,
                testing::Contains("f: its newest readings stand first; it is read oldest first"));
  }
  // What is refused in it is said once, however often it is read.
  std::vector<std::string> said;
  EXPECT_EQ(readings_of(csv + "x,,nonpaged,Leak,5\n", &said), wanted);
  EXPECT_THAT(said, ElementsAre("f:11: timestamp \"x\" is neither RFC 3339 nor Unix seconds"));
}

// Rows of one time are one snapshot, whichever way times go.
TEST(Order, NewestFirstWithSeveralRowsATime) {
  const auto row = [](int hour, const std::string& tag, const std::string& bytes) {
    return "2026-11-01T" + two(hour) + ":00:00Z,nonpaged," + tag + "," + bytes + "\n";
  };
  for (const std::vector<std::string>& tags : {std::vector<std::string>{"Aaaa", "Bbbb"}, {"Aaaa", "Bbbb", "Cccc"}}) {
    std::string csv = "timestamp,pool,tag,bytes\n";
    std::vector<std::string> wanted;
    for (int hour = 8; hour >= 0; --hour) {
      std::string line = " " + std::to_string(hour);
      for (std::size_t tag = 0; tag < tags.size(); ++tag) {
        const std::string bytes = std::to_string(100 * (tag + 1) + static_cast<std::size_t>(hour));
        // The last row of hour 2 is refused, and one of hour 3 comes twice.
        const bool is_refused = hour == 2 && tag + 1 == tags.size();
        csv += row(hour, tags[tag], is_refused ? "many" : bytes);
        if (hour == 3 && tag == 0) csv += row(hour, tags[tag], "5");
        if (!is_refused) line += " " + bytes;
      }
      wanted.insert(wanted.begin(), line);
    }
    test::MemoryFiles files;
    files.put("f", csv);
    std::vector<std::string> said;
    EXPECT_EQ(readings_of(files, {"f"}, &said), wanted);
    const std::size_t again = 5 * tags.size() + 3, refused = 7 * tags.size() + 2;
    EXPECT_THAT(said, ElementsAre("f:" + std::to_string(again) + ": the snapshot has this tag already",
                                  "f:" + std::to_string(refused) + ": bytes \"many\" is not a count"));
    const test::WholeHistory whole = test::read_history(files, {"f"});
    EXPECT_THAT(whole.warnings, ElementsAre("f: its newest readings stand first; it is read oldest first"));
    // What the refused row would have told is not known.
    ASSERT_EQ(whole.snapshots.size(), 9U);
    for (std::size_t hour = 0; hour < 9; ++hour) EXPECT_EQ(whole.snapshots[hour].gaps.has(Pool::kNonpaged), hour == 2) << hour;
    // And no piece of one comes alone.
    Notes notes;
    auto file = files.open("f", base::OpenMode::kRead);
    auto reader = make_csv_history(LineReader(std::move(*file)), FileNotes(notes, "f"), ',', true);
    std::size_t pieces = 0;
    Snapshot snapshot;
    for (; *(*reader)->next(snapshot); ++pieces)
      EXPECT_EQ(snapshot.tags.size(), tags.size() - (snapshot.time == kNov1 + 2 * kHour ? 1 : 0));
    EXPECT_EQ(pieces, 9U);
  }
}

TEST(Order, HostsNewestFirst) {
  std::string apart = kHostCsv, together = kHostCsv;
  std::vector<std::string> wanted;
  for (const char* host : {"a", "b"})
    for (int hour = 8; hour >= 0; --hour) apart += csv_row(host, hour, hour + 1);
  for (int hour = 8; hour >= 0; --hour)
    for (const char* host : {"b", "a"}) {
      together += csv_row(host, hour, hour + 1);
      wanted.insert(wanted.begin(), std::string(host) + " " + std::to_string(hour) + " " + std::to_string(hour + 1));
    }
  EXPECT_EQ(readings_of(apart), wanted);
  std::vector<std::string> found = readings_of(together);
  std::sort(found.begin(), found.end());
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(found, wanted);
}

TEST(Order, NewestFirstWithoutRoomForAllAtOnce) {
  std::string text = kHostCsv;
  for (int hour = 19; hour >= 0; --hour) text += csv_row("a", hour, hour + 1) + csv_row("b", hour, hour + 2);
  test::MemoryFiles files;
  files.put("f", text);
  Notes notes;
  std::size_t passes = 0;
  const auto open = [&](bool) -> Reader {
    ++passes;
    auto file = files.open("f", base::OpenMode::kRead);
    return make_csv_history(LineReader(std::move(*file)), FileNotes(notes, "f"), ',', true);
  };
  SortedReader reader(open, 10 * sizeof(Snapshot));
  Snapshot snapshot;
  for (int hour = 0; hour < 20; ++hour)
    for (const char* host : {"a", "b"}) {
      ASSERT_TRUE(*reader.next(snapshot));
      EXPECT_EQ(snapshot.time, kNov1 + hour * kHour);
      EXPECT_EQ(reader.host(), host);
      EXPECT_EQ(snapshot.tags.at(0).bytes, static_cast<std::uint64_t>(hour + (host[0] == 'a' ? 1 : 2)));
    }
  EXPECT_FALSE(*reader.next(snapshot));
  EXPECT_GT(passes, 4U);
  EXPECT_LT(passes, 15U);
  SortedReader none(open, 10);
  EXPECT_EQ(
      none.next(snapshot).error().message,
      "its readings are not in order of time, and it is too long to be sorted here; sort it by time: sort -s -k1,1 FILE (of "
      "lines that begin with a time as 2026-11-05T18:00:00Z)");
}

/// Falls by the hour, and breaks off.
class BreaksOff final : public SnapshotReader {
 public:
  base::Result<bool> next(Snapshot& out) override {
    if (hour_ == 0) return base::Error{base::ErrorCode::kMalformed, "it breaks off"};
    out = {};
    out.time = kNov1 + --hour_ * kHour;
    return true;
  }

 private:
  int hour_ = 6;
};

TEST(Order, NewestFirstUpToWhereItBreaksOff) {
  for (const std::size_t room : {SortedReader::kRoomBytes, 3 * sizeof(Snapshot)}) {
    SortedReader reader([](bool) -> Reader { return std::unique_ptr<SnapshotReader>(std::make_unique<BreaksOff>()); }, room);
    Snapshot snapshot;
    for (int hour = 0; hour < 6; ++hour) {
      ASSERT_TRUE(*reader.next(snapshot));
      EXPECT_EQ(snapshot.time, kNov1 + hour * kHour);
    }
    EXPECT_EQ(reader.next(snapshot).error().message, "it breaks off");
    EXPECT_FALSE(*reader.next(snapshot));
  }
}

// Beyond those that are kept open, too.
TEST(Order, EachFileWhoseNewestStandFirstIsNamedOnce) {
  test::MemoryFiles files;
  std::vector<std::string> paths;
  for (int file = 0; file < 40; ++file) {
    std::string csv = kHostCsv;
    for (int hour = 5; hour >= 0; --hour) csv += csv_row("h" + std::to_string(file), hour, hour + 1);
    files.put(paths.emplace_back("f" + two(file)), csv);
  }
  HistoryOptions options;
  options.all_hosts = true;
  const test::WholeHistory whole = test::read_history(files, paths, options);
  EXPECT_EQ(whole.snapshots.size(), 240U);
  std::vector<std::string> wanted;
  for (const std::string& path : paths) wanted.push_back(path + ": its newest readings stand first; it is read oldest first");
  EXPECT_EQ(whole.warnings, wanted);
}

// What is read ahead to tell the order has a bound; the file is opened anew, and nothing is lost or said twice.
TEST(Order, LargeSnapshotsAreReadAheadAndAgain) {
  std::string script = "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n2062-11-01 00:00Z,Leak,0,9\n";
  for (int hour = 0; hour < 6; ++hour)
    for (int tag = 0; tag < 6000; ++tag) script += "2026-11-01 " + two(hour) + ":00Z,T" + std::to_string(tag) + ",0,7\n";
  test::MemoryFiles files;
  files.put("f", script + "x,Leak,0,5\n");
  const test::WholeHistory whole = test::read_history(files, {"f"});
  ASSERT_EQ(whole.snapshots.size(), 6U);
  for (std::size_t hour = 0; hour < 6; ++hour) {
    EXPECT_EQ(whole.snapshots[hour].time, kNov1 + static_cast<int>(hour) * kHour);
    EXPECT_EQ(whole.snapshots[hour].tags.size(), 6000U);
  }
  EXPECT_THAT(whole.skipped,
              ElementsAre("f:2: its time lies far ahead of those below it", "f:36003: time \"x\" is not understood"));
  EXPECT_THAT(whole.warnings, IsEmpty());
}

TEST(Order, PartsInTheWrongOrderAreNamed) {
  const std::string script = "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n";
  std::vector<std::string> said;
  EXPECT_THAT(
      readings_of(
          script +
              "2026-11-01 05:00,Leak,0,5\n2026-11-01 06:00,Leak,0,6\n2026-11-01 07:00,Leak,0,7\n2026-11-01 00:00,Leak,0,1\n2026-11-01 08:00,Leak,0,8\n",
          &said),
      ElementsAre(" 5 5", " 6 6", " 7 7", " 8 8"));
  EXPECT_THAT(said, ElementsAre("f:5: its time lies before the snapshot's above it; a host's times must rise"));
  said.clear();
  // The first one alone is of a clock that was wrong.
  EXPECT_THAT(readings_of(script + "2062-11-01 05:00,Leak,0,5\n2026-11-01 06:00,Leak,0,6\n2026-11-01 07:00,Leak,0,7\n", &said),
              ElementsAre(" 6 6", " 7 7"));
  EXPECT_THAT(said, ElementsAre("f:2: its time lies far ahead of those below it"));
  said.clear();
  // What tells no host is the one's that is used: of its times none comes twice.
  test::MemoryFiles unnamed;
  unnamed.put("f",
              kHostCsv + csv_row("a", 0, 1) + csv_row("a", 1, 2) + csv_row("", 0, 3) + csv_row("", 1, 4) + csv_row("", 2, 5));
  std::vector<base::UnixMillis> hours;
  const test::WholeHistory whole = test::read_history(unnamed, {"f"});
  for (const Snapshot& one : whole.snapshots) hours.push_back((one.time - kNov1) / kHour);
  EXPECT_THAT(hours, ElementsAre(0, 1, 2));
  // One host of which two files tell: one has hosts one behind another, and its second one's times come when the other file has gone on.
  test::MemoryFiles files;
  files.put("f", script + "2026-11-01 00:00,Leak,0,1\n");
  files.put(
      "blocks",
      "DateTime,Host,Tag,PagedUsedBytes,NonPagedUsedBytes\n2026-11-01 01:00,a,Leak,0,1\n2026-11-01 02:00,a,Leak,0,2\n2026-11-01 01:00,b,Leak,0,3\n");
  files.put("b",
            "DateTime,Host,Tag,PagedUsedBytes,NonPagedUsedBytes\n2026-11-01 00:00,b,Leak,0,1\n2026-11-01 02:00,b,Leak,0,2\n");
  const std::vector<std::string> found = readings_of(files, {"blocks", "b"}, &said);
  EXPECT_THAT(found, testing::UnorderedElementsAre("b 0 1", "a 1 1", "a 2 2", "b 2 2"));
  EXPECT_THAT(
      said, ElementsAre("blocks:4: it comes too late: later readings of its host were read before it; sort the file by time"));
}

/// As tac leaves it.
std::string lines_reversed(const std::string& text) {
  std::string out;
  for (std::size_t end = text.size(); end > 0;) {
    const std::size_t begin = end < 2 ? std::string::npos : text.rfind('\n', end - 2);
    const std::size_t from = begin == std::string::npos ? 0 : begin + 1;
    out += text.substr(from, end - from);
    end = from;
  }
  return out;
}

TEST(Order, LinesThatStandInReverseAreRefused) {
  const auto error_of = [](const std::string& text) {
    test::MemoryFiles files;
    files.put("f", lines_reversed(text));
    files.set_modified(99);
    const test::WholeHistory whole = test::read_history(files, {"f"});
    return whole.snapshots.empty() ? whole.error : "read";
  };
  const std::string meminfo = "MemTotal: 100 kB\nMemFree: 10 kB\nSlab: 9 kB\nSReclaimable: 4 kB\nSUnreclaim: 5 kB\n";
  const std::string slabinfo =
      "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
      "dentry 100 100 192 21 1 : tunables 0 0 0 : slabdata 5 5 0\nfilp 16 16 256 16 1 : tunables 0 0 0 : slabdata 1 1 0\n";
  const std::string poolmon =
      " Memory: 8388148K Avail: 4204220K\n Commit:12798116K Limit:32880828K Peak:12958348K Pool N:168816K P:303892K\n"
      " Tag  Type Allocs Frees Diff Bytes Per Alloc\n Leak Nonp 2 1 1 64 64\n CM31 Paged 4 2 2 64 32\n";
  for (const int looks : {2, 3, 5, 70}) {
    const auto loop = [&](const std::string& table) {
      std::string text;
      for (int i = 0; i < looks; ++i)
        text += "2026-11-" + std::to_string(10 + i / 24) + " " + (i % 24 < 10 ? "0" : "") + std::to_string(i % 24) +
                ":00:00\n" + table;
      return text;
    };
    EXPECT_THAT(error_of(loop(meminfo)), testing::HasSubstr("its lines stand in reverse")) << looks;
    EXPECT_THAT(error_of(loop("SUnreclaim: 5 kB\n")), testing::HasSubstr("its lines stand in reverse")) << looks;
    EXPECT_THAT(error_of(loop(slabinfo)), testing::HasSubstr("turn them round with: tac FILE")) << looks;
    EXPECT_THAT(error_of(loop(poolmon)), testing::HasSubstr("its lines stand in reverse")) << looks;
  }
}

TEST(Order, LogsOfLinuxWhoseNewestBlocksStandFirstAreSorted) {
  const auto block = [](const std::string& time, int kib) {
    return time + "\nMemTotal: 100 kB\nSUnreclaim: " + std::to_string(kib) + " kB\n";
  };
  const test::WholeHistory whole =
      test::read_text(block("2026-11-07 18:00:00Z", 7) + block("2026-11-06 18:00:00Z", 6) + block("2026-11-05 18:00:00Z", 5));
  ASSERT_EQ(whole.snapshots.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(whole.snapshots[i].time, 1'793'901'600'000 + static_cast<std::int64_t>(i) * 86'400'000);
    EXPECT_EQ(test::totals_of(whole.snapshots[i]).at("slab_unreclaimable.bytes"), (5 + i) * 1024);
  }
  EXPECT_THAT(whole.warnings, testing::Contains("f: its newest readings stand first; it is read oldest first"));
}

}  // namespace
}  // namespace kmem::history
