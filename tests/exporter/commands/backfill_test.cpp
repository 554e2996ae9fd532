#include "exporter/commands/backfill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "exporter/metrics/catalogue.h"
#include "tests/exporter/commands/history_text.h"

namespace kmem {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kSmall =
    "timestamp,pool,tag,bytes,allocs,frees,boot_time\n"
    "1767225600,nonpaged,,1000,,,1767222000\n"
    "1767225600,nonpaged,Even,480,15,5,\n"
    "1767225600,paged,a\"b,64,,,\n"
    "1767225600.5,nonpaged,,1001,,,\n"
    "1767225600.5,nonpaged,Even,528,17,6,\n"
    "1767225600.5,commit,,5000000000,,,\n";

BackfillOptions plain_options() { return {analysis_options(config::Config{}), {}, {}}; }

base::Result<BackfillDone> backfill(test::MemoryFiles& files, const BackfillOptions& options) {
  test::Shown shown;
  return backfill_history(files, {"h.csv"}, "out.om", options, shown.meter);
}

std::string head(const std::string& name, const std::string& metric, const std::string& type, const std::string& unit) {
  std::string help(metrics::catalogue_row(metric).help);
  for (std::size_t at = 0; (at = help.find('\\', at)) != std::string::npos; at += 2) help.insert(at, "\\");
  return "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n" +
         (unit.empty() ? "" : "# UNIT " + name + " " + unit + "\n");
}
std::string gauge(const std::string& name, const std::string& unit) { return head(name, name, "gauge", unit); }
std::string counter(const std::string& name) { return head(name, name + "_total", "counter", ""); }

/// Series are in the catalogue's order, each with all of its samples; what was not recorded is absent.
std::string small_page() {
  return gauge("kmem_pool_bytes", "bytes") +
         "kmem_pool_bytes{pool=\"nonpaged\"} 1000 1767225600\n"
         "kmem_pool_bytes{pool=\"nonpaged\"} 1001 1767225600.500\n" +
         gauge("kmem_pool_tags", "") +
         "kmem_pool_tags{pool=\"nonpaged\"} 1 1767225600\n"
         "kmem_pool_tags{pool=\"nonpaged\"} 1 1767225600.500\n"
         "kmem_pool_tags{pool=\"paged\"} 1 1767225600\n" +
         gauge("kmem_pool_tag_bytes", "bytes") +
         "kmem_pool_tag_bytes{pool=\"nonpaged\",tag=\"Even\"} 480 1767225600\n"
         "kmem_pool_tag_bytes{pool=\"nonpaged\",tag=\"Even\"} 528 1767225600.500\n"
         "kmem_pool_tag_bytes{pool=\"paged\",tag=\"a\\\"b\"} 64 1767225600\n" +
         gauge("kmem_pool_tag_outstanding_allocations", "") +
         "kmem_pool_tag_outstanding_allocations{pool=\"nonpaged\",tag=\"Even\"} 10 1767225600\n"
         "kmem_pool_tag_outstanding_allocations{pool=\"nonpaged\",tag=\"Even\"} 11 1767225600.500\n" +
         counter("kmem_pool_tag_allocations") +
         "kmem_pool_tag_allocations_total{pool=\"nonpaged\",tag=\"Even\"} 15 1767225600\n"
         "kmem_pool_tag_allocations_total{pool=\"nonpaged\",tag=\"Even\"} 17 1767225600.500\n" +
         counter("kmem_pool_tag_frees") +
         "kmem_pool_tag_frees_total{pool=\"nonpaged\",tag=\"Even\"} 5 1767225600\n"
         "kmem_pool_tag_frees_total{pool=\"nonpaged\",tag=\"Even\"} 6 1767225600.500\n" +
         gauge("kmem_pool_other_bytes", "bytes") +
         "kmem_pool_other_bytes{pool=\"nonpaged\"} 0 1767225600\n"
         "kmem_pool_other_bytes{pool=\"nonpaged\"} 0 1767225600.500\n"
         "kmem_pool_other_bytes{pool=\"paged\"} 0 1767225600\n" +
         gauge("kmem_pool_other_outstanding_allocations", "") +
         "kmem_pool_other_outstanding_allocations{pool=\"nonpaged\"} 0 1767225600\n"
         "kmem_pool_other_outstanding_allocations{pool=\"nonpaged\"} 0 1767225600.500\n" +
         gauge("kmem_commit_bytes", "bytes") + "kmem_commit_bytes 5000000000 1767225600.500\n" +
         gauge("kmem_boot_time_seconds", "seconds") + "kmem_boot_time_seconds 1767222000 1767225600\n# EOF\n";
}

TEST(Backfill, WritesEverySeriesWholeWithItsTimes) {
  test::MemoryFiles files;
  files.put("h.csv", kSmall);
  const auto done = backfill(files, plain_options());
  ASSERT_TRUE(done.ok()) << done.error().message;
  ASSERT_NE(files.get("out.om"), nullptr);
  EXPECT_EQ(*files.get("out.om"), small_page());
  EXPECT_EQ(done->snapshots, 2U);
  EXPECT_EQ(done->series, 13U);
  EXPECT_EQ(done->samples, 21U);
  EXPECT_EQ(done->readings, 2U);
  EXPECT_EQ(files.get("out.om.tmp"), nullptr);
}

TEST(Backfill, LabelsOfTheTargetAreOnEverySeries) {
  test::MemoryFiles files;
  files.put("h.csv", kSmall);
  BackfillOptions options = plain_options();
  options.labels = {{"job", "kmem"}, {"instance", "a\"b:1"}};
  const auto done = backfill(files, options);
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_NE(files.get("out.om"), nullptr);
  const std::string page = *files.get("out.om");
  EXPECT_THAT(page, HasSubstr("kmem_pool_bytes{pool=\"nonpaged\",job=\"kmem\",instance=\"a\\\"b:1\"} 1000 1767225600\n"));
  EXPECT_THAT(page, HasSubstr("\nkmem_commit_bytes{job=\"kmem\",instance=\"a\\\"b:1\"} 5000000000 "));
}

TEST(Backfill, LittleMemoryMeansMoreReadingsAndTheSamePage) {
  test::MemoryFiles files;
  files.put("h.csv", kSmall);
  BackfillOptions options = plain_options();
  options.max_points = 1;
  const auto one_by_one = backfill(files, options);
  ASSERT_TRUE(one_by_one.ok()) << one_by_one.error().message;
  EXPECT_EQ(*files.get("out.om"), small_page());
  EXPECT_EQ(one_by_one->readings, 14U);
  options.max_points = 9;
  const auto some = backfill(files, options);
  ASSERT_TRUE(some.ok()) << some.error().message;
  EXPECT_EQ(*files.get("out.om"), small_page());
  EXPECT_GT(some->readings, 2U);
  EXPECT_LT(some->readings, 6U);
}

TEST(Backfill, ASuspectIsThereFromItsFirstDay) {
  // Sixty larger tags, so that the leak ranks nowhere at first; three seats a pool.
  std::string text = "timestamp,pool,tag,bytes\n";
  test::Noise noise;
  for (int hour = 0; hour < test::kHistoryHours; hour += 4) {
    const std::string time = std::to_string(test::kHistoryStart + hour * 3600) + ",paged,";
    for (int i = 0; i < 60; ++i)
      text += time + "T" + std::to_string(i) + "," +
              std::to_string(4'000'000 + i * 100'000 + static_cast<int>(40'000 * noise.next())) + "\n";
    text += time + "Slow," + std::to_string(1'000'000 + hour * 2'500 + static_cast<int>(5'000 * noise.next())) + "\n";
  }
  test::MemoryFiles files;
  files.put("h.csv", text);
  BackfillOptions options = plain_options();
  options.tags.max_exported = 3;
  options.tags.top_growth = 0;
  const auto done = backfill(files, options);
  ASSERT_TRUE(done.ok()) << done.error().message;
  const std::string& page = *files.get("out.om");
  EXPECT_THAT(page, HasSubstr("kmem_pool_tag_bytes{pool=\"paged\",tag=\"Slow\"} "));
  std::size_t slow = 0, tags = 0;
  for (std::size_t at = 0; (at = page.find("\nkmem_pool_tag_bytes{", at)) != std::string::npos; ++at) {
    ++tags;
    if (page.compare(at, 46, "\nkmem_pool_tag_bytes{pool=\"paged\",tag=\"Slow\"} ", 46) == 0) ++slow;
  }
  EXPECT_EQ(slow, 336U);
  EXPECT_EQ(tags, 3 * 336U);
  // Nothing counted allocations, so there is nothing to say about them.
  EXPECT_THAT(page, Not(HasSubstr("outstanding")));
}

TEST(Backfill, AFullDiskLeavesTheOldOutput) {
  test::MemoryFiles files;
  files.put("h.csv", kSmall);
  files.put("out.om", "old");
  ASSERT_TRUE(backfill(files, plain_options()).ok());
  const std::uint64_t operations = files.operations();
  files.put("out.om", "old");
  for (std::uint64_t left = 0; left < operations; ++left) {
    files.fail_after(left);
    const auto done = backfill(files, plain_options());
    files.repair();
    EXPECT_FALSE(done.ok()) << left;
    EXPECT_EQ(*files.get("out.om"), "old") << left;
  }
}

TEST(Backfill, CountersThatALookDoesNotTellAreNoSamplesOfIt) {
  test::MemoryFiles files;
  files.put("h.csv",
            "timestamp,pool,tag,bytes,allocs,frees\n1767225600,nonpaged,Leak,480,15,5\n1767225660,nonpaged,Leak,528,17,\n"
            "1767225720,nonpaged,Leak,560,19,7\n");
  ASSERT_TRUE(backfill(files, plain_options()).ok());
  ASSERT_NE(files.get("out.om"), nullptr);
  const std::string& page = *files.get("out.om");
  EXPECT_THAT(page, HasSubstr("tag=\"Leak\"} 528 1767225660\n"));
  EXPECT_THAT(page, HasSubstr("kmem_pool_tag_allocations_total{pool=\"nonpaged\",tag=\"Leak\"} 15 1767225600\n"
                              "kmem_pool_tag_allocations_total{pool=\"nonpaged\",tag=\"Leak\"} 19 1767225720\n"));
  EXPECT_THAT(page, HasSubstr("kmem_pool_tag_frees_total{pool=\"nonpaged\",tag=\"Leak\"} 5 1767225600\n"
                              "kmem_pool_tag_frees_total{pool=\"nonpaged\",tag=\"Leak\"} 7 1767225720\n"));
}

TEST(Backfill, OfValuesThatAreNoneNoFileIsWritten) {
  test::MemoryFiles files;
  files.put("h.csv", "timestamp,pool,tag,bytes\n1767225600,nonpaged,Leak,0\n1767225660,nonpaged,Leak,0\n");
  const auto done = backfill(files, plain_options());
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, base::ErrorCode::kInvalid);
  EXPECT_EQ(files.get("out.om"), nullptr);
}

TEST(Backfill, NothingUsableIsTold) {
  test::MemoryFiles files;
  files.put("h.csv", "Dear Sir or Madam,\n");
  const auto done = backfill(files, plain_options());
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, base::ErrorCode::kInvalid);
  EXPECT_THAT(done.error().message, HasSubstr("h.csv"));
  EXPECT_EQ(files.get("out.om"), nullptr);
}

}  // namespace
}  // namespace kmem
