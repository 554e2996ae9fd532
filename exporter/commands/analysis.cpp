#include "exporter/commands/analysis.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "collectors/base/ascii_case.h"
#include "collectors/base/clock.h"
#include "collectors/boot_settings.h"

namespace kmem {
namespace {

using trend::SubjectReport;
using trend::Verdict;

constexpr double kPageBytes = 4096;

constexpr std::size_t kMaxHosts = 1000;

/// Values by their sources' names that are judged as a whole pool, as commit or as free PTEs; the others stand beside them.
struct JudgedValue {
  std::string_view name;
  trend::Kind kind = trend::Kind::kPool;
  Pool pool = Pool::kPaged;  // of pools
};
constexpr JudgedValue kJudgedValues[] = {
    {"system_ptes", trend::Kind::kSystemPtes},
    {"Memory\\Free System Page Table Entries", trend::Kind::kSystemPtes},
    {"commit", trend::Kind::kCommit},
    {"kbcommit", trend::Kind::kCommit},
    {"Memory\\Committed Bytes", trend::Kind::kCommit},
    {"Memory\\Pool Paged Bytes", trend::Kind::kPool, Pool::kPaged},
    {"Memory\\Pool Nonpaged Bytes", trend::Kind::kPool, Pool::kNonpaged},
    {"kmem_system_ptes_free", trend::Kind::kSystemPtes},
    {"kmem_commit_bytes", trend::Kind::kCommit},
    {"windows_memory_committed_bytes", trend::Kind::kCommit},
    {"windows_memory_free_system_page_table_entries", trend::Kind::kSystemPtes},
    {"node_memory_Committed_AS_bytes", trend::Kind::kCommit},
};

/// One host's history as it comes.
struct HostRun {
  HostRun(const std::string& host, const AnalysisOptions& options) : sampler(options.sampler), engine(options.engine) {
    analysis.host = host;
  }

  void see(Snapshot& snapshot) {
    if (analysis.snapshots++ == 0) analysis.start = snapshot.time;
    else if (snapshot.time > analysis.end) intervals.push_back(snapshot.time - analysis.end);
    analysis.end = snapshot.time;
    const Boot& boot = boots.note(snapshot);
    settings.note(snapshot, boot);
    engine.observe(sampler.take(snapshot, boot));
  }

  HostAnalysis finish(const AnalysisOptions& options, std::vector<std::string>& assumed, const std::vector<PassedOver>& lost,
                      std::set<history::RowSubject>& judged) {
    engine.settle();
    look_for(lost, judged);
    if (std::string how = boots.how_words(); !how.empty())
      assumed.push_back(analysis.host.empty() ? std::move(how) : analysis.host + ": " + how);
    analysis.blind_to_boots = boots.is_blind();
    if (!intervals.empty()) {
      const auto middle = intervals.begin() + static_cast<std::ptrdiff_t>(intervals.size() / 2);
      std::nth_element(intervals.begin(), middle, intervals.end());
      analysis.usual_seconds = static_cast<double>(*middle) / 1000;
    }
    analysis.summary = engine.summary();
    analysis.summary.boots = static_cast<std::size_t>(boots.now().reading.number);  // a long silence begins none
    analysis.readiness = engine.readiness();
    const auto note_short = [&](trend::Kind kind, Pool pool) {
      if (auto report = engine.find(kind, pool, {}); report && trend::short_share(*report))
        analysis.short_of.push_back(std::move(*report));
    };
    for (std::size_t pool = 0; pool < kPoolCount; ++pool) note_short(trend::Kind::kPool, static_cast<Pool>(pool));
    for (const trend::Kind kind : {trend::Kind::kCommit, trend::Kind::kSystemPtes}) note_short(kind, {});
    for (SubjectReport& report : engine.report(options.all)) {
      const auto course = engine.daily_course(report.kind, report.pool, report.text);
      std::vector<drivers::Candidate> drivers;
      if (options.owners != nullptr && report.kind == trend::Kind::kTag)
        drivers = options.owners->candidates(report.pool, report.text);
      analysis.subjects.push_back({std::move(report), course, std::move(drivers)});
    }
    return std::move(analysis);
  }

  // Those of them that were seen in other rows are judged.
  void look_for(const std::vector<PassedOver>& lost, std::set<history::RowSubject>& judged) const {
    if (lost.empty()) return;
    using Of = history::RowSubject::Kind;
    std::set<std::string> seen;  // "pool tag", and the tag alone
    std::set<std::string> processes;
    std::set<std::string_view> values;
    for (const SubjectReport& report : engine.report(true)) {
      for (const JudgedValue& value : kJudgedValues)
        if (value.kind == report.kind && (value.kind != trend::Kind::kPool || value.pool == report.pool))
          values.insert(value.name);
      if (report.kind == trend::Kind::kHandles) processes.insert(report.text);
      if (report.kind != trend::Kind::kTag && report.kind != trend::Kind::kPool) continue;
      std::string name = report.kind == trend::Kind::kTag ? report.text : std::string();
      while (name.ends_with(' ')) name.pop_back();
      seen.insert(std::string(pool_name(report.pool)) + " " + name);
      seen.insert(name);
    }
    for (const PassedOver& one : lost) {
      if (!one.of.host.empty() && !analysis.host.empty() && !base::equal_ignoring_case(one.of.host, analysis.host)) continue;
      if (one.of.kind == Of::kProcess ? processes.contains(one.of.tag)
          : one.of.kind == Of::kValue
              ? values.contains(one.of.tag)
              : seen.contains((one.of.pool ? std::string(pool_name(*one.of.pool)) + " " : "") + one.of.tag))
        judged.insert(one.of);
    }
  }

  HostAnalysis analysis;
  std::vector<base::UnixMillis> intervals;
  trend::Sampler sampler;
  trend::TrendEngine engine;
  Boots boots;
  BootSettings settings;
};

double fastest(const HostAnalysis& host) {
  double slope = 0;
  for (const AnalyzedSubject& subject : host.subjects)
    if (subject.report.kind != trend::Kind::kHandles && subject.report.verdict == host.subjects.front().report.verdict)
      slope = std::max(slope,
                       subject.report.growth_per_second() * (subject.report.kind == trend::Kind::kSystemPtes ? kPageBytes : 1));
  return slope;
}

std::vector<PassedOver> passed_over_in(const history::HistorySource& source) {
  std::map<history::RowSubject, std::uint64_t> rows;
  for (const history::FileReading& reading : source.readings())
    for (const auto& [of, count] : reading.lost) rows[of] += count;
  std::vector<PassedOver> found;
  found.reserve(rows.size());
  for (auto& [of, count] : rows) found.push_back({of, count});
  return found;
}

}  // namespace

bool is_worse(const HostAnalysis& a, const HostAnalysis& b) {
  const auto verdict = [](const HostAnalysis& host) {
    if (host.subjects.empty()) return Verdict::kOk;
    const SubjectReport& first = host.subjects.front().report;
    return first.surge ? Verdict::kSurge : first.verdict;
  };
  const auto ends = [](const HostAnalysis& host) {
    double seconds = std::numeric_limits<double>::infinity();
    for (const AnalyzedSubject& subject : host.subjects) seconds = std::min(seconds, trend::told_end(subject.report));
    if (const auto& largest = host.readiness.largest; largest && largest->is_told_first()) {
      seconds = std::min(seconds, largest->seconds_left);
      if (largest->is_large && largest->no_limit) seconds = std::min(seconds, trend::kSoonDays * base::kSecondsPerDay);
    }
    // There may be no time at all.
    if (!host.short_of.empty()) seconds = std::min(seconds, trend::kSoonDays * base::kSecondsPerDay);
    return seconds;
  };
  if (ends(a) != ends(b)) return ends(a) < ends(b);
  if (verdict(a) != verdict(b)) return verdict(a) > verdict(b);
  if (fastest(a) != fastest(b)) return fastest(a) > fastest(b);
  return a.host < b.host;
}

bool Analysis::is_of_nothing() const {
  const auto has_none = [](const HostAnalysis& one) { return one.summary.subjects == 0; };
  return has_none(*this) && std::all_of(others.begin(), others.end(), has_none);
}

std::size_t HostAnalysis::count(Verdict verdict) const {
  return static_cast<std::size_t>(std::count_if(
      subjects.begin(), subjects.end(), [&](const AnalyzedSubject& subject) { return subject.report.verdict == verdict; }));
}

std::string nothing_to_judge(const std::vector<history::Skipped>& skipped, std::uint64_t count) {
  std::string why = "the readings have no pool, tag or commit above 0";
  if (skipped.empty()) return why;
  const history::Skipped& first = skipped.front();
  why += "; " + std::to_string(count) + " passed over, the first: " + first.file +
         (first.line == 0 ? "" : ":" + std::to_string(first.line)) + ": " + first.reason;
  return why;
}

AnalysisOptions analysis_options(const config::Config& config) {
  AnalysisOptions options;
  options.engine.max_subjects = config.trend.max_subjects;
  options.engine.min_bytes_per_day = static_cast<double>(config.trend.min_growth_per_day);
  options.engine.min_ptes_per_day = options.engine.min_bytes_per_day / kPageBytes;
  return options;
}

namespace {

/// What the looks at a history have found so far.
struct Found {
  std::vector<HostAnalysis> hosts;
  std::vector<std::string> assumed;
  std::set<history::RowSubject> judged;  // of the rows that were passed over
  std::uint64_t left_out = 0;            // snapshots of hosts beyond the bound
};

/// The hosts that have to wait for another look. `wanted`: none but these; empty: all.
base::Result<std::set<std::string>> look_at(history::HistorySource& source, const AnalysisOptions& options,
                                            ProgressMeter& progress, std::size_t room, const std::set<std::string>& wanted,
                                            Found& found) {
  std::map<std::string, HostRun, std::less<>> running;
  std::set<std::string> left;
  HostRun* run = nullptr;
  Snapshot snapshot;
  std::uint64_t snapshots = 0;
  std::size_t rows = 0;
  std::uint64_t group = source.group();
  const auto finish_running = [&] {
    const std::vector<PassedOver> lost = passed_over_in(source);
    for (auto& [name, one] : running) found.hosts.push_back(one.finish(options, found.assumed, lost, found.judged));
    running.clear();
    run = nullptr;
    rows = 0;
  };
  do {
    const std::string& host = source.host();
    if (source.group() != group) {
      finish_running();
      group = source.group();
    }
    progress.update(source.progress(), ++snapshots);
    if (run == nullptr || run->analysis.host != host) {
      auto known = running.find(host);
      if (known == running.end()) {
        if (left.contains(host) || (!wanted.empty() && !wanted.contains(host))) continue;
        if (running.size() + left.size() + found.hosts.size() >= kMaxHosts) {
          ++found.left_out;
          continue;
        }
        if (rows >= room) {
          left.insert(host);
          continue;
        }
        known = running.try_emplace(host, host, options).first;
        if (const auto read = source.read(snapshot); !read) return read.error();
        rows += snapshot.tags.size();
      }
      run = &known->second;
    }
    if (const auto read = source.read(snapshot); !read) return read.error();
    run->see(snapshot);
  } while (source.advance());
  progress.finish();
  finish_running();
  return left;
}

/// After the first look: what the files themselves had to say.
Analysis notes_of(const history::HistorySource& source) {
  Analysis analysis;
  analysis.skipped = source.skipped();
  analysis.skipped_count = source.skipped_count();
  analysis.passed_over = passed_over_in(source);
  analysis.warnings = source.warnings();
  analysis.readings.assign(source.readings().begin(), source.readings().end());
  return analysis;
}

Analysis put_together(Analysis&& analysis, Found&& found) {
  for (PassedOver& one : analysis.passed_over) one.is_judged = found.judged.contains(one.of);
  std::stable_sort(analysis.passed_over.begin(), analysis.passed_over.end(),
                   [](const PassedOver& one, const PassedOver& other) {
                     return std::tuple(one.is_judged, other.rows) < std::tuple(other.is_judged, one.rows);
                   });
  std::stable_sort(found.hosts.begin(), found.hosts.end(), is_worse);
  static_cast<HostAnalysis&>(analysis) = std::move(found.hosts.front());
  analysis.others.assign(std::make_move_iterator(found.hosts.begin() + 1), std::make_move_iterator(found.hosts.end()));
  analysis.warnings.insert(analysis.warnings.end(), found.assumed.begin(), found.assumed.end());
  if (found.left_out > 0)
    analysis.warnings.push_back("more than " + std::to_string(kMaxHosts) + " hosts: " + std::to_string(found.left_out) +
                                " snapshots of the others are left out");
  return std::move(analysis);
}

}  // namespace

base::Result<Analysis> analyze_history(base::FileSystem& files, const std::vector<std::string>& paths,
                                       const AnalysisOptions& options, ProgressMeter& progress) {
  progress.start("analyzing");
  history::HistoryOptions of_all = options.history;
  of_all.all_hosts = true;
  // A pipe can be read once.
  const bool can_look_again = std::all_of(paths.begin(), paths.end(), [&](const std::string& path) {
    const auto info = files.info(path);
    return info && info->size_bytes > 0;
  });
  const std::size_t room = can_look_again ? options.most_rows_at_once : std::numeric_limits<std::size_t>::max();
  Found found;
  std::optional<Analysis> analysis;
  std::set<std::string> wanted;
  int looks = 0;
  bool again = false;  // with what was learned
  do {
    auto opened = history::open_history(files, paths, of_all);
    if (!opened) return opened.error();
    const std::size_t before = found.hosts.size();
    auto left = look_at(**opened, options, progress, room, wanted, found);
    if (!left) return left.error();
    if (!analysis && can_look_again && (*opened)->learned() != of_all.learned && ++looks < history::kMostLooks) {
      of_all.learned = (*opened)->learned();
      found = {};
      wanted.clear();
      again = true;
      continue;
    }
    again = false;
    if (found.hosts.size() - before + left->size() < wanted.size())
      found.assumed.push_back("the files changed while they were read: hosts of the first look are missing");
    if (!analysis) analysis = notes_of(**opened);
    wanted = std::move(*left);
  } while (again || !wanted.empty());
  return put_together(std::move(*analysis), std::move(found));
}

base::Result<Analysis> analyze_history(history::HistorySource& source, const AnalysisOptions& options,
                                       ProgressMeter& progress) {
  Found found;
  const auto left = look_at(source, options, progress, std::numeric_limits<std::size_t>::max(), {}, found);
  if (!left) return left.error();
  return put_together(notes_of(source), std::move(found));
}

}  // namespace kmem
