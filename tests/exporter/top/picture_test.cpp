#include "exporter/top/picture.h"

#include <gmock/gmock.h>

#include "tests/collectors/history/read_history.h"
#include "tests/exporter/top/rows.h"

namespace kmem::top {
namespace {

using terminal::Frame;
using terminal::Style;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::uint64_t kMiB = 1 << 20;

Snapshot windows_reading(std::vector<TagUsage> tags) {
  Snapshot snapshot = reading(std::move(tags));
  snapshot.physical_memory_bytes = 8192 * kMiB;
  snapshot.available_bytes = 1176 * kMiB;
  snapshot.commit_bytes = 12'498 * kMiB;
  snapshot.commit_limit_bytes = 32'110 * kMiB;
  snapshot.commit_peak_bytes = 12'655 * kMiB;
  PoolTotals paged;
  paged.pool = Pool::kPaged;
  paged.bytes = 297 * kMiB;
  paged.limit = PoolLimit{343 * kMiB, "kernel", "registry_quota"};
  PoolTotals nonpaged;
  nonpaged.pool = Pool::kNonpaged;
  nonpaged.bytes = 165 * kMiB;
  nonpaged.limit = PoolLimit{256 * kMiB, "estimate", "x86_2003"};
  snapshot.pools = {paged, nonpaged};
  snapshot.system_ptes_free = 12'345;
  return snapshot;
}

std::vector<TagUsage> many_tags(std::size_t count) {
  std::vector<TagUsage> tags;
  for (std::size_t i = 0; i < count; ++i)
    tags.push_back(
        counted(i % 2 == 0 ? Pool::kNonpaged : Pool::kPaged, "T" + std::to_string(100 + i), 10, 0, 1000 * (count - i)));
  return tags;
}

class Picture : public testing::Test {
 protected:
  void show(Snapshot snapshot) {
    snapshot_ = std::move(snapshot);
    table_.update(snapshot_);
  }
  Scene scene() const { return {snapshot_, table_.rows(), table_.readings(), std::chrono::seconds(5), notice_, ends_}; }
  std::vector<std::string> lines(terminal::Size size = {24, 80}) {
    frame_ = draw(scene(), view_, size, extent_);
    std::vector<std::string> out;
    for (const terminal::Line& line : frame_) out.push_back(line.text);
    return out;
  }
  Snapshot snapshot_;
  UsageTable table_;
  View view_;
  Extent extent_;
  Frame frame_;
  std::string notice_;
  std::vector<std::string> ends_;
};

TEST_F(Picture, TheHeadIsPoolmonsWithLimits) {
  show(windows_reading(many_tags(2)));
  const std::vector<std::string> shown = lines();
  EXPECT_THAT(shown[0], StartsWith(" kmem_exporter top  2026-01-01T00:00:00Z  pool all  by bytes  1-2 of 2"));
  EXPECT_EQ(frame_[0].style, Style::kBar);
  EXPECT_EQ(shown[1], " Memory 8.00G   Avail 1.15G   Commit 12.2G of 31.4G (39%)   Peak 12.4G");
  EXPECT_EQ(shown[2], " paged 297M of 343M (87%)   nonpaged 165M of ~256M (64%)   Free PTEs 12345");
  EXPECT_THAT(shown[3], StartsWith(" Tag  Type"));
  EXPECT_EQ(frame_[3].style, Style::kStrong);
  EXPECT_THAT(shown[4], StartsWith(" T100 Nonp"));
  EXPECT_THAT(shown[23], StartsWith(" q quit"));
  EXPECT_EQ(shown.size(), 24U);
}

TEST_F(Picture, TheHeadNamesWhatEndsAPoolBeforeItsOwnLimit) {
  Snapshot reading = windows_reading(many_tags(2));
  reading.commit_bytes = *reading.commit_limit_bytes - 20 * kMiB;
  show(reading);
  ends_ = {"paged ends in 7.4d: 20.0M to the commit limit, +2.70M/d"};
  const std::vector<std::string> shown = lines();
  EXPECT_EQ(shown[2], " paged 297M of 343M (87%), 20.0M left (commit limit)");
  EXPECT_EQ(shown[3], " nonpaged 165M of ~256M (64%), 20.0M left (commit limit)   Free PTEs 12345");
  EXPECT_EQ(shown[4], " paged ends in 7.4d: 20.0M to the commit limit, +2.70M/d");
}

TEST_F(Picture, PagesThroughMoreRowsThanTheScreenHas) {
  show(windows_reading(many_tags(100)));
  view_.first_row = 1000;  // beyond the end: the last full page
  const std::vector<std::string> shown = lines();
  EXPECT_EQ(extent_.rows, 100U);
  EXPECT_EQ(extent_.page_rows, 19U);
  EXPECT_THAT(shown[0], HasSubstr("  82-100 of 100"));
  EXPECT_THAT(shown[22], StartsWith(" T199 Paged"));
  EXPECT_THAT(extent_.pools, ElementsAre(Pool::kNonpaged, Pool::kPaged));
}

TEST_F(Picture, AnyScreenSizeIsFilledExactly) {
  show(windows_reading(many_tags(30)));
  for (std::size_t rows = 1; rows < 40; ++rows)
    for (const std::size_t columns : {1U, 10U, 40U, 80U, 300U}) {
      EXPECT_EQ(lines({rows, columns}).size(), rows);
      for (const terminal::Line& line : terminal::fitted(frame_, {rows, columns})) EXPECT_LE(line.text.size(), columns);
    }
}

TEST_F(Picture, FilterPoolAndWhatIsTypedAreSaid) {
  show(windows_reading(many_tags(40)));
  view_.choice.pool = Pool::kPaged;
  view_.choice.filter = "t10";
  EXPECT_THAT(lines()[0], HasSubstr("pool paged  by bytes  /t10/  1-5 of 5"));
  view_.typed = "t101";
  const std::vector<std::string> typing = lines();
  EXPECT_THAT(typing[0], HasSubstr("/t101/  1-1 of 1"));
  EXPECT_EQ(typing[23], " filter: t101_");
}

TEST_F(Picture, ANarrowBarSaysWhereWeAreRatherThanTheDate) {
  show(windows_reading(many_tags(100)));
  view_.choice.sort = SortBy::kOutstanding;
  view_.first_row = 1000;
  EXPECT_EQ(lines({24, 80})[0], " top  00:00:00Z  pool all  by outstanding  82-100 of 100");
  EXPECT_EQ(lines({24, 81})[0], " kmem_exporter top  2026-01-01T00:00:00Z  pool all  by outstanding  82-100 of 100");
}

TEST_F(Picture, LeaksStandOutAndNoticesAreAtTheFoot) {
  show(windows_reading(many_tags(3)));
  table_.rows()[1].mark = Mark::kLeak;
  notice_ = "nothing can be read";
  const std::vector<std::string> shown = lines();
  EXPECT_EQ(frame_[5].style, Style::kAlarm);
  EXPECT_THAT(shown[5], StartsWith("!T101"));
  EXPECT_EQ(shown[23], " nothing can be read");
  EXPECT_EQ(frame_[23].style, Style::kAlarm);
}

TEST_F(Picture, WithoutTagsTheReasonIsShown) {
  Snapshot snapshot = windows_reading({});
  snapshot.parts = {{"basic", PartState::kOk, "", 0, 0},
                    {"pool_tags", PartState::kUnsupported, "this kernel does not have it\x1b[2J", 0, 0}};
  show(std::move(snapshot));
  EXPECT_EQ(lines()[4], " no pool_tags: this kernel does not have it\\x1b[2J");
  EXPECT_THAT(print(scene(), {}), HasSubstr("\n no pool_tags: this kernel does not have it\\x1b[2J\n"));
}

TEST_F(Picture, HelpNamesEveryKeyAndGoesOver) {
  show(windows_reading(many_tags(3)));
  view_.help = true;
  const std::vector<std::string> shown = lines();
  for (const SortWord& word : kSortWords)
    EXPECT_THAT(shown, testing::Contains(StartsWith(std::string("  ") + word.key + " "))) << word.word;
  EXPECT_THAT(shown, testing::Contains(HasSubstr("quit")));
  EXPECT_LE(shown.size(), 23U);
}

TEST_F(Picture, HostileTagsAndDriversReachNoTerminal) {
  show(windows_reading({counted(Pool::kPaged, "\\x1b[2J", 3, 1, 10)}));
  table_.rows()[0].driver = "evil\x1b]0;x\x07.sys";
  table_.rows()[0].trend = "\x9b 31m";
  (void)lines({24, 200});
  for (const terminal::Line& line : terminal::fitted(frame_, {24, 200}))
    for (const char c : line.text) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << static_cast<int>(c);
  const std::string text = print(scene(), {});
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << static_cast<int>(c);
  EXPECT_THAT(text, HasSubstr("[evil?]0;x?.sys]"));
}

TEST_F(Picture, PrintedItIsHistoryForAnalyze) {
  show(windows_reading({counted(Pool::kNonpaged, "Irp ", 75'321'006, 75'307'341, 4'645'936),
                        counted(Pool::kPaged, "Leak", 14, 0, 1'468'006'400)}));
  table_.rows()[1].driver = "myfault.sys";
  table_.rows()[1].trend = "LEAK +431K/d 94%";
  table_.rows()[1].mark = Mark::kLeak;
  const std::string first = print(scene(), {});
  EXPECT_EQ(first,
            " 2026-01-01T00:00:00Z\n"
            " Memory 8.00G   Avail 1.15G   Commit 12.2G of 31.4G (39%)   Peak 12.4G   paged 297M of 343M (87%)\n"
            " nonpaged 165M of ~256M (64%)   Free PTEs 12345\n"
            " Tag  Type    Allocs    Frees  Diff      Bytes Per Alloc Driver        Trend\n"
            " Leak Paged       14        0    14 1468006400 104857600 [myfault.sys] LEAK +431K/d 94%\n"
            " Irp  Nonp  75321006 75307341 13665    4645936       339\n");
  Snapshot later = windows_reading({counted(Pool::kNonpaged, "Irp ", 75'321'016, 75'307'341, 4'646'936)});
  later.time += 3'600'000;
  show(std::move(later));
  const std::string second = print(scene(), {});
  EXPECT_THAT(second, HasSubstr("75321016 (  10) 75307341 (   0) 13675 4646936 (1000)"));

  const test::WholeHistory history = test::read_text(first + second);
  EXPECT_EQ(history.error, "");
  EXPECT_THAT(history.skipped, IsEmpty());
  ASSERT_EQ(history.snapshots.size(), 2U);
  EXPECT_EQ(history.snapshots[0].time, 1'767'225'600'000);
  EXPECT_EQ(history.snapshots[1].time, 1'767'229'200'000);
  EXPECT_THAT(test::tags_of(history.snapshots[0]),
              ElementsAre("nonpaged 'Irp ' 4645936 13665 32 75321006 75307341", "paged 'Leak' 1468006400 14 32 14 0"));
  EXPECT_THAT(test::tags_of(history.snapshots[1]), ElementsAre("nonpaged 'Irp ' 4646936 13675 32 75321016 75307341"));
}

}  // namespace
}  // namespace kmem::top
