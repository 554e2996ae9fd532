// STAGES 1 to 3 in the agent: kernel -> Snapshot -> trend and selection. tick() feeds the two at an even pace whether or
// not anyone scrapes; Hold::refresh() reads the kernel anew for a scrape, and only fills values in.
// Thread: any. One lock guards all that is known; a Hold is that lock, and what may be done with it held are its members.
// It is the innermost lock: who has it waits for the kernel's answer at most. reconfigure() and stop_waiting() are one
// thread's. Failure: a reading that gives nothing is an Error and logged once; what was known stays.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/result.h"
#include "collectors/boot_settings.h"
#include "collectors/boots.h"
#include "collectors/drivers/attribution.h"
#include "collectors/source.h"
#include "config/config.h"
#include "config/profile.h"
#include "exporter/agent/failure_log.h"
#include "exporter/agent/reading_log.h"
#include "exporter/agent/trend_watch.h"
#include "exporter/metrics/families.h"
#include "exporter/metrics/tag_owners.h"
#include "exporter/page/findings.h"
#include "exporter/page/rates.h"
#include "exporter/select/selection.h"
#include "exporter/select/tracked_set.h"

namespace kmem {

class Monitor {
 public:
  /// What is known now. Snapshot and selection are of the last reading, the rest of the last tick.
  struct Known {
    config::Config config;
    config::Exported exported;
    Snapshot snapshot;
    select::Selection selection;
    std::unique_ptr<TrendWatch> trend;  // null: switched off
    page::Rates rates;
    std::vector<page::Finding> findings;
    std::vector<std::string_view> finding_names;
    metrics::TagOwners owners;  // of the exported tags

    [[nodiscard]] metrics::MetricsInput metrics_input() const {
      return {snapshot, selection,     exported.tags.counters, trend ? &trend->view() : nullptr,
              &owners,  finding_names, exported.only_lean,     exported.whole_tags};
    }
  };
  /// What a tick learnt that is worth keeping at once.
  struct News {
    bool first = false;            // the first tick that learnt anything
    bool members_changed = false;  // other tags are exported
    bool failures = false;         // events were counted
    bool settings = false;         // what is in force since the boot is known
  };
  class Hold;

  /// `clock` and `attribution` outlive this.
  Monitor(config::Config config, std::unique_ptr<KernelSource> source, const base::Clock& clock,
          const drivers::Attribution& attribution, const std::string& host_identity);

  /// The next frame of a recording, a kernel reading, trend, selection. None: nothing was learnt.
  std::optional<News> tick();
  /// As Agent's.
  void reconfigure(const config::Config& config, std::unique_ptr<KernelSource> source);
  /// Nobody waits for the kernel any more.
  void stop_waiting() { source_->stop_waiting(); }

  /// Whether a tick has learnt anything yet.
  [[nodiscard]] bool is_ready() const { return ready_; }
  /// Whether the last tick's reading came back, in part at least.
  [[nodiscard]] bool makes_progress() const { return makes_progress_; }
  /// Whether a part of the last reading did not answer.
  [[nodiscard]] bool has_silent_part();

 private:
  // With mutex_ held:
  base::Result<void> read_kernel(const Patience& patience);
  [[nodiscard]] Patience patience() const;
  void fill() { tracked_.fill(known_.snapshot, known_.selection, boots_.now()); }
  void learn();
  [[nodiscard]] bool membership_changed();
  void name_owners(bool members_changed);

  const base::Clock& clock_;
  const drivers::Attribution& attribution_;
  std::atomic<bool> ready_{false}, makes_progress_{true};

  std::mutex mutex_;
  Known known_;
  std::unique_ptr<KernelSource> source_;
  select::TrackedSet tracked_;
  FailureLog failures_;
  Boots boots_;
  BootSettings boot_settings_;
  ReadingLog log_;
  std::chrono::nanoseconds last_read_{};
  bool has_read_ = false;
  std::vector<std::uint64_t> member_keys_;  // as of the last tick
  std::uint64_t owners_generation_ = 0;     // of attribution_, when the owners were named
};

/// The monitor, held by one: what it knows stays as it is but for what is done here.
class Monitor::Hold {
 public:
  explicit Hold(Monitor& monitor) : monitor_(monitor), lock_(monitor.mutex_) {}
  /// Where another one has it, this is false, and nothing else may be asked.
  Hold(Monitor& monitor, std::try_to_lock_t) : monitor_(monitor), lock_(monitor.mutex_, std::try_to_lock) {}
  explicit operator bool() const { return lock_.owns_lock(); }

  Known& operator*() { return monitor_.known_; }
  Known* operator->() { return &monitor_.known_; }

  /// As configured, for who has no wishes of his own.
  [[nodiscard]] Patience patience() const { return monitor_.patience(); }
  /// Snapshot and selection as of now. Scrapes that come close together share a reading: the second finds it fresh enough.
  base::Result<void> refresh(const Patience& patience);

  /// What is kept over restarts besides the history, which the trend gives piece by piece.
  [[nodiscard]] std::string save_selection() const { return monitor_.tracked_.save(); }
  [[nodiscard]] std::string save_failures() { return monitor_.failures_.save(); }
  /// None: this kernel takes its settings up at once, or they were never read.
  [[nodiscard]] std::optional<std::string> save_settings() {
    if (!monitor_.boot_settings_.is_known()) return std::nullopt;
    return monitor_.boot_settings_.save();
  }
  /// Errors are TrackedSet's, TrendEngine's, FailureLog's and BootSettings'; kBusy: there is no trend that could take it.
  base::Result<void> load_selection(std::string_view payload);
  base::Result<void> load_history(std::string_view payload);
  base::Result<void> load_failures(std::string_view payload);
  base::Result<void> load_settings(std::string_view payload);

 private:
  Monitor& monitor_;
  std::unique_lock<std::mutex> lock_;
};

}  // namespace kmem
