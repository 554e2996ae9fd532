// START READING HERE. The agent wires the stages together: kernel -> Snapshot -> Selection -> families -> page.
// The sampler's tick() feeds trend and selection at an even pace whether or not anyone scrapes; a scrape reads the
// kernel anew and only fills in values.
// Thread: every public function is safe from any thread; one kernel reading at a time. A kernel or storage that hangs
// costs scrape.timeout once: readings and state files have threads of their own.
// Failure: a reading that gives nothing is answered with 503 and logged once; state that cannot be kept or understood
// is logged, counted and never stops the service.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/file_io.h"
#include "collectors/base/flapping.h"
#include "collectors/base/result.h"
#include "collectors/base/side_task.h"
#include "collectors/boots.h"
#include "collectors/drivers/attribution.h"
#include "collectors/self/self.h"
#include "collectors/source.h"
#include "config/config.h"
#include "config/profile.h"
#include "exporter/agent/failure_log.h"
#include "exporter/agent/kept_state.h"
#include "exporter/agent/trend_watch.h"
#include "exporter/encode/encode.h"
#include "exporter/encode/gzip.h"
#include "exporter/encode/negotiate.h"
#include "exporter/http/server.h"
#include "exporter/metrics/collect.h"
#include "exporter/metrics/families.h"
#include "exporter/metrics/self_metrics.h"
#include "exporter/metrics/tag_owners.h"
#include "exporter/page/findings.h"
#include "exporter/page/query.h"
#include "exporter/page/rates.h"
#include "exporter/page/view.h"
#include "exporter/select/tracked_set.h"

namespace kmem {

class Agent {
 public:
  /// `clock` and `files` outlive the agent. History kept under another `host_identity` is not taken up.
  Agent(config::Config config, std::unique_ptr<KernelSource> source, const base::Clock& clock, base::FileSystem& files,
        std::string host_identity = {});

  ~Agent();

  /// Takes up what an earlier run kept in storage.path, which is made if needed. Before the first tick. Storage that
  /// does not answer is not waited for; what it gives later is taken up then.
  void load_state();
  /// One step of the sampler: the next frame of a recording, a kernel reading, trend, selection, and the state files
  /// when due.
  void tick();
  /// Writes the state files now; what a stop calls first. False: storage does not answer.
  bool save_state();
  /// Nobody waits for the kernel any more: the program is about to stop.
  void stop_waiting();
  /// Whether a part of the last reading did not answer.
  [[nodiscard]] bool has_silent_part();
  /// Whether the last tick's reading came back, in part at least.
  [[nodiscard]] bool makes_progress() const { return makes_progress_; }

  /// The metrics page of this moment, to stand in another exporter's: without process_*, of which that has its own.
  [[nodiscard]] base::Result<std::string> page(encode::Format format);

  /// What the HTTP server serves.
  [[nodiscard]] std::vector<http::Route> routes();
  [[nodiscard]] http::Observer& observer() { return observer_; }
  /// Who may be behind a tag. What is known is handed in while the agent runs.
  [[nodiscard]] drivers::Attribution& attribution() { return attribution_; }

  /// Takes over what may change while running; `config` was checked and differs only there. `source` replaces the
  /// kernel's reader when it is not null (other collectors are wanted).
  void reconfigure(const config::Config& config, std::unique_ptr<KernelSource> source);
  void reload_done(bool successful);

 private:
  /// Counts what the server did.
  class RequestCounter final : public http::Observer {
   public:
    explicit RequestCounter(metrics::SelfMetrics& counted) : counted_(counted) {}
    void request_done(std::string_view handler, int code, std::chrono::nanoseconds took) override;
    void rejected(std::string_view reason) override;

   private:
    metrics::SelfMetrics& counted_;
  };

  http::Response serve_metrics(const http::Request& request);
  http::Response serve_page(const http::Request& request);
  http::Response serve_api(const http::Request& request);
  void add_page_routes(std::vector<http::Route>& routes);
  page::View gather_tags_view(const page::TagQuery& query);
  void name_drivers(std::vector<page::Subject>& subjects) const;

  // With mutex_ held:
  page::View gather();
  base::Result<void> read_kernel(const Patience& patience);
  base::Result<void> refresh(const http::Request* request = nullptr);
  [[nodiscard]] Patience patience(const http::Request* request = nullptr) const;
  void learn();
  void save_what_is_due(bool first, bool changed, bool failed);
  void start_saving(bool selection, bool trend, bool failures);
  void keep_what_is_being_saved();
  void encode_page(encode::Format format, const self::SelfUsage& usage, const metrics::Collect& collect = {});
  void note_parts();
  [[nodiscard]] bool membership_changed();

  void show_trend_state();
  [[nodiscard]] std::optional<base::UnixMillis> last_trend_save() const;
  void name_owners(bool members_changed);

  const base::Clock& clock_;
  metrics::SelfMetrics self_metrics_;
  RequestCounter observer_;
  std::atomic<bool> ready_{false};
  drivers::Attribution attribution_;

  std::mutex mutex_;
  config::Config config_;
  std::unique_ptr<KernelSource> source_;
  config::Exported exported_;
  select::TrackedSet tracked_;
  FailureLog failures_;
  std::unique_ptr<TrendWatch> trend_;  // null: switched off
  page::Rates rates_;
  Boots boots_;
  page::BootSettings boot_settings_;
  std::vector<page::Finding> findings_;          // of the last tick
  std::vector<std::string_view> finding_names_;  // likewise
  Snapshot snapshot_;
  select::Selection selection_;
  std::chrono::nanoseconds last_read_{};
  bool has_read_ = false;
  std::atomic<bool> makes_progress_{true};
  std::string last_error_;  // of the whole source; empty when it answers
  base::Flapping error_flapping_;
  struct PartMemory {
    PartState state = PartState::kOk;
    base::Flapping flapping;
    std::optional<base::UnixMillis> last_success;
  };
  std::map<std::string, PartMemory, std::less<>> part_memory_;
  std::vector<std::uint64_t> member_keys_;  // as of the last tick
  metrics::TagOwners owners_;               // of the exported tags, by ...
  std::uint64_t owners_generation_ = 0;     // ... this state of attribution_
  std::vector<prometheus::MetricFamily> families_, self_families_;
  metrics::LabelStamps family_stamps_, self_family_stamps_;
  encode::PageEncoder page_encoder_;
  std::string plain_page_;
  encode::Gzip gzip_;

  const std::string storage_path_;
  /// What is done with storage, which may hang for longer than the agent lives.
  struct Kept;
  std::shared_ptr<Kept> kept_;
  base::SideTask storage_;
  bool storage_hangs_ = false, unsaved_change_ = false;
  std::mutex saving_;  // one at a time hands something to storage_; never taken while mutex_ is held
  std::chrono::nanoseconds last_save_{}, last_trend_save_{};
};

}  // namespace kmem
