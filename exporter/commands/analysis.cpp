#include "exporter/commands/analysis.h"

#include <utility>

namespace kmem {
namespace {

constexpr double kPageBytes = 4096;

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
  Boots boots;

  Analysis analysis;
  Snapshot snapshot;
  do {
    if (const auto read = source.read(snapshot); !read) return read.error();
    if (analysis.snapshots++ == 0) analysis.start = snapshot.time;
    analysis.end = snapshot.time;
    engine.observe(sampler.take(snapshot, boots.note(snapshot)));
    progress.update(source.progress(), analysis.snapshots);
  } while (source.advance());
  engine.settle();
  progress.finish();

  analysis.summary = engine.summary();
  for (trend::SubjectReport& report : engine.report(options.all)) {
    const auto course = engine.daily_course(report.kind, report.pool, report.text);
    std::vector<drivers::Candidate> drivers;
    if (options.owners != nullptr && report.kind == trend::Kind::kTag)
      drivers = options.owners->candidates(report.pool, report.text);
    analysis.subjects.push_back({std::move(report), course, std::move(drivers)});
  }
  analysis.skipped = source.skipped();
  analysis.skipped_count = source.skipped_count();
  analysis.warnings = source.warnings();
  if (std::string how = boots.how_words(); !how.empty()) analysis.warnings.push_back(std::move(how));
  return analysis;
}

}  // namespace kmem
