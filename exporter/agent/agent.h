// START READING HERE. The agent is what serves, but for the server; it owns four parts and hands on what concerns them:
//   Monitor   reads the kernel, teaches trend and selection, logs what changed      knows none of the others
//   Keeper    takes up and writes the state files                                   knows the monitor
//   Gatherer  what the page and the API show                                        knows monitor and keeper
//   Answers   routes, bodies, the metrics page                                      knows all three
// Thread: any; stop_waiting() and reconfigure() are one thread's. A kernel or storage that hangs costs scrape.timeout once:
// readings and state files have threads of their own.
// Failure: a reading that gives nothing is answered with 503 and logged once; state that cannot be kept or understood
// is logged, counted and never stops the service.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "collectors/drivers/attribution.h"
#include "collectors/source.h"
#include "config/config.h"
#include "exporter/agent/answers.h"
#include "exporter/agent/gatherer.h"
#include "exporter/agent/keeper.h"
#include "exporter/agent/monitor.h"
#include "exporter/encode/negotiate.h"
#include "exporter/http/server.h"

namespace kmem {

class Agent {
 public:
  /// `clock` and `files` outlive the agent. History kept under another `host_identity` is not taken up.
  Agent(const config::Config& config, std::unique_ptr<KernelSource> source, const base::Clock& clock, base::FileSystem& files,
        const std::string& host_identity = {})
      : clock_(clock), monitor_(config, std::move(source), clock, attribution_, host_identity),
        keeper_(monitor_, clock, files, config.storage.path), gatherer_(monitor_, keeper_, attribution_),
        answers_(monitor_, keeper_, gatherer_) {}

  /// Takes up what an earlier run kept in storage.path, before the first tick. False, and logged: another program keeps
  /// its own there.
  bool load_state() { return keeper_.load(); }
  /// One step of the sampler: the monitor's, and the state files when due.
  void tick() {
    if (const auto news = monitor_.tick()) keeper_.save_what_is_due(*news);
  }
  /// Writes the state files now, if anything was learnt; what a stop calls first. False, and logged: not all could be.
  bool save_state() { return !monitor_.is_ready() || keeper_.save_now(); }
  /// Nobody waits for the kernel any more: the program is about to stop.
  void stop_waiting() { monitor_.stop_waiting(); }
  /// Whether a part of the last reading did not answer.
  [[nodiscard]] bool has_silent_part() { return monitor_.has_silent_part(); }
  /// Whether the last tick's reading came back, in part at least.
  [[nodiscard]] bool makes_progress() const { return monitor_.makes_progress(); }

  /// The metrics page of this moment, to stand in another exporter's: without process_*, of which that has its own.
  [[nodiscard]] base::Result<std::string> page(encode::Format format) { return answers_.page(format); }
  /// What the HTTP server serves.
  [[nodiscard]] std::vector<http::Route> routes() { return answers_.routes(); }
  [[nodiscard]] http::Observer& observer() { return answers_.observer(); }
  /// Who may be behind a tag. What is known is handed in while the agent runs.
  [[nodiscard]] drivers::Attribution& attribution() { return attribution_; }

  /// Takes over what may change while running; `config` was checked and differs only there. `source` replaces the
  /// kernel's reader when it is not null (other collectors are wanted).
  void reconfigure(const config::Config& config, std::unique_ptr<KernelSource> source) {
    monitor_.reconfigure(config, std::move(source));
  }
  void reload_done(bool successful) { answers_.count_reload(successful, clock_.wall()); }

 private:
  const base::Clock& clock_;
  drivers::Attribution attribution_;
  Monitor monitor_;
  Keeper keeper_;
  Gatherer gatherer_;
  Answers answers_;
};

}  // namespace kmem
