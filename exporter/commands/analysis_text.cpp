#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/time_words.h"
#include "exporter/commands/analysis.h"

namespace kmem {
namespace {

using trend::Kind;
using trend::SubjectReport;
using trend::Verdict;

using base::kSecondsPerDay;
constexpr std::size_t kMostSkippedShown = 10;
constexpr std::size_t kDaysPerBar = 2;
constexpr std::size_t kBars = trend::kHistoryDays / kDaysPerBar;

std::string digits(double value, int decimals) {
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), static_cast<std::size_t>(std::clamp(length, 0, 63))};
}

/// "1.2 MiB", three digits that count.
std::string size_words(double bytes) {
  static constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (std::abs(bytes) >= 1023.5 && unit + 1 < kUnits.size()) bytes /= 1024, ++unit;
  const double size = std::abs(bytes);
  return digits(bytes, unit == 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2).append(" ").append(kUnits[unit]);
}

std::string amount_words(Kind kind, double amount) {
  return trend::counts_bytes(kind) ? size_words(amount) : digits(amount, 0);
}

std::string name_words(const SubjectReport& report) {
  switch (report.kind) {
    case Kind::kTag: return report.text;
    case Kind::kPool: return "(whole pool)";
    case Kind::kSystemPtes: return "(free system PTEs)";
    case Kind::kCommit: return "(commit)";
    case Kind::kUnaccounted: return "(unaccounted memory)";
    case Kind::kAvailable: return "available memory";
    case Kind::kCommitLimit: return "commit limit";
    case Kind::kHandles: break;
  }
  return "handles of " + report.text;
}

constexpr double kHoursCount = 2 * kSecondsPerDay;  // what ends or lasts for less is told by the hour

/// By the hour where days would say nothing: "+8.58 GiB/h"; else by the day, without a unit of time.
std::string pace_words(Kind kind, double per_second, bool by_hour) {
  const double pace = per_second * (by_hour ? base::kSecondsPerHour : kSecondsPerDay);
  return (kind == Kind::kSystemPtes ? digits(-pace, 0) : "+" + amount_words(kind, pace)) + (by_hour ? "/h" : "");
}

bool is_by_hour(const SubjectReport& report) {
  return report.verdict == Verdict::kSurge && report.surge && report.surge->seconds_left < kHoursCount;
}

/// "2026-03-24", with a time of day "2026-03-24 14:05".
std::string moment_words(base::UnixMillis when, bool with_time) {
  return with_time ? base::date_words(when) + base::rfc3339(when).substr(10, 6).replace(0, 1, " ") : base::date_words(when);
}

/// Rising use has a plus; free entries that go away a minus. A leak that surges has two paces.
std::string rate_words(const SubjectReport& report) {
  if (report.verdict == Verdict::kOk) return "-";
  std::string words = pace_words(report.kind, report.growth_per_second(), is_by_hour(report));
  if (report.verdict != Verdict::kSurge && report.surge)
    words += ", now " + pace_words(report.kind, report.surge->pace_per_second, report.surge->seconds_left < kHoursCount);
  return words;
}

std::string days_words(const std::optional<trend::Exhaustion>& exhaustion) {
  constexpr double kMostDays = 3650;
  if (!exhaustion || std::isinf(exhaustion->seconds)) return "-";
  if (exhaustion->is_far()) return "> 14";
  const auto days = [](double seconds) {
    const double count = seconds / kSecondsPerDay;
    return count > kMostDays ? std::string("never") : digits(count, count < 10 ? 1 : 0);
  };
  if (exhaustion->seconds / kSecondsPerDay > kMostDays) return "> 10 years";
  const auto hours = [](double seconds) {
    const double count = seconds / base::kSecondsPerHour;
    if (std::isinf(seconds)) return std::string("never");
    return count < 2 ? digits(count * 60, 0) + " min" : digits(count, count < 10 ? 1 : 0) + " h";
  };
  const auto with_range = [&exhaustion](const auto& words) {
    const std::string soonest = words(exhaustion->soonest_seconds), latest = words(exhaustion->latest_seconds);
    return words(exhaustion->seconds) + (soonest == latest ? "" : " (" + soonest + " to " + latest + ")");
  };
  return exhaustion->seconds < kHoursCount && exhaustion->seconds > 0 ? with_range(hours) : with_range(days);
}

/// What the days divide: "22.1 MiB to the pool limit", and by what, where that is not the growth in the row.
std::string room_words(const SubjectReport& report) {
  if (!report.exhaustion || report.exhaustion->bound == trend::Bound::kUnknown) return {};
  const trend::Exhaustion& end = *report.exhaustion;
  std::string words = amount_words(report.kind, end.room) +
                      (end.bound == trend::Bound::kAvailableMemory ? " of " : " to the ") +
                      std::string(trend::bound_words(end.bound));
  if (end.of_room) return words + ", falling by " + amount_words(report.kind, end.pace_per_second * kSecondsPerDay);
  constexpr double kSame = 0.005;
  if (std::abs(end.pace_per_second - report.growth_per_second()) > kSame * end.pace_per_second)
    words += " at " + pace_words(report.kind, end.pace_per_second, end.of_now && end.seconds < kHoursCount);
  return words;
}

using Bars = std::vector<float>;

/// Lowest of two days each, NaN where nothing was seen. `with_now`: the present after them, as a surge of hours is no floor yet.
Bars bars_of(const AnalyzedSubject& subject, bool with_now) {
  Bars bars(kBars);
  for (std::size_t i = 0; i < kBars; ++i) bars[i] = std::fmin(subject.course[2 * i], subject.course[2 * i + 1]);
  if (with_now) bars.push_back(static_cast<float>(subject.report.last_amount));
  return bars;
}

std::string sparkline(const Bars& bars, std::size_t from, bool utf8) {
  static constexpr std::array<std::string_view, 8> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::string_view kAscii = "_.,-=+*#";
  float low = NAN, high = NAN;
  for (const float bar : bars) low = std::fmin(low, bar), high = std::fmax(high, bar);
  // Noise of a few per cent is to look flat.
  const float span = std::max(high - low, 0.05F * high);
  std::string line;
  for (std::size_t i = from; i < bars.size(); ++i) {
    if (std::isnan(bars[i])) {
      line += ' ';
      continue;
    }
    const auto height = span > 0 ? static_cast<std::size_t>((bars[i] - low) / span * 7.999F) : 0;
    if (utf8) line += kBlocks[std::min<std::size_t>(height, 7)];
    else line += kAscii[std::min<std::size_t>(height, 7)];
  }
  return line;
}

std::string count_words(std::uint64_t count, std::string_view one) {
  return std::to_string(count).append(" ").append(one).append(count == 1 ? "" : "s");
}

std::string verdict_sum(std::size_t leaks, std::size_t surges, std::size_t watched) {
  if (leaks + surges + watched == 0) return "nothing grows steadily";
  return count_words(leaks, "leak") + ", " + (surges > 0 ? count_words(surges, "surge") + ", " : std::string()) +
         std::to_string(watched) + " to watch";
}

std::string growth_words(const trend::Readiness::Growth& growth) {
  SubjectReport subject;
  subject.kind = growth.kind, subject.pool = growth.pool, subject.text = growth.text;
  const std::string_view pool = trend::pool_name_of(growth.kind, growth.pool);
  const double hours = growth.seconds / base::kSecondsPerHour;
  const auto whole = [](double count) { return static_cast<std::uint64_t>(std::ceil(count)); };
  return (pool.empty() ? "" : std::string(pool) + " ") + name_words(subject) +
         (trend::counts_down(growth.kind) ? ", -" : ", +") + amount_words(growth.kind, growth.amount) +
         // Of readings that tell no more than their order the time is not known.
         (growth.is_pace()     ? " a day"
          : growth.seconds < 1 ? " from the first to the last reading"
          : hours * 60 < 1
              ? " in " + count_words(static_cast<std::uint64_t>(std::max(1LL, std::llround(hours * 3600))), "second")
          : hours < 2  ? " in " + count_words(static_cast<std::uint64_t>(std::llround(hours * 60)), "minute")
          : hours < 48 ? " in " + count_words(whole(hours), "hour")
                       : " in " + digits(hours / 24, hours < 240 ? 1 : 0) + " days") +
         trend::growth_claim(growth, [kind = growth.kind](double amount) { return amount_words(kind, amount); });
}

bool grows_fast(const HostAnalysis& host) { return host.readiness.largest && host.readiness.largest->is_large; }

/// Where nothing has a verdict: "grows now: nonpaged Leak, +1.2 MiB in 6 hours".
std::optional<std::string> first_words(const HostAnalysis& host) {
  if (!host.readiness.largest || !host.readiness.largest->is_told_first()) return std::nullopt;
  return trend::growth_phrase(*host.readiness.largest) + ": " + growth_words(*host.readiness.largest);
}

/// Such growth, where it ends before all that has a verdict, is told before that.
bool ends_before_verdicts(const HostAnalysis& host) { return first_words(host) && host.readiness.largest->ends_first; }

/// Such growth is the verdict where nothing has one.
bool only_grows_fast(const HostAnalysis& host) {
  return grows_fast(host) && host.count(Verdict::kLeak) + host.count(Verdict::kSurge) + host.count(Verdict::kWatch) == 0;
}

/// "commit is at 98 % of its limit, 205 MiB left"; of several the pools first. Empty where nothing is short.
std::string short_words(const HostAnalysis& host) {
  std::string said;
  for (const SubjectReport& report : host.short_of)
    said += (said.empty() ? "" : "; ") + trend::shortage_words(report, size_words);
  return said;
}

/// What the history cannot show, so that silence is not taken for an answer.
void add_reach(std::string& out, const HostAnalysis& analysis, double days, bool grows) {
  constexpr double kSeldomHours = 2;
  const std::string lacking = trend::readiness_words(analysis.readiness);
  const bool is_said =
      analysis.readiness.largest && analysis.readiness.largest->is_told_first() && (!grows || ends_before_verdicts(analysis));
  if (!lacking.empty() && (grows || is_said)) out += "         Too little to judge the rest: " + lacking + ".\n";
  if (lacking.empty() && days < 14) out += "         A slow leak shows only over weeks; this history is short.\n";
  if (const auto& largest = analysis.readiness.largest; largest && !is_said)
    out += "         " + std::string(trend::growth_label(*largest)) + growth_words(*largest) + "\n";
  const double hours = analysis.usual_seconds / base::kSecondsPerHour;
  if (hours > kSeldomHours)
    out +=
        "         A reading every " + digits(hours, hours < 10 ? 1 : 0) + " hours: growth that takes hours only is not seen.\n";
}

constexpr std::string_view kNothingToJudge = "nothing could be judged: no pool, tag or commit above 0 is in the readings";

std::string passed_over_name(const history::RowSubject& of) {
  return (of.host.empty() ? "" : of.host + " ") + (of.pool ? std::string(pool_name(*of.pool)) + " " : "") +
         (of.tag.empty() ? "(whole pool)" : of.tag);
}

/// What the verdict says nothing of.
void add_passed_over(std::string& out, const Analysis& analysis) {
  constexpr std::size_t kMostNamed = 5;
  if (analysis.skipped_count == 0) return;
  out += "         Not covered: " + count_words(analysis.skipped_count, "piece") + " passed over";
  for (std::size_t i = 0; i < std::min(analysis.passed_over.size(), kMostNamed); ++i) {
    const PassedOver& one = analysis.passed_over[i];
    out += std::string(i == 0 ? ": " : ", ") + passed_over_name(one.of) + " " +
           (one.is_judged ? count_words(one.rows, "row")
            : one.of.kind != history::RowSubject::Kind::kTag
                ? count_words(one.rows, "row") + " (not judged by itself)"
                : "not judged, as " + (one.rows == 1 ? std::string("its only row was lost")
                                                     : "all its " + std::to_string(one.rows) + " rows were lost"));
  }
  if (analysis.passed_over.size() > kMostNamed)
    out += ", and " + std::to_string(analysis.passed_over.size() - kMostNamed) + " subjects more";
  out += "; listed below\n";
}

/// `of`: where it is the only host.
void add_head(std::string& out, const HostAnalysis& analysis, const Analysis* of = nullptr) {
  const double days = static_cast<double>(analysis.end - analysis.start) / 1000 / kSecondsPerDay;
  out += "History  " + base::rfc3339(analysis.start) + " to " + base::rfc3339(analysis.end) + " (" +
         digits(days, days < 10 ? 1 : 0) + " days): " + count_words(analysis.snapshots, "snapshot") + ", " +
         count_words(analysis.summary.boots, "boot") + ", " + count_words(analysis.summary.subjects, "subject") + "\n";
  const std::size_t leaks = analysis.count(Verdict::kLeak), surges = analysis.count(Verdict::kSurge),
                    watched = analysis.count(Verdict::kWatch);
  const bool grows = leaks + surges + watched > 0;
  // That nothing grows would be a calm word beside it.
  const std::string is_short = short_words(analysis);
  out += "Verdict  " + (is_short.empty() ? is_short : is_short + (grows ? "\n         " : "; ")) +
         (analysis.summary.subjects == 0 && !grows ? std::string(kNothingToJudge)
          : !grows && first_words(analysis)        ? *first_words(analysis)
          : grows || analysis.readiness.judged
              ? (ends_before_verdicts(analysis) ? *first_words(analysis) + "\n         " : std::string()) +
                    verdict_sum(leaks, surges, watched) +
                    (grows || of == nullptr || of->skipped_count == 0 ? "" : " in what could be read") +
                    (grows || !analysis.blind_to_boots ? "" : ", unless reboots hide it, which nothing here would show")
              : "too little to judge: " + trend::readiness_words(analysis.readiness)) +
         "\n";
  if (of != nullptr) add_passed_over(out, *of);
  add_reach(out, analysis, days, grows);
  if (analysis.summary.refused_total > 0) out += "         Too many subjects: some of the smaller ones were not followed.\n";
}

void add_table(std::string& out, const HostAnalysis& analysis, bool utf8) {
  constexpr std::size_t kColumns = 10;
  using Row = std::array<std::string, kColumns>;
  std::vector<Row> rows = {{"VERDICT", "POOL", "TAG", "SINCE", "A DAY", "CONFIDENCE", "NOW", "DAYS LEFT", "", ""}};
  std::vector<Bars> courses;
  std::size_t from = kBars;
  const bool surge = std::any_of(analysis.subjects.begin(), analysis.subjects.end(),
                                 [](const AnalyzedSubject& subject) { return subject.report.surge.has_value(); });
  for (const AnalyzedSubject& subject : analysis.subjects) {
    const SubjectReport& report = subject.report;
    const std::string_view pool = trend::pool_name_of(report.kind, report.pool);
    const auto since = report.verdict == Verdict::kSurge && report.surge ? std::optional(report.surge->since) : report.since;
    const bool surges = report.verdict == Verdict::kSurge;  // which has no confidence, and a time of day where it has hours
    const bool is_recent = surges && since && static_cast<double>(analysis.end - *since) / 1000 < kHoursCount;
    rows.push_back({std::string(trend::verdict_word(report.verdict)), pool.empty() ? "-" : std::string(pool),
                    name_words(report), since ? moment_words(*since, is_by_hour(report) || is_recent) : "-", rate_words(report),
                    surges ? "-" : digits(report.confidence * 100, 0) + " %", amount_words(report.kind, report.last_amount),
                    days_words(report.exhaustion), room_words(report), drivers::joined_drivers(subject.drivers)});
    if (!rows.back()[kColumns - 2].empty()) rows.front()[kColumns - 2] = "ROOM AT DAY'S PEAK";
    if (!rows.back().back().empty()) rows.front().back() = "DRIVER";
    courses.push_back(bars_of(subject, surge));
    const auto seen = std::find_if(courses.back().begin(), courses.back().end(), [](float bar) { return !std::isnan(bar); });
    from = std::min(from, static_cast<std::size_t>(seen - courses.back().begin()));
  }
  Row::size_type column = 0;
  std::array<std::size_t, kColumns> widths{};
  for (; column < kColumns; ++column)
    for (const Row& row : rows) widths[column] = std::max(widths[column], row[column].size());
  out += "\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string line;
    for (column = 0; column < kColumns; ++column) {
      if (widths[column] == 0) continue;
      const std::string padding(widths[column] - rows[i][column].size(), ' ');
      const bool is_number = column >= 4 && column <= 6;
      line += (is_number ? padding + rows[i][column] : rows[i][column] + padding) + "  ";
    }
    line += i == 0 ? (surge ? "FLOOR OF EVERY 2 DAYS, NOW" : "FLOOR OF EVERY 2 DAYS") : sparkline(courses[i - 1], from, utf8);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  for (const AnalyzedSubject& subject : analysis.subjects)
    if (const std::string most = trend::grower_words(subject.report, size_words); !most.empty())
      out += "Of " + std::string(pool_name(subject.report.pool)) + " " + name_words(subject.report) + " " + most + "\n";
}

/// A line a host, worst first, then those with something to tell one by one.
void add_hosts(std::string& out, const Analysis& analysis, bool utf8) {
  std::vector<const HostAnalysis*> hosts = {&analysis};
  for (const HostAnalysis& host : analysis.others) hosts.push_back(&host);
  std::size_t leaking = 0, watched = 0, unjudged = 0, width = 4;
  base::UnixMillis newest = 0;
  std::size_t surging = 0, fast_ones = 0;
  for (const HostAnalysis* host : hosts) {
    newest = std::max(newest, host->end);
    surging += host->count(Verdict::kLeak) == 0 && host->count(Verdict::kSurge) > 0 ? 1 : 0;
    fast_ones += only_grows_fast(*host) ? 1 : 0;
    leaking += host->count(Verdict::kLeak) > 0 ? 1 : 0;
    const bool has_verdict = host->count(Verdict::kLeak) + host->count(Verdict::kSurge) + host->count(Verdict::kWatch) > 0;
    unjudged += has_verdict || host->readiness.judged || only_grows_fast(*host) ? 0 : 1;  // each host counts once
    watched += host->count(Verdict::kLeak) + host->count(Verdict::kSurge) == 0 && host->count(Verdict::kWatch) > 0 ? 1 : 0;
    width = std::max(width, host->host.size());
  }
  out += "Hosts    " + std::to_string(hosts.size()) + ": " + std::to_string(leaking) + " with leaks, " +
         (surging > 0 ? std::to_string(surging) + " with surges, " : std::string()) + std::to_string(watched) + " to watch" +
         (fast_ones > 0 ? ", " + std::to_string(fast_ones) + " growing for too short to tell" : std::string()) +
         (unjudged > 0 ? ", " + std::to_string(unjudged) + " too little to judge" : std::string()) + "\n";
  add_passed_over(out, analysis);
  out += "\nVERDICT  HOST" + std::string(width - 4, ' ') + "  DAYS  WHAT\n";
  for (const HostAnalysis* host : hosts) {
    const double days = static_cast<double>(host->end - host->start) / 1000 / kSecondsPerDay;
    std::string what;
    for (const AnalyzedSubject& subject : host->subjects) {
      if (subject.report.verdict != host->subjects.front().report.verdict || subject.report.verdict == Verdict::kOk) break;
      if (!what.empty()) {
        what += " and " + std::to_string(host->count(subject.report.verdict) - 1) + " more";
        break;
      }
      const bool has_pool = subject.report.kind == Kind::kTag || subject.report.kind == Kind::kPool;
      what = (has_pool ? std::string(pool_name(subject.report.pool)) + " " : "") + name_words(subject.report) + " " +
             rate_words(subject.report) + (is_by_hour(subject.report) ? "" : " a day");
    }
    const bool unknown = what.empty() && (!host->readiness.judged || host->summary.subjects == 0);
    const bool fast = what.empty() && grows_fast(*host);
    if (unknown && host->summary.subjects == 0) what = kNothingToJudge;
    else if (const auto first = what.empty() ? first_words(*host) : std::nullopt) what = *first;
    else if (unknown) what = "too little to judge: " + trend::readiness_words(host->readiness);
    if (const auto& largest = host->readiness.largest; largest && largest->is_held())
      what += (what.empty() ? "" : "; ") + trend::growth_phrase(*largest) + ": " + growth_words(*largest);
    else if (largest && unknown && !largest->is_told_first()) what += "; largest growth " + growth_words(*largest);
    if (const std::string is_short = short_words(*host); !is_short.empty()) what += (what.empty() ? "" : "; ") + is_short;
    // What is said of now is of the host's own last reading.
    const double silent_days = static_cast<double>(newest - host->end) / 1000 / kSecondsPerDay;
    if (silent_days >= 1)
      what += std::string(what.empty() ? "" : "; ") + "last read " + digits(silent_days, silent_days < 10 ? 1 : 0) +
              " days before the newest host";
    std::string line(unknown || fast
                         ? "unknown"
                         : trend::verdict_word(host->subjects.empty() ? Verdict::kOk : host->subjects.front().report.verdict));
    line.resize(9, ' ');
    line += host->host.empty() ? "-" : host->host;
    line.resize(9 + width + 2, ' ');
    const std::string age = digits(days, 0);
    line += std::string(age.size() < 4 ? 4 - age.size() : 0, ' ') + age + "  " + what;
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  for (const HostAnalysis* host : hosts) {
    if (host->subjects.empty()) continue;
    out += "\nHost     " + (host->host.empty() ? std::string("-") : host->host) + "\n";
    add_head(out, *host);
    add_table(out, *host, utf8);
  }
}

void add_readings(std::string& out, const Analysis& analysis) {
  out += "\nRead\n";
  for (const history::FileReading& reading : analysis.readings) {
    out += "  " + reading.file + ": " + (reading.format.empty() ? std::string("nothing") : reading.format) + ", " +
           count_words(reading.snapshots, "snapshot") + ", " + count_words(reading.rows, "row") + ", " +
           std::to_string(reading.skipped) + " skipped\n";
    if (reading.snapshots > 0)
      out += "    times    " + base::rfc3339(reading.first) + " to " + base::rfc3339(reading.last) + "\n";
    for (const std::string& rule : reading.rules) out += "    by       " + rule + "\n";
  }
}

}  // namespace

std::string analysis_text(const Analysis& analysis, bool utf8, bool explain) {
  std::string out;
  if (analysis.others.empty()) {
    add_head(out, analysis, &analysis);
    if (!analysis.subjects.empty()) add_table(out, analysis, utf8);
  } else {
    add_hosts(out, analysis, utf8);
  }
  if (analysis.skipped_count > 0) {
    out += "\nSkipped  " + count_words(analysis.skipped_count, "piece") + " of the input that cannot be used" +
           (analysis.skipped_count > kMostSkippedShown ? ", the first of them:\n" : ":\n");
    for (std::size_t i = 0; i < std::min(analysis.skipped.size(), kMostSkippedShown); ++i) {
      const history::Skipped& skipped = analysis.skipped[i];
      out += "  " + skipped.file + (skipped.line > 0 ? ":" + std::to_string(skipped.line) : "") + ": " + skipped.reason + "\n";
    }
  }
  if (!analysis.warnings.empty()) out += "\nAssumed\n";
  for (std::size_t i = 0; i < std::min(analysis.warnings.size(), kMostSkippedShown); ++i)
    out += "  " + analysis.warnings[i] + "\n";
  if (analysis.warnings.size() > kMostSkippedShown)
    out += "  and " + std::to_string(analysis.warnings.size() - kMostSkippedShown) + " more\n";
  if (explain) add_readings(out, analysis);
  return out;
}

}  // namespace kmem
