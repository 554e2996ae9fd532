#include <algorithm>
#include <string>
#include <thread>

#include "collectors/base/log.h"
#include "collectors/drivers/attribution.h"
#include "collectors/make_source.h"
#include "exporter/commands/commands.h"
#include "exporter/host_identity.h"
#include "exporter/terminal/terminal.h"
#include "exporter/top/session.h"
#include "exporter/top/trend_notes.h"

namespace kmem {
namespace {

bool shows_changes(top::SortBy sort) { return sort == top::SortBy::kRate || sort == top::SortBy::kGrowth; }

}  // namespace

int show_top(const Options& options, Environment& environment) {
  auto resolved = resolve_or_explain(options, environment);
  if (!resolved) return kExitUnusable;
  config::Source wanted = resolved->config.source;
  wanted.collectors.processes = wanted.collectors.session_pool_tags = false;  // not shown
  auto kernel = make_kernel_source(wanted, environment.clock);
  if (!kernel) {
    base::log_error("no source", {{"error", kernel.error().message}});
    return kExitUnusable;
  }
  const bool live = !wanted.kind.starts_with("replay:");
  const bool once = options.top_once || !terminal::stdout_is_terminal();
  std::unique_ptr<terminal::Terminal> screen;
  if (!once) {
    // Before any other thread: they inherit which signals are let in.
    auto opened = terminal::open_terminal();
    if (!opened) {
      base::log_error("top needs a terminal; --once does not", {{"error", opened.error().message}});
      return kExitUnusable;
    }
    screen = std::move(*opened);
  }

  drivers::Attribution attribution;
  top::TrendNotes trend(environment.files, resolved->config.storage.path,
                        live ? host_identity(environment.files) : wanted.kind);
  top::Session session(**kernel, environment.clock, options.top_interval,
                       {[&] { trend.refresh(); },
                        [&](top::UsageRow& row) {
                          row.driver = drivers::joined_drivers(attribution.candidates(row.pool, row.tag));
                          trend.note(row);
                        },
                        [&] { return trend.problem(); }});
  if (screen) {
    top::View view;
    view.choice = options.top_choice;
    const auto ran = session.run(*screen, view);
    screen.reset();
    if (!ran) base::log_error("top ended", {{"error", ran.error().message}});
    return ran ? kExitFine : kExitFailed;
  }

  auto read = session.read();
  if (read && shows_changes(options.top_choice.sort)) {
    if (live) std::this_thread::sleep_for(options.top_interval);
    read = session.read();
  }
  if (!read) {
    base::log_error("the kernel cannot be read", {{"error", read.error().message}});
    return kExitFailed;
  }
  if (!trend.problem().empty()) base::log_warn("no trend", {{"error", trend.problem()}});
  const auto written = write_stdout(session.text(options.top_choice));
  if (!written) base::log_error("the table cannot be written", {{"error", written.error().message}});
  return written ? kExitFine : kExitFailed;
}

}  // namespace kmem
