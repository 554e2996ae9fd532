// A tag that a reading could not give is not gone: neither its trend nor backfill's samples fall to 0.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/commands/analysis.h"
#include "exporter/commands/backfill.h"
#include "tests/exporter/commands/history_text.h"

namespace kmem {
namespace {

constexpr int kDays = 40, kLooksADay = 4;

enum class Fault { kNone, kUnreadable, kLostOnce, kMissing };

/// Leak grows by 300 KB a day; Calm, of 50 MB, has the fault once a week: one look long, and where it is missing two, for what
/// one list lacks and the next has again was lost.
std::string weeks(Fault fault) {
  std::string text = "timestamp,pool,tag,bytes\n";
  for (int look = 0; look < kDays * kLooksADay; ++look) {
    const std::string time = std::to_string(test::kHistoryStart + look * 86'400 / kLooksADay);
    const int since = look % (7 * kLooksADay);
    const Fault now = since == 5 || (since == 6 && fault == Fault::kMissing) ? fault : Fault::kNone;
    const auto row = [&](const std::string& tag, int bytes) {
      text += time + ",nonpaged," + tag + "," + std::to_string(bytes) + "\n";
    };
    if (now == Fault::kUnreadable) text += time + ",nonpaged,Calm,5000x\n";
    if (now == Fault::kNone) row("Calm", 50'000'000);
    row("Leak", 20'000'000 + look * 300'000 / kLooksADay);
    row("Last", 1'000'000);
  }
  return text;
}

struct Seen {
  float lowest = 0;  // of Calm's days
  double leak_per_day = 0;
  std::size_t samples = 0, zeros = 0;  // of Calm
  std::size_t others = 0;              // samples of kmem_pool_other_bytes
};

Seen see(Fault fault) {
  test::MemoryFiles files;
  files.put("h.csv", weeks(fault));
  test::Shown shown;
  AnalysisOptions options = analysis_options(config::Config{});
  options.all = true;
  Seen seen;
  const auto analysis = analyze_history(files, {"h.csv"}, options, shown.meter);
  EXPECT_TRUE(analysis.ok());
  for (const AnalyzedSubject& subject : analysis->subjects) {
    if (subject.report.text == "Leak") seen.leak_per_day = subject.report.credible_slope_per_second * 86'400;
    if (subject.report.text != "Calm") continue;
    seen.lowest = 1e30F;
    for (const float day : subject.course)
      if (day < seen.lowest) seen.lowest = day;
  }
  EXPECT_TRUE(backfill_history(files, {"h.csv"}, "out.om", {options, {}, {}}, shown.meter).ok());
  const std::string page = *files.get("out.om");
  for (std::size_t at = 0; at < page.size(); at = page.find('\n', at) + 1) {
    const std::string line = page.substr(at, page.find('\n', at) - at);
    seen.others += line.starts_with("kmem_pool_other_bytes{") ? 1 : 0;
    if (!line.starts_with("kmem_pool_tag_bytes{pool=\"nonpaged\",tag=\"Calm\"}")) continue;
    ++seen.samples;
    seen.zeros += line.find("} 0 ") != std::string::npos ? 1 : 0;
  }
  return seen;
}

TEST(Gaps, ARefusedRowLeavesTrendFloorAndSamplesAsTheyAre) {
  const Seen whole = see(Fault::kNone), refused = see(Fault::kUnreadable), gone = see(Fault::kMissing),
             lost = see(Fault::kLostOnce);
  const std::size_t looks = kDays * kLooksADay, faults = 6;
  EXPECT_EQ(whole.lowest, 50'000'000);
  EXPECT_EQ(refused.lowest, 50'000'000);
  EXPECT_EQ(gone.lowest, 0);
  EXPECT_EQ(whole.samples, looks);
  EXPECT_EQ(refused.samples, looks - faults);
  EXPECT_EQ(refused.zeros, 0U);
  EXPECT_EQ(gone.samples, looks);
  EXPECT_EQ(gone.zeros, 2 * faults);
  EXPECT_EQ(lost.lowest, 50'000'000);
  EXPECT_EQ(lost.samples, looks - faults);
  EXPECT_EQ(lost.zeros, 0U);
  // The sum over what is not exported is not known where a row is not.
  EXPECT_EQ(whole.others, looks);
  EXPECT_EQ(refused.others, looks - faults);
  EXPECT_EQ(refused.leak_per_day, whole.leak_per_day);
  EXPECT_NEAR(whole.leak_per_day, 300'000, 15'000);
}

}  // namespace
}  // namespace kmem
