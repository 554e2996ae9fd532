#include "exporter/commands/analysis.h"

#include <algorithm>
#include <utility>

namespace kmem {
namespace {

using trend::SubjectReport;
using trend::Verdict;

constexpr double kPageBytes = 4096;

/// What the kernel fills by design, and takes back, is no leak however it grows.
void acquit(SubjectReport& report) {
  if (report.kind != trend::Kind::kTag && report.kind != trend::Kind::kPool) return;
  if (report.verdict == Verdict::kOk || trend::may_leak(report.pool, report.text)) return;
  report.verdict = Verdict::kOk;
  report.credible_slope_per_second = 0;
  report.since.reset();
  report.first_detected.reset();
  report.exhaustion.reset();
}

}  // namespace

AnalysisOptions analysis_options(const config::Config& config) {
  AnalysisOptions options;
  options.engine.max_subjects = config.trend.max_subjects;
  options.engine.min_bytes_per_day = static_cast<double>(config.trend.min_growth_per_day);
  options.engine.min_ptes_per_day = options.engine.min_bytes_per_day / kPageBytes;
  return options;
}

base::Result<Analysis> analyze_history(base::FileSystem& files, const std::vector<std::string>& paths,
                                       const AnalysisOptions& options, ProgressMeter& progress) {
  progress.start("analyzing");
  auto opened = history::open_history(files, paths, options.history);
  if (!opened) return opened.error();
  history::HistorySource& source = **opened;
  trend::Sampler sampler(options.sampler);
  trend::TrendEngine engine(options.engine);

  Analysis analysis;
  Snapshot snapshot;
  do {
    if (const auto read = source.read(snapshot); !read) return read.error();
    if (analysis.snapshots++ == 0) analysis.start = snapshot.time;
    analysis.end = snapshot.time;
    engine.observe(sampler.take(snapshot));
    progress.update(source.progress(), analysis.snapshots);
  } while (source.advance());
  engine.settle();
  progress.finish();

  analysis.summary = engine.summary();
  std::vector<SubjectReport> reports = engine.report(options.all);
  std::for_each(reports.begin(), reports.end(), acquit);
  std::stable_sort(reports.begin(), reports.end(),
                   [](const SubjectReport& a, const SubjectReport& b) { return a.verdict > b.verdict; });
  for (SubjectReport& report : reports) {
    if (report.verdict == Verdict::kOk && !options.all) break;
    const auto course = engine.daily_course(report.kind, report.pool, report.text);
    std::vector<drivers::Candidate> drivers;
    if (options.owners != nullptr && report.kind == trend::Kind::kTag)
      drivers = options.owners->candidates(report.pool, report.text);
    analysis.subjects.push_back({std::move(report), course, std::move(drivers)});
  }
  analysis.skipped = source.skipped();
  analysis.skipped_count = source.skipped_count();
  analysis.warnings = source.warnings();
  return analysis;
}

}  // namespace kmem
