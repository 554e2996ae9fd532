#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "collectors/base/log.h"
#include "collectors/drivers/guarded_watch.h"
#include "collectors/make_source.h"
#include "exporter/agent/agent.h"
#include "exporter/commands/commands.h"

namespace kmem {

int once(const Options& options, Environment& environment) {
  auto resolved = resolve_or_explain(options, environment);
  if (!resolved) return kExitUnusable;
  // One look changes nothing that a running agent keeps, and shows no trend.
  const config::Config kept = resolved->config;
  resolved->config.storage.path.clear();
  resolved->config.trend.enabled = false;
  // Nobody asks again a moment later.
  auto& timeout = resolved->config.scrape.timeout;
  timeout = std::max<std::chrono::milliseconds>(timeout, std::chrono::seconds(3));
  auto kernel = make_kernel_source(resolved->config.source, environment.clock);
  if (!kernel) {
    base::log_error("no source", {{"error", kernel.error().message}});
    return kExitUnusable;
  }
  Agent agent(resolved->config, std::move(*kernel), environment.clock, environment.files);
  const bool live = !kept.source.is_recording();
  drivers::GuardedWatch driver_watch(std::make_unique<drivers::DriverWatch>(
      kept, live ? drivers::make_system_view() : nullptr, agent.attribution(), environment.files, environment.clock));
  driver_watch.load();
  agent.tick();
  const auto page = agent.page(encode::Format::kText004);
  if (!page) return kExitFailed;  // the agent has said why
  const auto written =
      options.output.empty() ? write_stdout(*page) : base::write_output(environment.files, options.output, *page);
  if (!written) {
    base::log_error("the page cannot be written", {{"error", written.error().message}});
    return kExitFailed;
  }
  // The page says which part it is, and so does the log.
  return agent.has_silent_part() ? kExitFailed : kExitFine;
}

}  // namespace kmem
