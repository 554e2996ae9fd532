// metrics.profile as what selection knows: Config -> the tags and processes that are exported. Thread: pure. Failure: none.
#pragma once

#include <cstddef>
#include <string>

#include "config/config.h"

namespace kmem::config {

/// Tags that lean exports at most, over all pools; kmem_leak_suspects and kmem_surge_suspects count all.
inline constexpr std::size_t kLeanSuspects = 5;

/// A host's bound of series, and what tags take of it: they get what everything else that the host tells leaves.
/// agent_trend_test.cpp holds these numbers against hosts that tell all they can.
struct SeriesBudget {
  std::size_t series = 0;            // 0 = no bound: tags.max_exported a pool
  std::size_t a_tag = 0;             // without what only Windows keeps
  std::size_t a_tag_windows = 0;     // both counters
  std::size_t a_forced_windows = 0;  // likewise, of suspects and tags.include alone
  std::size_t a_suspect = 0;         // what a suspect has more
  std::size_t processes = 0;         // series of them at most; beyond are a wish of processes.top, and on top of the bound
  std::size_t session_tags = 0;      // likewise of sessions' pools and their tags: tags.top_session
  std::size_t sessions = 0;          // whose pools are told; 0 = as many as selection has
};
inline constexpr std::size_t kSeriesBound = 500, kFullSeriesBound = 1000;

struct Exported {
  Tags tags;
  Processes processes;
  std::size_t max_suspects = static_cast<std::size_t>(-1);
  bool only_lean = false;   // of the metrics' catalogue
  bool whole_tags = false;  // of tags that are no suspects all series, too
  SeriesBudget budget;
};
[[nodiscard]] Exported exported(const Config& config);

/// What was asked for and metrics.profile takes back, in words for the log; empty if nothing is.
[[nodiscard]] std::string doubtful(const Config& config);

}  // namespace kmem::config
