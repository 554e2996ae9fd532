// Which of several hosts stands first in a report, each pair by one difference.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "exporter/commands/analysis.h"

namespace kmem {
namespace {

using trend::Kind;
using trend::Verdict;

trend::SubjectReport subject_of(Verdict verdict, double pace, std::optional<double> ends = std::nullopt) {
  trend::SubjectReport report;
  report.verdict = verdict;
  if (verdict == Verdict::kSurge) report.surge.emplace().pace_per_second = pace;
  else report.credible_slope_per_second = pace;
  if (ends) report.exhaustion.emplace().seconds = *ends;
  return report;
}

HostAnalysis host_of(const std::string& name, const std::vector<trend::SubjectReport>& reports) {
  HostAnalysis host;
  host.host = name;
  for (const trend::SubjectReport& report : reports) host.subjects.push_back({report, {}, {}});
  return host;
}

/// "a b": a goes before b.
void expect_before(const std::vector<trend::SubjectReport>& worse, const std::vector<trend::SubjectReport>& other,
                   const char* why) {
  const HostAnalysis a = host_of("z", worse), b = host_of("a", other);
  EXPECT_TRUE(is_worse(a, b)) << why;
  EXPECT_FALSE(is_worse(b, a)) << why;
}

TEST(HostsOrder, VerdictsFirst) {
  // Whatever else would put the other first.
  const auto surge = subject_of(Verdict::kSurge, 1), leak = subject_of(Verdict::kLeak, 2, 9e5),
             watch = subject_of(Verdict::kWatch, 3, 9e4), ok = subject_of(Verdict::kOk, 0);
  expect_before({surge}, {leak}, "a surge before a leak that has an end");
  expect_before({leak}, {watch}, "a leak before what is watched");
  expect_before({watch}, {ok}, "what is watched before what is ok");
  expect_before({subject_of(Verdict::kWatch, 0)}, {}, "and before a host of which nothing is told");
  trend::SubjectReport both = subject_of(Verdict::kLeak, 1);
  both.surge.emplace();
  expect_before({both}, {leak}, "a leak that surges is one of the surges");
  expect_before({surge}, {subject_of(Verdict::kWatch, 3), surge}, "by the first of each");
}

TEST(HostsOrder, ThenWhatEndsFirst) {
  const auto soon = subject_of(Verdict::kLeak, 1, 1e5), late = subject_of(Verdict::kLeak, 5, 2e5),
             never = subject_of(Verdict::kLeak, 9);
  expect_before({soon}, {late}, "the sooner end");
  expect_before({late}, {never}, "an end before none");
  expect_before({late, soon, never}, {late, late}, "of any that leaks");
  expect_before({soon, late}, {late}, "the soonest of them, not the last");
  const auto surge = subject_of(Verdict::kSurge, 1, 1e5), later = subject_of(Verdict::kSurge, 5, 2e5);
  expect_before({surge}, {later}, "of what surges");
  expect_before({late}, {never, subject_of(Verdict::kWatch, 1, 1e3)}, "no end of what is only watched");
}

TEST(HostsOrder, OfLeaksSurgesAndGrowthNowTheSoonestEnd) {
  const auto leak = subject_of(Verdict::kLeak, 1, 1e5), surge = subject_of(Verdict::kSurge, 9, 5e5),
             unknown = subject_of(Verdict::kSurge, 9), slow = subject_of(Verdict::kLeak, 1, 9e5);
  expect_before({leak}, {surge}, "a leak of a day before a surge of six");
  expect_before({leak}, {unknown}, "or one whose end is not known, which may be in three");
  expect_before({unknown}, {surge}, "but not in six");
  HostAnalysis grows = host_of("z", {});
  grows.readiness.largest = trend::Readiness::Growth{};
  trend::Readiness::Growth& growth = *grows.readiness.largest;
  growth.seconds_left = 5e4;
  const HostAnalysis of_leak = host_of("a", {leak}), of_slow = host_of("a", {slow});
  EXPECT_TRUE(is_worse(of_leak, grows)) << "growth so far has no end";
  growth.is_large = true;
  EXPECT_TRUE(is_worse(grows, of_leak)) << "growth now, that ends before";
  EXPECT_FALSE(is_worse(of_leak, grows));
  growth.seconds_left = std::numeric_limits<double>::infinity();
  growth.no_limit = true;
  EXPECT_TRUE(is_worse(of_leak, grows)) << "its end may be near, as a surge's";
  EXPECT_TRUE(is_worse(grows, of_slow));
}

TEST(HostsOrder, ThenWhatGrowsFastest) {
  const auto slow = subject_of(Verdict::kLeak, 10), fast = subject_of(Verdict::kLeak, 20);
  expect_before({fast}, {slow}, "the faster");
  expect_before({slow, fast}, {slow, slow}, "of all, not the first alone");
  trend::SubjectReport handles = subject_of(Verdict::kLeak, 1e6), entries = subject_of(Verdict::kLeak, 0.01);
  handles.kind = Kind::kHandles, entries.kind = Kind::kSystemPtes;
  expect_before({fast}, {slow, handles}, "handles are no bytes");
  expect_before({entries}, {fast}, "an entry maps a page: 41 bytes a second");
  expect_before({fast}, {slow, subject_of(Verdict::kWatch, 1e6)}, "of the first one's verdict alone");
  // All the same: by name.
  const HostAnalysis a = host_of("a", {slow}), b = host_of("b", {slow});
  EXPECT_TRUE(is_worse(a, b));
  EXPECT_FALSE(is_worse(b, a));
  EXPECT_FALSE(is_worse(a, a));
}

}  // namespace
}  // namespace kmem
