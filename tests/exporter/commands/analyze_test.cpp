#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "collectors/base/time_words.h"
#include "exporter/commands/analysis.h"
#include "tests/exporter/commands/history_text.h"
#include "tests/support/pattern.h"

namespace kmem {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using trend::Kind;
using trend::Verdict;

constexpr base::UnixMillis kDay = 86'400'000;
constexpr base::UnixMillis kStart = test::kHistoryStart * 1000;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

base::Result<Analysis> analyze_files(test::MemoryFiles& files, const std::vector<std::string>& paths, bool all) {
  test::Shown shown;
  AnalysisOptions options = analysis_options(config::Config{});
  options.all = all;
  return analyze_history(files, paths, options, shown.meter);
}

Analysis eight_weeks(bool all) {
  test::MemoryFiles files;
  files.put("h.csv", test::eight_weeks_csv());
  auto analysis = analyze_files(files, {"h.csv"}, all);
  EXPECT_TRUE(analysis.ok());
  return analysis ? std::move(*analysis) : Analysis{};
}

std::vector<std::string> names_of(const Analysis& analysis) {
  std::vector<std::string> names;
  for (const AnalyzedSubject& subject : analysis.subjects)
    names.push_back(subject.report.kind == Kind::kCommit ? "(commit)" : subject.report.text);
  return names;
}

TEST(AnalysisDrivers, AreNamedWhereTheyAreKnown) {
  Analysis analysis;
  AnalyzedSubject leak;
  leak.report.kind = Kind::kTag;
  leak.report.text = "Leak";
  leak.report.verdict = Verdict::kLeak;
  analysis.subjects = {leak};
  EXPECT_THAT(analysis_text(analysis, false), Not(HasSubstr("DRIVER")));
  analysis.subjects[0].drivers = {{"a.sys", "what a does", "pooltag.txt"}, {"b.sys", "", "image_scan"}};
  EXPECT_THAT(analysis_text(analysis, false), HasSubstr("DAYS LEFT  DRIVER        FLOOR"));
  EXPECT_THAT(analysis_text(analysis, false), HasSubstr("  a.sys, b.sys"));
  const json drivers = json::parse(analysis_json(analysis))["subjects"][0]["drivers"];
  EXPECT_EQ(drivers, json::parse(R"([{"driver": "a.sys", "description": "what a does", "source": "pooltag.txt"},
                                     {"driver": "b.sys", "description": "", "source": "image_scan"}])"));
}

TEST(Analyze, TellsTheLeakFromTheStepAndTheCalm) {
  const Analysis analysis = eight_weeks(false);
  EXPECT_EQ(analysis.start, kStart);
  EXPECT_EQ(analysis.end, kStart + (test::kHistoryHours - 1) * 3'600'000LL);
  EXPECT_EQ(analysis.snapshots, 1344U);
  EXPECT_EQ(analysis.summary.subjects, 4U);
  EXPECT_EQ(analysis.summary.boots, 1U);
  EXPECT_THAT(analysis.skipped, IsEmpty());
  // The faster growing one is the worse.
  ASSERT_THAT(names_of(analysis), ElementsAre("(commit)", "Leak"));
  const trend::SubjectReport& leak = analysis.subjects[1].report;
  EXPECT_EQ(leak.verdict, Verdict::kLeak);
  EXPECT_EQ(leak.pool, Pool::kNonpaged);
  EXPECT_NEAR(leak.credible_slope_per_second * 86'400, 200'000, 40'000);
  ASSERT_TRUE(leak.since.has_value());
  EXPECT_NEAR(static_cast<double>(*leak.since - kStart) / kDay, 14, 5);
  ASSERT_TRUE(leak.first_detected.has_value());
  EXPECT_GT(*leak.first_detected, kStart + 15 * kDay);
  EXPECT_LT(*leak.first_detected, kStart + 32 * kDay);
  EXPECT_NEAR(leak.last_amount, 8e6 + 42 * 200'000, 200'000);
  // 5.8 GB are left, at 40 MB a day.
  const trend::SubjectReport& commit = analysis.subjects[0].report;
  ASSERT_TRUE(commit.exhaustion.has_value());
  EXPECT_NEAR(commit.exhaustion->seconds / 86'400, 144, 30);
  EXPECT_LT(commit.exhaustion->soonest_seconds, commit.exhaustion->seconds);
  EXPECT_GT(commit.exhaustion->latest_seconds, commit.exhaustion->seconds);
  // The tag's pool ends with commit, too, for no size of the pool itself is known.
  EXPECT_EQ(trend::bound_name(commit.exhaustion->bound), "commit_limit");
  EXPECT_NEAR(commit.exhaustion->room / commit.exhaustion->pace_per_second, commit.exhaustion->seconds, 1);
}

TEST(Analyze, AllHasWhatDoesNotGrowBehindTheRest) {
  const Analysis analysis = eight_weeks(true);
  ASSERT_THAT(names_of(analysis), ElementsAre("(commit)", "Leak", "Calm", "Step"));
  EXPECT_EQ(analysis.subjects[2].report.verdict, Verdict::kOk);
  EXPECT_EQ(analysis.subjects[3].report.verdict, Verdict::kOk);
  EXPECT_FALSE(analysis.subjects[3].report.first_detected.has_value());
}

TEST(Analyze, HistoryInPiecesIsTheSameHistory) {
  const std::string whole = test::eight_weeks_csv();
  const std::size_t middle = whole.find("\n1769") + 1;  // Unix time, in the fourth week
  test::MemoryFiles files;
  files.put("late.csv", whole.substr(0, whole.find('\n') + 1) + whole.substr(middle));
  files.put("early.csv", whole.substr(0, middle));
  const auto analysis = analyze_files(files, {"late.csv", "early.csv"}, true);
  ASSERT_TRUE(analysis.ok());
  EXPECT_EQ(analysis_json(*analysis), analysis_json(eight_weeks(true)));
}

TEST(Analyze, JsonHasTheAgreedForm) {
  const json document = json::parse(analysis_json(eight_weeks(true)));
  EXPECT_EQ(document.at("history"), json::parse(R"({"start": "2026-01-01T00:00:00Z", "end": "2026-02-25T23:00:00Z",
                                                    "snapshots": 1344, "boots": 1, "subjects": 4})"));
  EXPECT_EQ(document.at("skipped"), json::array());
  ASSERT_EQ(document.at("subjects").size(), 4U);
  const json& commit = document["subjects"][0];
  EXPECT_EQ(commit.at("kind"), "commit");
  EXPECT_EQ(commit.at("pool"), "");
  EXPECT_LT(commit.at("exhaustion_seconds_lower"), commit.at("exhaustion_seconds"));
  EXPECT_LT(commit.at("exhaustion_seconds"), commit.at("exhaustion_seconds_upper"));
  const json& leak = document["subjects"][1];
  EXPECT_EQ(leak.at("kind"), "tag");
  EXPECT_EQ(leak.at("pool"), "nonpaged");
  EXPECT_EQ(leak.at("tag"), "Leak");
  EXPECT_EQ(leak.at("verdict"), "leak");
  EXPECT_GE(leak.at("confidence"), 0.5);
  EXPECT_LE(leak.at("confidence"), 1.0);
  EXPECT_NEAR(leak.at("slope_bytes_per_day").get<double>(), 200'000, 40'000);
  EXPECT_THAT(leak.at("first_detected").get<std::string>(), testing::StartsWith("2026-01-"));
  EXPECT_THAT(leak.at("first_detected").get<std::string>(), testing::EndsWith("Z"));
  EXPECT_TRUE(leak.at("bytes_last").is_number_integer());
  EXPECT_TRUE(leak.at("exhaustion_seconds").is_null());
  const json& calm = document["subjects"][2];
  EXPECT_EQ(calm.at("verdict"), "ok");
  EXPECT_TRUE(calm.at("first_detected").is_null());
  EXPECT_EQ(calm.at("slope_bytes_per_day"), 0);
}

TEST(Analyze, BrokenLinesAreListedAndCostNothingElse) {
  std::string text = test::eight_weeks_csv();
  std::size_t line = 0;
  for (int i = 0; i < 100; ++i) line = text.find('\n', line) + 1;  // in front of line 101
  text.insert(line, "1767300000,paged,Calm,many,,,\nrubbish\n");
  test::MemoryFiles files;
  files.put("h.csv", text);
  const auto analysis = analyze_files(files, {"h.csv"}, false);
  ASSERT_TRUE(analysis.ok());
  EXPECT_EQ(analysis->skipped_count, 2U);
  EXPECT_THAT(names_of(*analysis), ElementsAre("(commit)", "Leak"));
  const json document = json::parse(analysis_json(*analysis));
  ASSERT_EQ(document.at("skipped").size(), 2U);
  EXPECT_EQ(document["skipped"][0].at("file"), "h.csv");
  EXPECT_EQ(document["skipped"][0].at("line"), 101);
  EXPECT_THAT(document["skipped"][0].at("reason").get<std::string>(), HasSubstr("many"));
  EXPECT_EQ(document["skipped"][1].at("line"), 102);
  EXPECT_THAT(analysis_text(*analysis, false),
              HasSubstr("\nSkipped  2 pieces of the input that cannot be used:\n  h.csv:101: "));
}

// Its rows are malformed in every snapshot: that nothing else grows says nothing of it.
TEST(Analyze, WhatWasPassedOverIsNoPartOfTheVerdict) {
  std::string text = "timestamp,pool,tag,bytes\n";
  for (int day = 0; day < 20; ++day) {
    const std::string time = std::to_string(1'767'225'600 + day * 86'400);
    text += time + ",paged,Calm,5000000\n" + time + ",nonpaged,Leak,1,000 MB\n" + time +
            (day == 3 ? ",paged,Some,12x\n" : ",paged,Some,900000\n");
  }
  test::MemoryFiles files;
  files.put("h.csv", text);
  const auto analysis = analyze_files(files, {"h.csv"}, false);
  ASSERT_TRUE(analysis.ok());
  EXPECT_THAT(
      analysis_text(*analysis, false),
      HasSubstr("Verdict  nothing grows steadily in what could be read, unless reboots hide it, which nothing here would show\n"
                "         Not covered: 21 pieces passed over: nonpaged Leak not judged, as all its 20 rows were lost, "
                "paged Some 1 row; listed below\n"));
  EXPECT_EQ(json::parse(analysis_json(*analysis))["passed_over"],
            json::parse(R"([{"host": "", "pool": "nonpaged", "tag": "Leak", "kind": "tag", "rows": 20, "judged": false},
                            {"host": "", "pool": "paged", "tag": "Some", "kind": "tag", "rows": 1, "judged": true}])"));
  EXPECT_FALSE(analysis->is_of_nothing());
}

TEST(Analyze, HostsThatThereIsNoRoomForAreJudgedByAnotherLook) {
  std::string text = "timestamp,host,pool,tag,bytes\n";
  for (int day = 0; day < 30; ++day)
    for (const char* const host : {"a", "b", "c", "d"}) {
      const std::string row = std::to_string(1'767'225'600 + day * 86'400) + "," + host;
      text += row + ",paged,Calm,5000000\n" + row + ",nonpaged,Leak," +
              std::to_string(9'000'000 + day * (host[0] - 'a') * 300'000) + "\n" + row + ",nonpaged,Lost," +
              (day == 3 ? "x" : "70000") + "\n";
    }
  test::MemoryFiles files;
  files.put("h.csv", text);
  files.put("i.csv", text);
  const auto told = [&](std::size_t room) {
    AnalysisOptions options = analysis_options(config::Config{});
    options.most_rows_at_once = room;
    test::Shown shown;
    const auto analysis = analyze_history(files, {"h.csv", "i.csv"}, options, shown.meter);
    return analysis ? analysis_text(*analysis, false, true) + analysis_json(*analysis, true) : analysis.error().message;
  };
  const std::string whole = told(1000);
  EXPECT_THAT(whole, HasSubstr("Hosts    4: 3 with leaks"));
  EXPECT_THAT(whole, HasSubstr("d nonpaged Lost 2 rows"));
  for (const std::size_t room : {1U, 3U, 4U, 8U}) EXPECT_EQ(told(room), whole) << room;
}

TEST(Analyze, LostRowsAreNamedWhateverTheFormat) {
  const auto lost = [](const std::string& text) {
    test::MemoryFiles files;
    files.put("f", text);
    const auto analysis = analyze_files(files, {"f"}, false);
    std::string found;
    if (!analysis) return analysis.error().message;
    for (const PassedOver& one : analysis->passed_over)
      found += one.of.host + "|" + (one.of.pool ? std::string(pool_name(*one.of.pool)) : "") + "|" + one.of.tag + "|" +
               std::to_string(one.rows) + (one.is_judged ? " judged" : "") + ";";
    return found;
  };
  const std::string poolmon = " Tag  Type     Allocs            Frees            Diff   Bytes      Per Alloc\n";
  EXPECT_EQ(lost("2026-11-05 18:00:00\n" + poolmon +
                 " Leak Nonp       1000 (   0)         0 (   0)     900x   1024000 (     0)   1024\n"
                 " CM31 Paged      1000 (   0)         0 (   0)     1000   1024000 (     0)   1024\n"),
            "|nonpaged|Leak|1;");
  EXPECT_EQ(lost("DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes,ComputerName\n2026-11-05 18:00:00,CM31,500,0,S\n"
                 "2026-11-05 18:00:00,Leak,0,many,S\n2026-11-06 18:00:00,CM31,some,0,s\n"),
            "S|nonpaged|Leak|1;s|paged|CM31|1 judged;");
  EXPECT_EQ(lost("\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\S\\Memory\\Pool Paged Bytes\",\"\\\\S\\Memory\\Pool Nonpaged Bytes\"\n"
                 "\"11/05/2026 18:00:00.000\",\"500\",\"n/a\"\n"),
            "S||Memory\\Pool Nonpaged Bytes|1;");
  EXPECT_EQ(lost("Linux 5.10.0 (srv) \t2026-11-05 \t_x86_64_\t(4 CPU)\n\n00:00:01 kbmemfree kbavail kbcommit kbslab\n"
                 "00:10:01 1000 2000 3000 4000\n00:20:01 1000 2000 x 4000\n00:30:01 1000 2000 3000\n"
                 "00:40:01 1000 2000 3000 4000\n"),
            "srv||kbavail|1;srv||kbcommit|2 judged;srv|slab_unreclaimable|kbslab|1 judged;");
  EXPECT_EQ(lost("# hostname;interval;timestamp;kbmemfree;kbavail;kbcommit;kbslab\nsrv;600;2026-11-05 00:10:01 UTC;1;2;3;4\n"
                 "srv;600;2026-11-05 00:20:01 UTC;1;2;3\n"),
            "srv||kbavail|1;srv||kbcommit|1 judged;srv|slab_unreclaimable|kbslab|1 judged;");
  EXPECT_EQ(lost(R"({"sysstat": {"hosts": [{"nodename": "srv", "statistics": [
                     {"timestamp": {"date": "2026-11-05", "time": "00:10:01", "utc": 1}, "memory": {"commit": 3000, "slab": "x"}}
                     ]}]}})"),
            "srv|slab_unreclaimable|kbslab|1;");
  EXPECT_EQ(lost("kmem_pool_tag_bytes{instance=\"a\",pool=\"nonpaged\",tag=\"Leak\"} 5 1793901600000\n"
                 "kmem_pool_tag_bytes{instance=\"a\",pool=\"nonpaged\",tag=\"Leak\"} -5 1793905200000\n"
                 "kmem_pool_tag_bytes{instance=\"a\",pool=\"nonpaged\",tag=\"Gone\"} x 1793905200000\n"
                 "windows_memory_committed_bytes{instance=\"a\"} Inf 1793905200000\n"),
            "a||windows_memory_committed_bytes|1;a|nonpaged|Gone|1;a|nonpaged|Leak|1 judged;");
  EXPECT_EQ(lost(R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"kmem_pool_tag_bytes",
                     "instance":"a","pool":"paged","tag":"Leak"},"values":[[1793901600,"5"],[1793905200,"many"]]}]}})"),
            "a|paged|Leak|1 judged;");
  EXPECT_EQ(lost("Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile    Commit   Handles   Threads\n"
                 "!LogType=memsnap\n!SystemTime=11\\05\\2026 18:00:00.0000 (GMT)\n!TickCount=3600000\n"
                 "000001a4             svc.exe   1200000     30000     24166   3000000   3000000      2059        12\n"
                 "000001a8       sqlservr2.exe   1200000     30000     24166   3000000   3000000      x059        12\n"),
            "||sqlservr2.exe (424)|1;");
  EXPECT_EQ(
      lost(
          "2026-11-05 18:00:00\nslabinfo - version: 2.1\n# name <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>\n"
          "dentry 100 100 192 21 1 : tunables 0 0 0 : slabdata 5 5 0\ninode_cache x 100 192 21 1 : tunables 0 0 0 : slabdata 5 5 0\n"),
      "||inode_cache|1;");
}

// Free memory alone leaks nothing, which is no answer.
TEST(Analyze, ReadingsWithoutAnythingToJudgeSaySo) {
  test::MemoryFiles files;
  files.put(
      "f.csv",
      "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\S\\Memory\\Available Bytes\"\n\"11/05/2026 18:00:00.000\",\"500\"\n\"11/06/2026 18:00:00.000\",\"500\"\n");
  const auto analysis = analyze_files(files, {"f.csv"}, false);
  ASSERT_TRUE(analysis.ok());
  EXPECT_TRUE(analysis->is_of_nothing());
  EXPECT_THAT(analysis_text(*analysis, false),
              HasSubstr("Verdict  nothing could be judged: no pool, tag or commit above 0 is in the readings\n"));
}

TEST(Analyze, NothingUsableIsAnErrorThatNamesTheFile) {
  test::MemoryFiles files;
  files.put("letter.txt", "Dear Sir or Madam,\n");
  const auto analysis = analyze_files(files, {"letter.txt"}, false);
  ASSERT_FALSE(analysis.ok());
  EXPECT_THAT(analysis.error().message, HasSubstr("letter.txt: "));
}

TEST(Analyze, CachesThatFillByDesignAreNotAccused) {
  std::string text = test::eight_weeks_csv();
  for (std::size_t at = 0; (at = text.find("nonpaged,Leak", at)) != std::string::npos;)
    text.replace(at, 13, "slab_reclaimable,dentry");
  test::MemoryFiles files;
  files.put("h.csv", text);
  const auto analysis = analyze_files(files, {"h.csv"}, true);
  ASSERT_TRUE(analysis.ok());
  EXPECT_THAT(names_of(*analysis), testing::Contains("dentry"));
  for (const AnalyzedSubject& subject : analysis->subjects) {
    if (subject.report.text != "dentry") continue;
    EXPECT_EQ(subject.report.verdict, Verdict::kOk);
  }
}

Analysis small_report() {
  Analysis analysis;
  analysis.start = kStart;
  analysis.end = kStart + 28 * kDay;
  analysis.snapshots = 673;
  analysis.summary.boots = 2;
  analysis.summary.subjects = 812;
  analysis.readiness.judged = true;
  AnalyzedSubject leak;
  leak.report.pool = Pool::kNonpaged;
  leak.report.text = "Even";
  leak.report.verdict = Verdict::kLeak;
  leak.report.confidence = 0.87;
  leak.report.last_amount = 12.25 * 1024 * 1024;
  leak.report.credible_slope_per_second = 1.0 * 1024 * 1024 / 86'400;
  leak.report.since = kStart + 7 * kDay;
  leak.report.exhaustion = trend::Exhaustion{4 * 86'400.0, 3 * 86'400.0, kInfinity};
  leak.course.fill(std::numeric_limits<float>::quiet_NaN());
  for (std::size_t day = 28; day < 56; ++day) leak.course[day] = static_cast<float>(day - 28);
  leak.course[40] = leak.course[41] = std::numeric_limits<float>::quiet_NaN();  // a gap
  AnalyzedSubject entries;
  entries.report.kind = Kind::kSystemPtes;
  entries.report.verdict = Verdict::kWatch;
  entries.report.confidence = 0.3;
  entries.report.last_amount = 33'444;
  entries.report.credible_slope_per_second = 12.0 / 86'400;
  entries.report.since = kStart;
  entries.report.exhaustion = trend::Exhaustion{1787 * 86'400.0, 1500 * 86'400.0, 2000 * 86'400.0};
  entries.course = leak.course;
  analysis.subjects = {leak, entries};
  analysis.warnings = {"a.txt: it has no date"};
  return analysis;
}

TEST(Analyze, TextReadsLikeAReport) {
  EXPECT_EQ(analysis_text(small_report(), false),
            R"(History  2026-01-01T00:00:00Z to 2026-01-29T00:00:00Z (28 days): 673 snapshots, 2 boots, 812 subjects
Verdict  1 leak, 1 to watch

VERDICT  POOL      TAG                 SINCE           A DAY  CONFIDENCE       NOW  DAYS LEFT            FLOOR OF EVERY 2 DAYS
LEAK     nonpaged  Even                2026-01-08  +1.00 MiB        87 %  12.2 MiB  4.0 (3.0 to never)   __..,- ==+**##
watch    -         (free system PTEs)  2026-01-01        -12        30 %     33444  1787 (1500 to 2000)  __..,- ==+**##

Assumed
  a.txt: it has no date
)");
  EXPECT_THAT(analysis_text(small_report(), true), HasSubstr("▁▁▂▂▃▄ ▅▅▆▇▇██\n"));
  Analysis none = small_report();
  none.subjects.clear();
  none.end = kStart + kDay;
  EXPECT_THAT(analysis_text(none, false), AllOf(HasSubstr("Verdict  nothing grows steadily\n"), Not(HasSubstr("VERDICT")),
                                                HasSubstr("this history is short")));
}

TEST(Analyze, TextNamesWhatGrowsBetweenFallsAndWhatRebootsMayHide) {
  Analysis report = small_report();
  report.subjects.clear();
  report.blind_to_boots = true;
  EXPECT_THAT(analysis_text(report, false),
              HasSubstr("Verdict  nothing grows steadily, unless reboots hide it, which nothing here would show\n"));
  trend::Readiness::Growth growth;
  growth.kind = trend::Kind::kTag, growth.pool = Pool::kNonpaged, growth.text = "Svc ";
  growth.amount = 2 << 20, growth.seconds = 86'400, growth.falls = 2, growth.days_since_fall = 12;
  growth.room = 26 << 20, growth.seconds_left = 13 * 86'400;
  report.readiness.largest = growth;
  const std::string said =
      "nonpaged Svc , +2.00 MiB a day, given back 2 times, the last 12 days ago; 26.0 MiB left, used up in about 13 days unless "
      "given back again: a leak that a restart "
      "of its owner frees, or a cache that is trimmed\n";
  EXPECT_THAT(analysis_text(report, false), HasSubstr("Verdict  grows between falls: " + said));
  EXPECT_EQ(json::parse(analysis_json(report))["largest_growth"]["falls"], 2);
  EXPECT_EQ(json::parse(analysis_json(report))["largest_growth"]["room"], 26 << 20);
  EXPECT_EQ(json::parse(analysis_json(report))["largest_growth"]["seconds_left"], 13 * 86'400);
  // Beside what leaks it is said below.
  report.subjects = small_report().subjects;
  EXPECT_THAT(analysis_text(report, false),
              AllOf(HasSubstr("Verdict  1 leak, 1 to watch\n"), HasSubstr("         Grows between falls: " + said)));
  report.readiness.largest->ends_first = true;
  EXPECT_THAT(analysis_text(report, false),
              HasSubstr("Verdict  grows between falls: " + said + "         1 leak, 1 to watch\n"));
  // Of several hosts it stands in the row.
  report.subjects.clear();
  report.others.emplace_back();
  EXPECT_THAT(analysis_text(report, false), HasSubstr("  grows between falls: " + said));
}

TEST(Analyze, TextSaysWhatItCannotSee) {
  Analysis young = small_report();
  young.readiness = {};
  young.readiness.days_lacking = 1.5;
  young.readiness.largest = {trend::Kind::kTag, Pool::kPaged, "MmSt", 12.0 * (1 << 20), 90'000};
  EXPECT_THAT(
      analysis_text(young, false),
      HasSubstr("Verdict  1 leak, 1 to watch\n         Too little to judge the rest: telling a leak takes 36 more hours of "
                "readings.\n         Largest growth so far: paged MmSt, +12.0 MiB in 25 hours\n\n"));
  young.readiness.largest->seconds = 2;
  EXPECT_THAT(analysis_text(young, false), HasSubstr("paged MmSt, +12.0 MiB in 2 seconds\n"));
  young.readiness.largest->seconds = 90'000;
  young.subjects.clear();
  young.snapshots = 29;
  young.usual_seconds = 86'400;
  EXPECT_THAT(analysis_text(young, false),
              HasSubstr("Verdict  too little to judge: telling a leak takes 36 more hours of readings\n"
                        "         Largest growth so far: paged MmSt, +12.0 MiB in 25 hours\n"
                        "         A reading every 24 hours: growth that takes hours only is not seen.\n"));
  const auto parsed = nlohmann::json::parse(analysis_json(young));
  EXPECT_EQ(parsed["judged"], false);
  EXPECT_EQ(parsed["lacking"], "telling a leak takes 36 more hours of readings");
  EXPECT_EQ(parsed["largest_growth"]["tag"], "MmSt");
  EXPECT_EQ(parsed["largest_growth"]["bytes"], 12 << 20);
  Analysis second = young;
  second.host = "b";
  second.readiness.judged = true;
  second.readiness.largest.reset();
  young.host = "a";
  young.others = {second};
  EXPECT_THAT(
      analysis_text(young, false),
      testing::AllOf(
          test::HasPattern(
              "unknown +a +28  too little to judge: telling a leak takes 36 more hours of readings; largest growth paged MmSt, \\+12.0 MiB in 25 hours"),
          test::HasPattern("^Hosts +2: 0 with leaks, 0 to watch, 1 too little to judge"), test::HasPattern("ok +b +28\n")));
}

TEST(Analyze, WhatEndsWithinTwoDaysIsToldByTheHour) {
  Analysis analysis = small_report();
  trend::SubjectReport& surge = analysis.subjects[0].report;
  surge.kind = Kind::kPool, surge.text.clear();
  surge.verdict = Verdict::kSurge;
  surge.surge = trend::Surge{};
  surge.surge->since = kStart;
  surge.surge->pace_per_second = 2.0 * (1 << 30) / 3600;
  surge.surge->seconds_left = 90 * 60;
  surge.exhaustion = trend::Exhaustion{
      90 * 60, 90 * 60, 90 * 60, 3.0 * (1 << 30), surge.surge->pace_per_second, trend::Bound::kAvailableMemory};
  surge.growers = {{"Leak", 208.0 * (1 << 20)}, {"Thre", 3.0 * (1 << 20)}};
  EXPECT_THAT(analysis_text(analysis, false),
              AllOf(HasSubstr("+2.00 GiB/h"), HasSubstr("  90 min "), HasSubstr("3.00 GiB of available memory  "),
                    HasSubstr("FLOOR OF EVERY 2 DAYS, NOW\n"),
                    HasSubstr("Of nonpaged (whole pool) most of it Leak, +208 MiB, Thre, +3.00 MiB\n")));
  auto row = nlohmann::json::parse(analysis_json(analysis))["subjects"][0];
  EXPECT_EQ(row["surge_per_hour"], 2.0 * (1 << 30));
  EXPECT_EQ(row["growers"][0]["tag"], "Leak");
  EXPECT_EQ(row["growers"][1]["bytes"], 3 << 20);
  surge.exhaustion->seconds = surge.surge->seconds_left = 12 * 3600;
  EXPECT_THAT(analysis_text(analysis, false), HasSubstr("  12 h "));
  EXPECT_EQ(row["slope_bytes_per_day"], 48.0 * (1 << 30)) << "the growth behind the verdict";
  // Of a few hours it has a time of day, also where no end is known.
  surge.surge->since = analysis.end - 5 * 3'600'000;
  surge.surge->seconds_left = kInfinity;
  surge.exhaustion.reset();
  EXPECT_THAT(analysis_text(analysis, false),
              test::HasPattern("SURGE +nonpaged +\\(whole pool\\) +2026-01-28 19:00 +\\+48.0 GiB +- "));
}

TEST(Analyze, ALeakThatSurgesHasBothPacesAndItsLineEndsWithThePresent) {
  Analysis analysis = small_report();
  trend::SubjectReport& leak = analysis.subjects[0].report;
  leak.last_amount = 200;
  leak.surge.emplace();
  leak.surge->since = analysis.end - 5 * 3'600'000;
  leak.surge->pace_per_second = 256.0 * (1 << 20) / 3600;
  leak.surge->seconds_left = 7.5 * 3600;
  leak.exhaustion = trend::Exhaustion{
      7.5 * 3600, 7.5 * 3600, 7.5 * 3600, 1920.0 * (1 << 20), leak.surge->pace_per_second, trend::Bound::kAvailableMemory,
      true};
  EXPECT_THAT(analysis_text(analysis, false),
              AllOf(HasSubstr("LEAK     nonpaged  Even                2026-01-08  +1.00 MiB, now +256 MiB/h        87 %"),
                    HasSubstr("7.5 h                1.88 GiB of available memory at +256 MiB/h  ______ ______.#\n")));
  const auto row = nlohmann::json::parse(analysis_json(analysis))["subjects"][0];
  EXPECT_EQ(row["slope_bytes_per_day"], 1 << 20) << "of its weeks";
  EXPECT_EQ(row["surge_per_hour"], 256.0 * (1 << 20));
  EXPECT_EQ(row["surge_since"], "2026-01-28T19:00:00Z");
  EXPECT_EQ(row["surge_seconds_left"], 7.5 * 3600);
}

TEST(Analyze, HostsAreCountedByWhatTheyHaveAndOldReadingsHaveAnAge) {
  Analysis analysis = small_report();
  analysis.host = "a";
  analysis.subjects[0].report.verdict = analysis.subjects[1].report.verdict = Verdict::kSurge;
  HostAnalysis old = analysis;
  old.host = "old", old.end = analysis.end - 11 * kDay;
  HostAnalysis fast = analysis;
  fast.host = "fast", fast.subjects.clear();
  fast.readiness.largest = {Kind::kTag, Pool::kNonpaged, "Leak", 600.0 * (1 << 20), 6 * 3600, true};
  analysis.others = {old, fast};
  EXPECT_THAT(
      analysis_text(analysis, false),
      AllOf(HasSubstr("Hosts    3: 0 with leaks, 2 with surges, 0 to watch, 1 growing for too short to tell\n"),
            test::HasPattern(
                "SURGE +old +17 +nonpaged Even \\+1.00 MiB a day and 1 more; last read 11 days before the newest host\n"),
            HasSubstr(
                "unknown  fast    28  grows now: nonpaged Leak, +600 MiB in 6 hours, not long enough to tell a surge from a "
                "step\n")));
  // One that leaks, too, is counted once.
  HostAnalysis both = old;
  both.host = "both", both.end = analysis.end - 2 * kDay;
  both.subjects[0].report.verdict = Verdict::kLeak;
  analysis.others.push_back(both);
  EXPECT_THAT(analysis_text(analysis, false),
              AllOf(HasSubstr("Hosts    4: 1 with leaks, 2 with surges, 0 to watch, 1 growing for too short to tell\n"),
                    HasSubstr("; last read 2.0 days before the newest host\n")));
  const auto hosts = nlohmann::json::parse(analysis_json(analysis))["hosts"];
  EXPECT_EQ(hosts[2]["verdict"], "unknown");
  EXPECT_EQ(hosts[2]["largest_growth"]["large"], true);
}

/// A host on which nothing grows and hardly anything is left of what may be committed.
HostAnalysis short_of_commit(double used_gibi) {
  HostAnalysis host = small_report();
  host.subjects.clear();
  trend::SubjectReport commit;
  commit.kind = Kind::kCommit, commit.last_amount = used_gibi * (1 << 30), commit.limit = 16.0 * (1 << 30);
  commit.exhaustion.emplace().bound = trend::Bound::kCommitLimit;
  if (trend::short_share(commit)) host.short_of.push_back(commit);
  return host;
}

TEST(Analyze, ThatLittleIsLeftIsSaidWhateverGrows) {
  Analysis analysis;
  static_cast<HostAnalysis&>(analysis) = short_of_commit(14.3);
  EXPECT_THAT(analysis_text(analysis, false), HasSubstr("Verdict  nothing grows steadily\n"));
  EXPECT_EQ(nlohmann::json::parse(analysis_json(analysis))["short_of"], nlohmann::json::array());
  static_cast<HostAnalysis&>(analysis) = short_of_commit(15.8);
  EXPECT_THAT(analysis_text(analysis, false),
              HasSubstr("Verdict  commit is at 98 % of its limit, 205 MiB left; nothing grows steadily\n"));
  const auto document = nlohmann::json::parse(analysis_json(analysis));
  EXPECT_EQ(document["short_of"][0]["kind"], "commit");
  EXPECT_EQ(document["short_of"][0]["limit"], std::int64_t{16} << 30);
  static_cast<HostAnalysis&>(analysis) = short_of_commit(16.8);
  EXPECT_THAT(analysis_text(analysis, false), HasSubstr("commit is at 105 % of its limit, 0 B left; nothing"));
  analysis.subjects = small_report().subjects;
  EXPECT_THAT(analysis_text(analysis, false),
              HasSubstr("Verdict  commit is at 105 % of its limit, 0 B left\n         1 leak, 1 to watch\n"));
}

TEST(Analyze, AHostThatIsShortStandsBeforeACalmOne) {
  HostAnalysis calm = short_of_commit(8);
  calm.host = "a";
  HostAnalysis full = short_of_commit(15.8);
  full.host = "b";
  EXPECT_TRUE(is_worse(full, calm));
  EXPECT_FALSE(is_worse(calm, full));
  Analysis analysis;
  static_cast<HostAnalysis&>(analysis) = full;
  analysis.others = {calm};
  EXPECT_THAT(analysis_text(analysis, false), HasSubstr("28  commit is at 98 % of its limit, 205 MiB left\n"));
}

TEST(ShortShare, IsOfPoolsThatTheirOwnLimitEndsOfCommitAndOfFreeEntries) {
  trend::SubjectReport report;
  report.kind = Kind::kPool, report.pool = Pool::kPaged, report.last_amount = 95, report.limit = 100;
  EXPECT_EQ(trend::short_share(report), std::nullopt) << "it may be no bound";
  report.exhaustion.emplace().bound = trend::Bound::kAvailableMemory;
  EXPECT_EQ(trend::short_share(report), std::nullopt);
  report.exhaustion->bound = trend::Bound::kPoolLimit;
  EXPECT_EQ(trend::short_share(report), 0.95);
  const auto words = [](double bytes) { return std::to_string(static_cast<int>(bytes)) + " bytes"; };
  EXPECT_EQ(trend::shortage_words(report, words), "paged pool is at 95 % of its limit, 5 bytes left");
  report.last_amount = 89;
  EXPECT_EQ(trend::shortage_words(report, words), "");
  report.kind = Kind::kTag, report.last_amount = 99;
  EXPECT_EQ(trend::short_share(report), std::nullopt);
  report.kind = Kind::kSystemPtes, report.limit = 12'000, report.last_amount = 12'001;
  EXPECT_EQ(trend::shortage_words(report, words), "");
  report.last_amount = 9000;
  EXPECT_EQ(trend::shortage_words(report, words), "only 9000 free system PTEs are left");
}

TEST(Analyze, TextSaysWhatItDivides) {
  Analysis analysis = small_report();
  trend::Exhaustion& end = *analysis.subjects[0].report.exhaustion;
  end.room = 4.0 * 1024 * 1024;
  end.pace_per_second = 1.0 * 1024 * 1024 / 86'400;
  end.bound = trend::Bound::kAvailableMemory;
  EXPECT_THAT(analysis_text(analysis, false),
              AllOf(HasSubstr("DAYS LEFT            ROOM AT DAY'S PEAK            FLOOR"),
                    HasSubstr("+1.00 MiB        87 %  12.2 MiB  4.0 (3.0 to never)   4.00 MiB of available memory  __")));
  end.pace_per_second *= 2;
  end.seconds /= 2;
  end.bound = trend::Bound::kPoolLimit;
  EXPECT_THAT(analysis_text(analysis, false),
              HasSubstr("+1.00 MiB        87 %  12.2 MiB  2.0 (3.0 to never)   4.00 MiB to the pool limit at +2.00 MiB  __"));
}

TEST(Words, TimesAreInUtc) {
  EXPECT_EQ(base::rfc3339(kStart), "2026-01-01T00:00:00Z");
  EXPECT_EQ(base::rfc3339(1'709'210'096'007), "2024-02-29T12:34:56.007Z");
  EXPECT_EQ(base::rfc3339(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(base::date_words(1'709'210'096'007), "2024-02-29");
}

}  // namespace
}  // namespace kmem
