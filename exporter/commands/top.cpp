#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "collectors/base/log.h"
#include "collectors/drivers/guarded_watch.h"
#include "collectors/make_source.h"
#include "exporter/agent/host_identity.h"
#include "exporter/commands/commands.h"
#include "exporter/terminal/terminal.h"
#include "exporter/top/read_only_files.h"
#include "exporter/top/session.h"
#include "exporter/top/trend_notes.h"

namespace kmem {
namespace {

bool shows_changes(top::SortBy sort) { return sort == top::SortBy::kRate || sort == top::SortBy::kGrowth; }

/// Log lines would spoil the screen: the first warnings and errors wait until it is given back.
class HeldLog {
 public:
  HeldLog() {
    base::set_leveled_log_sink([this](base::LogLevel level, std::string_view line) {
      if (level < base::LogLevel::kWarn) return;
      const std::scoped_lock lock(mutex_);
      if (lines_.size() + line.size() < kMaxBytes) lines_.append(line) += '\n';
    });
  }
  ~HeldLog() {
    base::set_log_sink({});
    std::fputs(lines_.c_str(), stderr);
  }
  HeldLog(const HeldLog&) = delete;
  HeldLog& operator=(const HeldLog&) = delete;

 private:
  static constexpr std::size_t kMaxBytes = 4096;
  std::mutex mutex_;
  std::string lines_;
};

/// What the kernel is asked for: only what is shown, and what limits depend on.
config::Source shown_of(config::Source source) {
  source.collectors.big_pool = source.collectors.memory_lists = false;
  source.collectors.processes = source.collectors.session_pool_tags = source.collectors.events = false;
  return source;
}

int print_once(const Options& options, top::Session& session, bool live) {
  auto read = session.read();
  if (read && shows_changes(options.top_choice.sort)) {
    if (live) std::this_thread::sleep_for(options.top_interval);
    read = session.read();
  }
  if (!read) {
    base::log_error("the kernel cannot be read", {{"error", read.error().message}});
    return kExitFailed;
  }
  const auto written = write_stdout(session.text(options.top_choice));
  if (!written) base::log_error("the table cannot be written", {{"error", written.error().message}});
  const std::string silent = session.silent_part();
  if (!silent.empty()) base::log_error("the kernel cannot be read", {{"error", silent}});
  return written && silent.empty() ? kExitFine : kExitFailed;
}

int show_live(const Options& options, top::Session& session, terminal::Terminal& screen) {
  top::View view;
  view.choice = options.top_choice;
  const auto ran = session.run(screen, view);
  if (!ran) base::log_error("top ended", {{"error", ran.error().message}});
  return ran ? kExitFine : kExitFailed;
}

}  // namespace

int show_top(const Options& options, Environment& environment) {
  auto resolved = resolve_or_explain(options, environment);
  if (!resolved) return kExitUnusable;
  config::Config& config = resolved->config;
  auto kernel = make_kernel_source(shown_of(config.source), environment.clock);
  if (!kernel) {
    base::log_error("no source", {{"error", kernel.error().message}});
    return kExitUnusable;
  }
  HeldLog held;
  std::unique_ptr<terminal::Terminal> screen;
  if (!options.top_once && terminal::stdout_is_terminal()) {
    auto opened = terminal::open_terminal();
    if (!opened) {
      base::log_error("top needs a terminal; --once does not", {{"error", opened.error().message}});
      return kExitUnusable;
    }
    screen = std::move(*opened);
  }

  top::ReadOnlyFiles files(environment.files);
  const bool live = !config.source.is_recording();
  top::TrendNotes trend(files, config.storage.path, live ? host_identity(environment.files) : config.source.kind);
  // What a running agent knows of driver images is enough; else they are searched here, for this run only.
  const bool known = !config.storage.path.empty() && files.info(base::in_folder(config.storage.path, "drivers.state")).ok();
  if (!known) config.storage.path.clear();
  drivers::Attribution attribution;
  drivers::GuardedWatch watch(std::make_unique<drivers::DriverWatch>(config, live ? drivers::make_system_view() : nullptr,
                                                                     attribution, files, environment.clock));
  watch.load();
  if (screen && !known) watch.start();

  top::Session session(**kernel, environment.clock, options.top_interval,
                       {[&] { trend.refresh(); },
                        [&](top::UsageRow& row) {
                          row.driver = drivers::joined_drivers(attribution.candidates(row.pool, row.tag));
                          trend.note(row);
                        },
                        [&] { return trend.problem(); }, [&] { return trend.ends(); }});
  return screen ? show_live(options, session, *screen) : print_once(options, session, live);
}

}  // namespace kmem
