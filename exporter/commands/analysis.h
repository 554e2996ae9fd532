// Recorded history -> what leaks in it, host by host. It is the sampler and the engine of `serve`, by the history's own clock:
// first_detected is when a running exporter would have raised the suspect. Memory: an engine a host, one snapshot.
// Thread: one. Failure: an Error when no file has anything usable; what is broken in between is listed and passed over.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "collectors/drivers/attribution.h"
#include "collectors/history/history.h"
#include "config/config.h"
#include "exporter/commands/progress.h"
#include "exporter/trend/engine.h"
#include "exporter/trend/sampler.h"

namespace kmem {

struct AnalysisOptions {
  trend::EngineOptions engine;
  trend::SamplerOptions sampler;
  history::HistoryOptions history;
  bool all = false;                              // also subjects that do not grow
  const drivers::Attribution* owners = nullptr;  // of the tags
  /// Of all hosts together, some 2.2 KB each: the hosts beyond it are judged by another look at the files.
  std::size_t most_rows_at_once = 32'768;
};

struct AnalyzedSubject {
  trend::SubjectReport report;
  std::array<float, trend::kHistoryDays> course{};  // lowest of each day, oldest first; NaN: nothing seen
  std::vector<drivers::Candidate> drivers;          // that may be behind it, best first
};

struct HostAnalysis {
  std::string host;  // empty: the history names none
  base::UnixMillis start = 0, end = 0;
  std::uint64_t snapshots = 0;
  double usual_seconds = 0;     // from one snapshot to the next; 0: there is one
  bool blind_to_boots = false;  // a reboot may have given back what grew
  trend::Summary summary;
  trend::Readiness readiness;
  std::vector<AnalyzedSubject> subjects;       // worst first
  std::vector<trend::SubjectReport> short_of;  // totals with too little left, whether they grow or not

  [[nodiscard]] std::size_t count(trend::Verdict verdict) const;
};

/// Rows of the input that could not be used.
struct PassedOver {
  history::RowSubject of;
  std::uint64_t rows = 0;
  bool is_judged = false;  // it had others, too
};

/// Of the only host, or of the worst of several.
struct Analysis : HostAnalysis {
  std::vector<HostAnalysis> others;  // the other hosts, worst first
  std::vector<history::FileReading> readings;
  std::vector<history::Skipped> skipped;  // the first of them
  std::uint64_t skipped_count = 0;
  std::vector<PassedOver> passed_over;  // by subject, as far as it can be told; those without a judgement first, then by rows

  /// No host has a subject.
  [[nodiscard]] bool is_of_nothing() const;
  std::vector<std::string> warnings;
};

/// Which host stands first: what ends first of leak, surge and growth now, then what surges before leaks, those before suspicions,
/// then what grows fastest.
[[nodiscard]] bool is_worse(const HostAnalysis& a, const HostAnalysis& b);

/// Why nothing can be judged: the first of what was passed over, too.
[[nodiscard]] std::string nothing_to_judge(const std::vector<history::Skipped>& skipped, std::uint64_t count);

/// As `serve` would run under that configuration.
[[nodiscard]] AnalysisOptions analysis_options(const config::Config& config);

[[nodiscard]] base::Result<Analysis> analyze_history(base::FileSystem& files, const std::vector<std::string>& paths,
                                                     const AnalysisOptions& options, ProgressMeter& progress);
[[nodiscard]] base::Result<Analysis> analyze_history(history::HistorySource& source, const AnalysisOptions& options,
                                                     ProgressMeter& progress);

/// For people; `utf8`: block characters may be used. `explain`: also how each file was read.
[[nodiscard]] std::string analysis_text(const Analysis& analysis, bool utf8, bool explain = false);
[[nodiscard]] std::string analysis_json(const Analysis& analysis, bool explain = false);

}  // namespace kmem
