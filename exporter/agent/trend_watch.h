// STAGE 3 in the agent: Snapshot -> suspects, metrics and words. Feeds the trend engine at every tick and reviews its
// verdicts every quarter of an hour of history, and every minute while something surges.
// Thread: none of its own; the caller serialises. Failure: as TrendEngine's.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "collectors/base/flapping.h"
#include "collectors/base/result.h"
#include "collectors/drivers/attribution.h"
#include "collectors/snapshot.h"
#include "config/config.h"
#include "exporter/metrics/trend_view.h"
#include "exporter/select/selection.h"
#include "exporter/trend/engine.h"
#include "exporter/trend/holders.h"
#include "exporter/trend/sampler.h"

namespace kmem {

class TrendWatch {
 public:
  /// `owners` names drivers in the log and outlives this.
  TrendWatch(const config::Trend& config, std::string host_identity, const drivers::Attribution& owners);

  /// Before selection is updated: afterwards suspects() are those of now.
  void observe(const Snapshot& snapshot, const Boot& boot, std::chrono::nanoseconds now);
  [[nodiscard]] std::span<const select::TagId> suspects() const { return suspects_; }
  /// After selection was updated: the view follows the members.
  void describe(const select::Selection& selection);
  [[nodiscard]] metrics::TrendView& view() { return view_; }
  /// As of the last review, worst first; of what is only watched the first kMostWatched.
  [[nodiscard]] const std::vector<trend::SubjectReport>& leaks() const { return leaks_; }
  [[nodiscard]] const std::vector<trend::SubjectReport>& watched() const { return watched_; }
  /// What grows now, beyond all before, and is not called a leak.
  [[nodiscard]] const std::vector<trend::SubjectReport>& surges() const { return surges_; }
  /// Of an object's tag that is a suspect, as of the last review.
  [[nodiscard]] std::optional<trend::Holder> holder_of(const trend::SubjectReport& report) const;
  /// Whether such a suspect stands, for which the kernel is to tell handles by type.
  [[nodiscard]] bool wants_object_handles() const { return wants_object_handles_; }
  [[nodiscard]] std::size_t watch_count() const { return watch_count_; }
  [[nodiscard]] const trend::TrendEngine& engine() const { return engine_; }

  /// From here to end_saving() the pieces are of this moment. They are made from the engine as they are asked for, so that
  /// the history is nowhere a second time; where observe() comes before a slow file has all of it, it makes them first.
  void begin_saving() { saving_ = true; }
  /// Appends the piece of that number, from 0 on. False: there are no more.
  bool save_piece(std::size_t number, std::string& out) const;
  void end_saving();
  /// All pieces of what is being saved, for who goes on without this; none: nothing is.
  [[nodiscard]] std::optional<std::vector<std::string>> take_pieces();
  base::Result<void> load(std::string_view payload);

 private:
  static constexpr std::size_t kMostWatched = 20;
  using Subject = std::tuple<trend::Kind, Pool, std::string>;

  void make_pieces();
  void review(bool silent);
  void find_holders();
  void describe_runouts();
  void describe_totals();
  void note_readiness();

  const drivers::Attribution& owners_;
  trend::Sampler sampler_;
  trend::TrendEngine engine_;
  trend::HolderWatch holder_watch_;
  std::map<std::pair<Pool, std::string>, trend::Holder> holders_;
  bool wants_object_handles_ = false;
  bool changed_ = false;  // verdicts, or the figures are due, since the last describe()
  base::UnixMillis last_review_ = 0, last_figures_ = 0;
  std::uint64_t surge_changes_ = 0;          // of the engine, as of the last review
  std::vector<trend::SubjectReport> leaks_;  // worst first
  std::vector<trend::SubjectReport> watched_;
  std::vector<trend::SubjectReport> surges_;  // soonest end first
  std::size_t watch_count_ = 0;
  std::vector<select::TagId> suspects_;                     // the tags of leaks_ and surges_
  std::map<Subject, base::UnixMillis> said_, surges_said_;  // of the last review, and since when they grow
  std::optional<Subject> growing_;                          // named as growing now, as logged last
  bool growing_large_ = false;
  std::optional<bool> judged_;     // as logged last
  std::uint64_t clock_jumps_ = 0;  // as seen last
  base::Flapping clock_;
  std::vector<std::uint64_t> described_;  // keys of the members in view_.tags
  metrics::TrendView view_;
  bool saving_ = false;
  std::optional<std::vector<std::string>> pieces_;  // of what is being saved, once the engine has gone on
};

}  // namespace kmem
