#include "exporter/agent/monitor.h"

#include <algorithm>
#include <span>
#include <utility>

#include "collectors/base/log.h"
#include "collectors/drivers/leak_signatures.h"
#include "exporter/metrics/self_metrics.h"

namespace kmem {
namespace {

bool has_silent(const Snapshot& snapshot) {
  return std::any_of(snapshot.parts.begin(), snapshot.parts.end(), [](const PartStatus& part) { return part.no_answer; });
}

config::Exported exported_of(const config::Config& config) {
  if (const std::string doubt = config::doubtful(config); !doubt.empty()) base::log_warn(doubt);
  return config::exported(config);
}

Monitor::Known nothing_yet(config::Config config) {
  Monitor::Known known;
  known.exported = exported_of(config);
  known.config = std::move(config);
  return known;
}

}  // namespace

Monitor::Monitor(config::Config config, std::unique_ptr<KernelSource> source, const base::Clock& clock,
                 const drivers::Attribution& attribution, const std::string& host_identity)
    : clock_(clock), attribution_(attribution), known_(nothing_yet(std::move(config))), source_(std::move(source)),
      tracked_(known_.exported.tags, known_.exported.processes, known_.exported.budget), failures_(host_identity),
      boot_settings_(host_identity) {
  if (known_.config.trend.enabled)
    known_.trend = std::make_unique<TrendWatch>(known_.config.trend, host_identity, attribution_);
}

bool Monitor::has_silent_part() {
  const std::scoped_lock lock(mutex_);
  return has_silent(known_.snapshot);
}

Patience Monitor::patience() const {
  Patience result;
  result.whole = known_.config.scrape.timeout;
  result.part = known_.config.scrape.timeout / 2;
  return result;
}

base::Result<void> Monitor::read_kernel(const Patience& patience) {
  Snapshot& snapshot = known_.snapshot;
  auto read = source_->read_within(snapshot, patience);
  if (!read && patience.come_back && read.error().code == base::ErrorCode::kBusy) return read;
  last_read_ = clock_.steady();
  has_read_ = read.ok();
  log_.note(read, snapshot, last_read_);
  if (read && !snapshot.repeated) {
    const Boot& boot = boots_.note(snapshot, source_->is_live());
    failures_.observe(snapshot, boot.is_new);
    boot_settings_.note(snapshot, boot);
  } else if (read) {
    boot_settings_.apply(snapshot);
  }
  return read;
}

bool Monitor::membership_changed() {
  std::vector<std::uint64_t> keys;
  keys.reserve(known_.selection.members.size());
  for (const select::Member& member : known_.selection.members) keys.push_back(member.key);
  if (keys == member_keys_) return false;
  member_keys_ = std::move(keys);
  return true;
}

/// Trend and selection learn of nothing that is old; the pages may show it.
void Monitor::learn() {
  const Snapshot& snapshot = known_.snapshot;
  TrendWatch* const trend = known_.trend.get();
  const bool has_old = has_silent(snapshot);
  Snapshot fresh;
  if (has_old) {
    source_->last_without_old(fresh);
    boot_settings_.apply(fresh);
  }
  const Snapshot& seen = has_old ? fresh : snapshot;
  known_.rates.note(seen, boots_.now());
  if (trend != nullptr) trend->observe(seen, boots_.now(), last_read_);
  source_->want_object_handles(trend != nullptr && trend->wants_object_handles());
  if (has_old) {
    // Who does not appear here would lose its place at once.
    if (fresh.processes.empty()) fresh.processes = snapshot.processes;
    if (fresh.session_tags.empty()) fresh.session_tags = snapshot.session_tags;
  }
  std::span<const select::TagId> suspects;
  if (trend != nullptr) suspects = trend->suspects();
  if (!ready_) {  // seats are given out by what the host tells, from the first
    fill();
    if (trend != nullptr) trend->describe(known_.selection);
  }
  std::size_t beside = 0;
  if (known_.exported.budget.series != 0)
    beside = metrics::series_beside_tags(known_.metrics_input()) + metrics::SelfMetrics::kMostSeries;
  tracked_.update(seen, suspects.first(std::min(suspects.size(), known_.exported.max_suspects)), boots_.now(), beside);
  fill();
  if (trend != nullptr) trend->describe(known_.selection);
  std::vector<drivers::KnownLeak> leaks;
  for (const select::TagId& tag : suspects)
    for (drivers::KnownLeak& leak : attribution_.known_leaks(tag.pool, tag.tag)) leaks.push_back(std::move(leak));
  known_.findings = page::find_findings(seen, boot_settings_.changes(), leaks);
  known_.finding_names.clear();
  for (const page::Finding& finding : known_.findings) known_.finding_names.push_back(finding.name);
}

/// Costs more than a scrape, so it is done when a tick finds that something has changed.
void Monitor::name_owners(bool members_changed) {
  const std::uint64_t generation = attribution_.generation();
  if (!known_.config.drivers.enabled || (!members_changed && generation == owners_generation_)) return;
  owners_generation_ = generation;
  known_.owners = {};
  for (const select::Member& member : known_.selection.members) {
    const auto candidates = attribution_.candidates(member.pool, member.tag);
    if (candidates.empty()) continue;
    known_.owners.rows.push_back({member.pool, member.tag, drivers::joined_drivers(candidates),
                                  std::string(drivers::best_description(candidates)), drivers::joined_sources(candidates)});
  }
}

std::optional<Monitor::News> Monitor::tick() {
  const std::scoped_lock lock(mutex_);
  News news;
  news.first = !ready_;
  // The first tick sees a recording's first frame.
  if (!news.first) source_->advance();
  const auto read = read_kernel(patience());
  const Snapshot& snapshot = known_.snapshot;
  makes_progress_ = read ? !snapshot.repeated : read.error().code != base::ErrorCode::kBusy;
  if (!read || snapshot.repeated) return std::nullopt;
  // What this kernel does not have answers at once, and says nothing about it.
  const auto answers = [](const PartStatus& part) { return !part.no_answer && part.state != PartState::kUnsupported; };
  makes_progress_ = !has_silent(snapshot) || std::any_of(snapshot.parts.begin(), snapshot.parts.end(), answers);
  learn();
  news.members_changed = membership_changed();
  name_owners(news.members_changed);
  news.failures = failures_.is_unsaved();
  news.settings = boot_settings_.is_unsaved();
  ready_ = true;
  return news;
}

void Monitor::reconfigure(const config::Config& config, std::unique_ptr<KernelSource> source) {
  const std::scoped_lock lock(mutex_);
  known_.config = config;
  if (source) {
    source_ = std::move(source);
    if (failures_.cursor()) source_->resume_events(*failures_.cursor());
    log_.forget_parts();
  }
  // The members go over to the new rules by way of the state that they would have after a restart.
  const std::string state = tracked_.save();
  known_.exported = exported_of(known_.config);
  tracked_ = select::TrackedSet(known_.exported.tags, known_.exported.processes, known_.exported.budget);
  if (const auto taken = tracked_.load(state); !taken)
    base::log_error("exported tags are chosen anew", {{"error", taken.error().message}});
  if (!read_kernel(patience()) || known_.snapshot.repeated) return;
  learn();
  name_owners(true);
}

base::Result<void> Monitor::Hold::refresh(const Patience& patience) {
  const bool is_fresh =
      monitor_.has_read_ && monitor_.clock_.steady() - monitor_.last_read_ < monitor_.known_.config.scrape.min_interval;
  if (!is_fresh)
    if (auto read = monitor_.read_kernel(patience); !read) return read;
  monitor_.fill();
  return {};
}

base::Result<void> Monitor::Hold::load_selection(std::string_view payload) {
  auto taken = monitor_.tracked_.load(payload);
  if (taken) monitor_.boots_.resume(monitor_.tracked_.kept_boot(), monitor_.tracked_.kept_system_ptes_max());
  return taken;
}

base::Result<void> Monitor::Hold::load_history(std::string_view payload) {
  if (!monitor_.known_.trend) return base::Error{base::ErrorCode::kBusy, "switched off"};
  return monitor_.known_.trend->load(payload);
}

base::Result<void> Monitor::Hold::load_settings(std::string_view payload) { return monitor_.boot_settings_.load(payload); }

base::Result<void> Monitor::Hold::load_failures(std::string_view payload) {
  auto taken = monitor_.failures_.load(payload);
  if (taken && monitor_.failures_.cursor()) monitor_.source_->resume_events(*monitor_.failures_.cursor());
  return taken;
}

}  // namespace kmem
