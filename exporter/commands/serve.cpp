#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "collectors/base/followed_files.h"
#include "collectors/base/log.h"
#include "collectors/base/side_task.h"
#include "collectors/drivers/guarded_watch.h"
#include "collectors/make_source.h"
#include "config/web_config.h"
#include "exporter/agent/agent.h"
#include "exporter/agent/host_identity.h"
#include "exporter/commands/commands.h"
#include "exporter/http/server.h"
#include "exporter/http/web_file.h"
#include "exporter/metrics/build_info.h"
#include "exporter/service/signals.h"
#include "exporter/service/startup_memory.h"
#include "exporter/service/supervisor.h"

namespace kmem {
namespace {

// After a tick to which the kernel did not answer.
constexpr std::chrono::nanoseconds kTryAgain = std::chrono::seconds(1);

// The start may take long where storage is slow; a stop does not wait for it, and it is said.
constexpr std::chrono::milliseconds kLookForSignals{20}, kStopPatience{1'000};
constexpr std::chrono::seconds kStartPatience{3};

// How long files of the configuration are waited for: a stop may be asked for meanwhile.
constexpr std::chrono::seconds kFilePatience{1};

/// Reads the configuration's files apart, for they may be on storage that hangs. One at a time: a fault while the one
/// before is at work.
class ConfigReader {
 public:
  Resolved read(const Options& options, base::FileSystem& files) {
    const auto fresh = std::make_shared<Resolved>();
    const bool answers = task_.start([fresh, own = options, &files] {
      base::FollowedFiles followed(files);
      *fresh = resolve(own, followed);
    }) && task_.wait(kFilePatience);
    if (answers) return std::move(*fresh);
    Resolved none;
    none.faults.push_back(options.config_file + ": it or a file that it names does not answer");
    return none;
  }

 private:
  base::SideTask task_;
};

/// Takes over what can change while running; what cannot is said and stays as it is.
void reload(ConfigReader& reader, const Options& options, Environment& environment, config::Config& running, Agent& agent,
            http::WebFileWatch* web) {
  Resolved fresh = reader.read(options, environment.files);
  if (!fresh.ok()) {
    for (const std::string& fault : fresh.faults) base::log_error("configuration not reloaded", {{"error", fault}});
    agent.reload_done(false);
    return;
  }
  const config::ReloadPlan plan = config::reloadable(running, fresh.config);
  for (const std::string_view name : plan.need_restart)
    base::log_warn("changed, but only a restart takes it over", {{"setting", name}});
  const config::Config& next = plan.next;

  std::unique_ptr<KernelSource> source;
  if (next.source != running.source && !next.source.is_recording()) {
    auto kernel = make_kernel_source(next.source, environment.clock);
    if (!kernel) {
      base::log_error("configuration not reloaded", {{"error", kernel.error().message}});
      agent.reload_done(false);
      return;
    }
    source = std::move(*kernel);
  }
  if (web != nullptr && !web->check()) {
    agent.reload_done(false);
    return;
  }
  base::set_log(next.log.level, next.log.format);
  agent.reconfigure(next, std::move(source));
  agent.reload_done(true);
  running = next;
  base::log_info("configuration reloaded", {{"changed", std::to_string(plan.apply.size())}});
}

std::string address_of(const config::Web& web, std::size_t index, std::uint16_t port) {
  if (web.systemd_socket) return port == 0 ? "a socket of systemd's" : "a socket of systemd's, port " + std::to_string(port);
  const std::string& listen_address = web.listen_addresses[index];
  if (port == 0) return listen_address;
  const std::string host = listen_address.substr(0, listen_address.rfind(':'));
  return (host.empty() ? "0.0.0.0" : host) + ":" + std::to_string(port);
}

/// People look seldom, and a page of 1,000 tags takes megabytes while it is written.
std::vector<http::Route> without_remains(std::vector<http::Route> routes) {
  for (http::Route& route : routes) {
    if (route.quick) continue;
    route.handler = [handler = std::move(route.handler)](const http::Request& request) {
      http::Response response = handler(request);
      service::give_back_freed_memory();
      return response;
    };
  }
  return routes;
}

/// All that serves. The thread that makes it has a share in it, for it may hang at any file.
struct Serving {
  std::atomic<const char*> step = "the configuration";  // what is waited for
  int code = kExitFailed;
  config::Config config;
  config::WebSecurity security;
  std::unique_ptr<Agent> agent;
  std::unique_ptr<drivers::GuardedWatch> driver_watch;
  std::unique_ptr<http::Server> server;
};

int make(Serving& made, const Options& options, Environment& environment) {
  auto resolved = resolve_or_explain(options, environment);
  if (!resolved) return kExitUnusable;
  made.config = std::move(resolved->config);
  made.security = std::move(resolved->web_security);
  const config::Config& config = made.config;

  made.step = "the source";
  auto kernel = make_kernel_source(config.source, environment.clock);
  if (!kernel) {
    base::log_error("no source", {{"error", kernel.error().message}});
    return kExitUnusable;
  }
  const metrics::BuildInfo build = metrics::build_info();
  base::log_info("starting", {{"version", build.version}, {"revision", build.revision}, {"source", config.source.kind}});

  made.step = "storage";
  // A recording's history is its own, and no live kernel's.
  const bool live = !config.source.is_recording();
  made.agent = std::make_unique<Agent>(config, std::move(*kernel), environment.clock, environment.files,
                                       live ? host_identity(environment.files) : config.source.kind);
  if (!made.agent->load_state()) return kExitFailed;
  made.driver_watch = std::make_unique<drivers::GuardedWatch>(std::make_unique<drivers::DriverWatch>(
      config, live ? drivers::make_system_view() : nullptr, made.agent->attribution(), environment.files, environment.clock));
  made.driver_watch->load();
  made.step = "the source";
  made.agent->tick();

  made.step = "certificates";
  made.server = std::make_unique<http::Server>(config.web, without_remains(made.agent->routes()), made.agent->observer(),
                                               environment.clock, made.security, environment.files);
  if (const auto started = made.server->start(); !started) {
    base::log_error("cannot listen", {{"error", started.error().message}});
    return kExitFailed;
  }
  if (const std::string doubt = config::doubtful(made.security); !doubt.empty())
    base::log_warn(doubt, {{"path", config.web.config_file}});
  const auto ports = made.server->ports();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    base::log_info("listening", {{"address", address_of(config.web, i, ports[i])},
                                 {"path", config.web.telemetry_path},
                                 {"tls", made.security.tls ? "true" : "false"},
                                 {"authentication", config::authentication_words(made.security)}});
  }
  return kExitFine;
}

}  // namespace

int serve(const Options& options, Environment& environment) {
  service::Signals signals;
  service::Supervisor supervisor;
  const auto made = std::make_shared<Serving>();
  bool running = true, reload_asked = false;
  {
    base::SideTask start;
    auto begin = [made, options, outside = environment]() mutable { made->code = make(*made, options, outside); };
    if (!start.start(begin)) begin();
    auto told = environment.clock.steady() + kStartPatience;
    auto until = std::chrono::nanoseconds::max();
    while (!start.wait(kLookForSignals)) {
      const auto now = environment.clock.steady();
      const service::Event event = signals.wait(std::chrono::milliseconds(0));
      reload_asked |= event == service::Event::kReload;
      if (event == service::Event::kStop) {
        running = false;
        until = std::min(until, now + kStopPatience);
      }
      if (now >= told && running) base::log_warn("the start waits for what does not answer", {{"what", made->step.load()}});
      if (now >= told) told = std::chrono::nanoseconds::max();
      if (now < until) continue;
      base::log_info("stopping before the start was done", {{"waits_for", made->step.load()}});
      return kExitFine;
    }
  }
  if (made->code != kExitFine) return made->code;
  config::Config& config = made->config;
  Agent& agent = *made->agent;
  drivers::GuardedWatch& driver_watch = *made->driver_watch;
  http::Server& server = *made->server;

  std::unique_ptr<http::WebFileWatch> web_watch;
  if (const std::string& path = config.web.config_file; !path.empty())
    web_watch = std::make_unique<http::WebFileWatch>(path, made->security, server, environment.files,
                                                     [&agent](bool taken) { agent.reload_done(taken); });
  ConfigReader config_reader;
  driver_watch.start();
  service::give_back_startup_memory();
  supervisor.ready();
  auto due = environment.clock.steady() + config.sampling.interval;
  if (!agent.makes_progress()) due = std::min(due, environment.clock.steady() + kTryAgain);
  while (running) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - environment.clock.steady());
    const service::Event event =
        std::exchange(reload_asked, false) ? service::Event::kReload : signals.wait(std::min(left, supervisor.heartbeat()));
    // A kernel that does not answer at all may answer a new process, if not, the restart is a sign.
    if (supervisor.is_watched() && agent.makes_progress() && server.is_alive()) supervisor.alive();
    if (web_watch) web_watch->note_hang();
    driver_watch.start();
    switch (event) {
      case service::Event::kStop: running = false; break;
      case service::Event::kReload:
        supervisor.reloading();
        reload(config_reader, options, environment, config, agent, web_watch.get());
        supervisor.ready();
        due = std::min(due, environment.clock.steady() + config.sampling.interval);
        break;
      case service::Event::kTimeout: {
        const auto now = environment.clock.steady();
        if (now < due) break;
        agent.tick();
        service::give_back_unused_memory();
        // After a sleep of the machine the missed ticks are gaps, not a burst.
        due = std::max(due + config.sampling.interval, now);
        if (!agent.makes_progress()) due = std::min(due, now + kTryAgain);
        break;
      }
    }
  }
  base::log_info("stopping");
  supervisor.stopping();
  agent.stop_waiting();
  const bool saved = agent.save_state();
  web_watch.reset();
  server.stop();
  return saved ? kExitFine : kExitFailed;
}

}  // namespace kmem
