#include "exporter/agent.h"

#include <algorithm>
#include <utility>

#include "collectors/base/log.h"
#include "collectors/self/self.h"
#include "exporter/encode/encode.h"
#include "exporter/metrics/build_info.h"
#include "exporter/metrics/families.h"

namespace kmem {
namespace {

constexpr std::uint32_t kSelectionVersion = 1;

std::vector<std::string> handler_names() { return {"metrics", "status", "api", "assets", "healthy", "ready", "unknown"}; }

}  // namespace

void Agent::RequestCounter::request_done(std::string_view handler, int code, std::chrono::nanoseconds took) {
  counted_.observe_request(handler, code, std::chrono::duration<double>(took).count());
}

void Agent::RequestCounter::rejected(std::string_view reason) { counted_.count_rejection(reason); }

Agent::Agent(config::Config config, std::unique_ptr<KernelSource> source, const base::Clock& clock,
             base::FileSystem& files, std::string host_identity)
    : clock_(clock),
      files_(files),
      self_metrics_(handler_names()),
      observer_(self_metrics_),
      config_(std::move(config)),
      source_(std::move(source)),
      tracked_(config_.tags, config_.processes),
      failures_(host_identity),
      storage_path_(config_.storage.path),
      selection_state_(files, clock, storage_path_ + "/selection.state", "SELN", kSelectionVersion),
      trend_state_(files, clock, storage_path_ + "/trend.state", "TRND", trend::TrendEngine::kStateVersion),
      failure_state_(files, clock, storage_path_ + "/failures.state", "FAIL", FailureLog::kStateVersion),
      last_save_(clock.steady()) {
  if (config_.trend.enabled) trend_ = std::make_unique<TrendWatch>(config_.trend, std::move(host_identity), attribution_);
}

void Agent::load_state() {
  if (storage_path_.empty()) return;
  if (const auto made = files_.make_folder(storage_path_); !made) {
    base::log_error("history cannot be kept", {{"error", made.error().message}});
    return;
  }
  const std::scoped_lock lock(mutex_);
  selection_state_.load([this](std::string_view payload) {
    const auto taken = tracked_.load(payload);
    if (taken) boots_.resume(tracked_.kept_boot(), tracked_.kept_system_ptes_max());
    return taken;
  });
  if (trend_) trend_state_.load([this](std::string_view payload) { return trend_->load(payload); });
  failure_state_.load([this](std::string_view payload) { return failures_.load(payload); });
  if (failures_.cursor()) source_->resume_events(*failures_.cursor());
}

base::Result<void> Agent::read_kernel() {
  const auto read = source_->read(snapshot_);
  last_read_ = clock_.steady();
  has_read_ = read.ok();
  const std::string error = read ? std::string() : read.error().message;
  if (error != last_error_) {
    if (read) {
      base::log_info("the kernel answers again");
    } else {
      base::log_error("nothing can be read", {{"error", error}});
    }
    last_error_ = error;
  }
  if (read) {
    log_changed_parts();
    const Boot& boot = boots_.note(snapshot_, source_->is_live());
    failures_.observe(snapshot_, boot.is_new);
  }
  return read;
}

void Agent::log_changed_parts() {
  for (const PartStatus& part : snapshot_.parts) {
    const auto [known, is_new] = part_states_.try_emplace(part.collector, PartState::kOk);
    if (known->second == part.state) continue;
    known->second = part.state;
    switch (part.state) {
      case PartState::kOk: base::log_info("collector works", {{"collector", part.collector}}); break;
      case PartState::kUnsupported:
        base::log_info("not on this system", {{"collector", part.collector}, {"reason", part.reason}});
        break;
      case PartState::kPartial:
      case PartState::kFailed:
        base::log_warn(part.state == PartState::kFailed ? "collector failed" : "collector skipped rows",
                       {{"collector", part.collector}, {"reason", part.reason}});
        break;
    }
  }
}

/// Scrapes that come close together share a reading: the second finds it fresh enough.
base::Result<void> Agent::refresh() {
  if (has_read_ && clock_.steady() - last_read_ < config_.scrape.min_interval) return {};
  return read_kernel();
}

bool Agent::membership_changed() {
  std::vector<std::uint64_t> keys;
  keys.reserve(selection_.members.size());
  for (const select::Member& member : selection_.members) keys.push_back(member.key);
  if (keys == member_keys_) return false;
  member_keys_ = std::move(keys);
  return true;
}

void Agent::select_tags() {
  tracked_.update(snapshot_, trend_ ? trend_->suspects() : std::span<const select::TagId>(), boots_.now());
  tracked_.fill(snapshot_, selection_, boots_.now());
  if (trend_) trend_->describe(selection_);
}

/// Costs more than a scrape, so it is done when a tick finds that something has changed.
void Agent::name_owners(bool members_changed) {
  const std::uint64_t generation = attribution_.generation();
  if (!config_.drivers.enabled || (!members_changed && generation == owners_generation_)) return;
  owners_generation_ = generation;
  owners_ = {};
  for (const select::Member& member : selection_.members) {
    const auto candidates = attribution_.candidates(member.pool, member.tag);
    if (candidates.empty()) continue;
    owners_.rows.push_back({member.pool, member.tag, drivers::joined_drivers(candidates),
                            std::string(drivers::best_description(candidates)), drivers::joined_sources(candidates)});
  }
}

void Agent::tick() {
  std::string selection, trend, failures;
  bool save_selection = false, save_trend = false, save_failures = false;
  {
    const std::scoped_lock lock(mutex_);
    const bool first = !ready_;
    // The first tick sees a recording's first frame.
    if (!first) source_->advance();
    if (!read_kernel()) return;
    rates_.note(snapshot_, boots_.now());
    if (trend_) trend_->observe(snapshot_, boots_.now());
    select_tags();
    const bool changed = membership_changed();
    name_owners(changed);
    ready_ = true;
    if (storage_path_.empty()) return;
    // A changed membership is written at once, so that a killed process finds it again; the history is larger, and at
    // the first tick it tells a disk that refuses.
    const auto now = clock_.steady();
    save_selection = changed || now - last_save_ >= config_.storage.save_interval;
    save_trend = trend_ && (first || now - last_trend_save_ >= config_.storage.save_interval);
    save_failures = failures_.is_unsaved() || now - last_save_ >= config_.storage.save_interval;
    if (save_failures) failures = failures_.save();
    if (save_selection) {
      selection = tracked_.save();
      last_save_ = now;
    }
    if (save_trend) {
      trend = trend_->save();
      last_trend_save_ = now;
    }
  }
  const std::scoped_lock lock(saving_);
  if (save_selection) selection_state_.save(selection);
  if (save_trend) trend_state_.save(trend);
  if (save_failures) failure_state_.save(failures);
}

void Agent::save_state() {
  if (storage_path_.empty() || !ready_) return;
  std::string selection, trend, failures;
  {
    const std::scoped_lock lock(mutex_);
    selection = tracked_.save();
    if (trend_) trend = trend_->save();
    failures = failures_.save();
  }
  const std::scoped_lock lock(saving_);
  selection_state_.save(selection);
  if (trend_) trend_state_.save(trend);
  failure_state_.save(failures);
}

void Agent::show_trend_state() {
  if (!trend_ || storage_path_.empty()) return;
  metrics::TrendView& view = trend_->view();
  if (const auto at = trend_state_.last_save()) view.last_save_seconds = static_cast<double>(*at) / 1000.0;
  view.failures.clear();
  for (std::size_t i = 0; i < KeptState::kFailureNames.size(); ++i)
    view.failures.push_back({KeptState::kFailureNames[i], trend_state_.failures(static_cast<KeptState::Failure>(i))});
}

void Agent::encode_page(encode::Format format, const self::SelfUsage& usage) {
  show_trend_state();
  metrics::build_families(
      {snapshot_, selection_, config_.tags.counters, trend_ ? &trend_->view() : nullptr, &owners_}, families_);
  owners_.same_as_before = true;
  self_metrics_.collect(usage, families_);
  encode::encode(families_, format, plain_page_);
}

base::Result<std::string> Agent::page(encode::Format format) {
  const std::scoped_lock lock(mutex_);
  if (const auto fresh = refresh(); !fresh) return fresh.error();
  tracked_.fill(snapshot_, selection_, boots_.now());
  encode_page(format, {});
  return plain_page_;
}

http::Response Agent::serve_metrics(const http::Request& request) {
  const encode::Negotiated negotiated = encode::negotiate(request.accept);
  http::Response response;
  const std::scoped_lock lock(mutex_);
  if (const auto fresh = refresh(); !fresh) {
    response.status = 503;
    response.body = "no kernel memory figures: " + fresh.error().message + "\n";
    return response;
  }
  tracked_.fill(snapshot_, selection_, boots_.now());
  encode_page(negotiated.format, self::read_self());
  response.content_type = negotiated.content_type;
  if (encode::accepts_gzip(request.accept_encoding) && gzip_.compress(plain_page_, response.body)) {
    response.content_encoding = "gzip";
  } else {
    response.body = plain_page_;
  }
  return response;
}

std::vector<http::Route> Agent::routes() {
  std::vector<http::Route> routes = {
      {config_.web.telemetry_path, "metrics", [this](const http::Request& request) { return serve_metrics(request); },
       true},
      {"/-/healthy", "healthy",
       [](const http::Request&) {
         http::Response response;
         response.body = "healthy\n";
         return response;
       },
       true},
      {"/-/ready", "ready",
       [this](const http::Request&) {
         http::Response response;
         response.status = ready_ ? 200 : 503;
         response.body = ready_ ? "ready\n" : "not ready: the kernel has not been read yet\n";
         return response;
       },
       true},
  };
  add_page_routes(routes);
  return routes;
}

void Agent::reconfigure(const config::Config& config, std::unique_ptr<KernelSource> source) {
  const std::scoped_lock lock(mutex_);
  config_ = config;
  if (source) {
    source_ = std::move(source);
    if (failures_.cursor()) source_->resume_events(*failures_.cursor());
    part_states_.clear();
  }
  // The members go over to the new rules by way of the state that they would have after a restart.
  const std::string state = tracked_.save();
  tracked_ = select::TrackedSet(config_.tags, config_.processes);
  if (const auto taken = tracked_.load(state); !taken)
    base::log_error("exported tags are chosen anew", {{"error", taken.error().message}});
  if (!read_kernel()) return;
  select_tags();
  name_owners(true);
}

void Agent::reload_done(bool successful) { self_metrics_.set_config_reload(successful, clock_.wall()); }

}  // namespace kmem
