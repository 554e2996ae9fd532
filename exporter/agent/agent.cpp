#include "exporter/agent/agent.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "collectors/base/log.h"
#include "collectors/drivers/leak_signatures.h"
#include "collectors/self/self.h"
#include "exporter/encode/encode.h"
#include "exporter/metrics/build_info.h"
#include "exporter/metrics/families.h"

namespace kmem {
namespace {

constexpr std::uint32_t kSelectionVersion = 1;
// Storage may be a slow disk at the start of a machine; it must never keep requests from being answered.
constexpr std::chrono::seconds kLoadPatience{5}, kSavePatience{1};
constexpr std::chrono::milliseconds kHangPatience{100};
// How long the server's own thread waits for a reading before a worker does.
constexpr std::chrono::milliseconds kAtOnce{20};
constexpr std::chrono::milliseconds kLeastPatience{200};
constexpr double kScraperMarginSeconds = 0.5;

std::vector<std::string> handler_names() { return {"metrics", "status", "api", "assets", "healthy", "ready", "unknown"}; }

}  // namespace

struct Agent::Kept {
  Kept(base::FileSystem& all, const base::Clock& clock, const std::string& folder)
      : files(all), path(folder), selection(all, clock, folder + "/selection.state", "SELN", kSelectionVersion),
        trend(all, clock, folder + "/trend.state", "TRND", trend::TrendEngine::kStateVersion),
        failures(all, clock, folder + "/failures.state", "FAIL", FailureLog::kStateVersion) {}
  void load();
  base::Result<bool> history_piece(std::size_t number, std::string& out);
  void end_history();

  base::FileSystem& files;
  const std::string path;
  KeptState selection, trend, failures;
  std::mutex mutex;        // taken before the agent's own
  Agent* agent = nullptr;  // null when it has ended
  /// The history that is being written is made from the engine as the file takes it, so that it is nowhere a second time.
  /// Where the engine goes on before a slow file has all of it, what the file is to hold is made first. Guarded by the
  /// agent's mutex; once that has ended, by the one above.
  bool writing_history = false;
  std::optional<std::vector<std::string>> history;
};

void Agent::RequestCounter::request_done(std::string_view handler, int code, std::chrono::nanoseconds took) {
  counted_.observe_request(handler, code, std::chrono::duration<double>(took).count());
}

void Agent::RequestCounter::rejected(std::string_view reason) { counted_.count_rejection(reason); }

Agent::Agent(config::Config config, std::unique_ptr<KernelSource> source, const base::Clock& clock, base::FileSystem& files,
             std::string host_identity)
    : clock_(clock), self_metrics_(handler_names()), observer_(self_metrics_), config_(std::move(config)),
      source_(std::move(source)), exported_(config::exported(config_)), tracked_(exported_.tags, exported_.processes),
      failures_(host_identity), storage_path_(config_.storage.path), kept_(std::make_shared<Kept>(files, clock, storage_path_)),
      last_save_(clock.steady()) {
  kept_->agent = this;
  if (config_.trend.enabled) trend_ = std::make_unique<TrendWatch>(config_.trend, std::move(host_identity), attribution_);
}

Agent::~Agent() {
  const std::scoped_lock lock(kept_->mutex, mutex_);
  keep_what_is_being_saved();
  kept_->agent = nullptr;
}

bool Agent::has_silent_part() {
  const std::scoped_lock lock(mutex_);
  return std::any_of(snapshot_.parts.begin(), snapshot_.parts.end(), [](const PartStatus& part) { return part.no_answer; });
}

void Agent::stop_waiting() { source_->stop_waiting(); }

void Agent::load_state() {
  if (storage_path_.empty()) return;
  (void)storage_.start([kept = kept_] { kept->load(); });
  storage_hangs_ = !storage_.wait(kLoadPatience);
  if (storage_hangs_)
    base::log_error("storage does not answer; serving without what was learnt before", {{"path", storage_path_}});
}

void Agent::Kept::load() {
  if (const auto made = files.make_folder(path); !made) {
    base::log_error("history cannot be kept", {{"error", made.error().message}});
    return;
  }
  const auto take = [this](auto load) {
    return [this, load](std::string_view payload) -> base::Result<void> {
      const std::scoped_lock lock(mutex);
      if (agent == nullptr) return base::Error{base::ErrorCode::kBusy, "the agent has ended"};
      const std::scoped_lock agent_lock(agent->mutex_);
      return load(*agent, payload);
    };
  };
  selection.load(take([](Agent& into, std::string_view payload) {
    auto taken = into.tracked_.load(payload);
    if (taken) into.boots_.resume(into.tracked_.kept_boot(), into.tracked_.kept_system_ptes_max());
    return taken;
  }));
  trend.load(take([](Agent& into, std::string_view payload) {
    return into.trend_ ? into.trend_->load(payload) : base::Result<void>(base::Error{base::ErrorCode::kBusy, "switched off"});
  }));
  failures.load(take([](Agent& into, std::string_view payload) {
    auto taken = into.failures_.load(payload);
    if (taken && into.failures_.cursor()) into.source_->resume_events(*into.failures_.cursor());
    return taken;
  }));
}

Patience Agent::patience(const http::Request* request) const {
  Patience result;
  result.whole = config_.scrape.timeout;
  result.part = config_.scrape.timeout / 2;
  if (request == nullptr) return result;
  const double scraper = std::strtod(request->scrape_timeout.c_str(), nullptr);
  // Its answer has to arrive, too. Less than a moment is not believed: others would get the same answer.
  if (scraper > 0 && scraper < 3'600) {
    const std::chrono::duration<double> left(scraper - std::min(scraper / 4, kScraperMarginSeconds));
    result.whole =
        std::clamp<std::chrono::nanoseconds>(std::chrono::duration_cast<std::chrono::nanoseconds>(left),
                                             std::min<std::chrono::nanoseconds>(kLeastPatience, result.whole), result.whole);
  }
  if (request->at_once) {
    result.whole = kAtOnce;
    result.come_back = true;
  }
  return result;
}

base::Result<void> Agent::read_kernel(const Patience& patience) {
  const auto read = source_->read_within(snapshot_, patience);
  if (!read && patience.come_back && read.error().code == base::ErrorCode::kBusy) return read;
  last_read_ = clock_.steady();
  has_read_ = read.ok();
  const std::string error = read ? std::string() : read.error().message;
  const bool changed = error != last_error_;
  last_error_ = error;
  if (const auto often = error_flapping_.told_late(last_read_))
    base::log_warn("the kernel answers now and then only", {{"changes", std::to_string(*often)}, {"error", error}});
  if (changed && error_flapping_.changed(last_read_)) {
    if (read) {
      base::log_info("the kernel answers again");
    } else {
      base::log_error("nothing can be read", {{"error", error}});
    }
  }
  if (read) {
    note_parts();
    if (!snapshot_.repeated) {
      const Boot& boot = boots_.note(snapshot_, source_->is_live());
      failures_.observe(snapshot_, boot.is_new);
    }
  }
  return read;
}

void log_part(const PartStatus& part) {
  switch (part.state) {
    case PartState::kOk: return base::log_info("collector works", {{"collector", part.collector}});
    case PartState::kUnsupported:
      return base::log_info("not on this system", {{"collector", part.collector}, {"reason", part.reason}});
    case PartState::kPartial:
    case PartState::kFailed: break;
  }
  base::log_warn(part.state == PartState::kFailed ? "collector failed" : "collector skipped rows",
                 {{"collector", part.collector}, {"reason", part.reason}});
}

/// What is remembered of each part over readings: what was said of it, and when it was read last.
void Agent::note_parts() {
  for (PartStatus& part : snapshot_.parts) {
    auto known = part_memory_.find(part.collector);
    if (known == part_memory_.end()) known = part_memory_.emplace(part.collector, PartMemory()).first;
    PartMemory& memory = known->second;
    if (part.state == PartState::kOk || part.state == PartState::kPartial)
      memory.last_success = part.time != 0 ? part.time : snapshot_.time;
    part.last_success = memory.last_success;
    if (const auto often = memory.flapping.told_late(last_read_))
      base::log_warn("collector goes to and fro", {{"collector", part.collector},
                                                   {"changes", std::to_string(*often)},
                                                   {"works_now", part.state == PartState::kFailed ? "false" : "true"}});
    if (memory.state == part.state) continue;
    memory.state = part.state;
    if (memory.flapping.changed(last_read_)) log_part(part);
  }
}

/// Scrapes that come close together share a reading: the second finds it fresh enough.
base::Result<void> Agent::refresh(const http::Request* request) {
  if (has_read_ && clock_.steady() - last_read_ < config_.scrape.min_interval) return {};
  return read_kernel(patience(request));
}

bool Agent::membership_changed() {
  std::vector<std::uint64_t> keys;
  keys.reserve(selection_.members.size());
  for (const select::Member& member : selection_.members) keys.push_back(member.key);
  if (keys == member_keys_) return false;
  member_keys_ = std::move(keys);
  return true;
}

/// Trend and selection learn of nothing that is old; the pages may show it.
void Agent::learn() {
  const auto is_silent = [](const PartStatus& part) { return part.no_answer; };
  const bool has_old = std::any_of(snapshot_.parts.begin(), snapshot_.parts.end(), is_silent);
  Snapshot fresh;
  if (has_old) source_->last_without_old(fresh);
  const Snapshot& seen = has_old ? fresh : snapshot_;
  rates_.note(seen, boots_.now());
  keep_what_is_being_saved();
  if (trend_) trend_->observe(seen, boots_.now(), last_read_);
  source_->want_object_handles(trend_ && trend_->wants_object_handles());
  if (has_old) {
    // Who does not appear here would lose its place at once.
    if (fresh.processes.empty()) fresh.processes = snapshot_.processes;
    if (fresh.session_tags.empty()) fresh.session_tags = snapshot_.session_tags;
  }
  std::span<const select::TagId> suspects;
  if (trend_) suspects = trend_->suspects();
  tracked_.update(seen, suspects.first(std::min(suspects.size(), exported_.max_suspects)), boots_.now());
  tracked_.fill(snapshot_, selection_, boots_.now());
  if (trend_) trend_->describe(selection_);
  boot_settings_.note(seen, boots_.now().reading.number);
  std::vector<drivers::KnownLeak> known;
  if (trend_)
    for (const select::TagId& tag : trend_->suspects())
      for (drivers::KnownLeak& leak : attribution_.known_leaks(tag.pool, tag.tag)) known.push_back(std::move(leak));
  findings_ = page::find_findings(seen, boot_settings_.changes(), known);
  finding_names_.clear();
  for (const page::Finding& finding : findings_) finding_names_.push_back(finding.name);
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
  bool first = false, changed = false, failed = false;
  {
    const std::scoped_lock lock(mutex_);
    first = !ready_;
    // The first tick sees a recording's first frame.
    if (!first) source_->advance();
    const auto read = read_kernel(patience());
    makes_progress_ = read ? !snapshot_.repeated : read.error().code != base::ErrorCode::kBusy;
    if (!read) return;
    if (snapshot_.repeated) return;
    // What this kernel does not have answers at once, and says nothing about it.
    const auto silent = [](const PartStatus& part) { return part.no_answer; };
    const auto answers = [](const PartStatus& part) { return !part.no_answer && part.state != PartState::kUnsupported; };
    makes_progress_ = std::none_of(snapshot_.parts.begin(), snapshot_.parts.end(), silent) ||
                      std::any_of(snapshot_.parts.begin(), snapshot_.parts.end(), answers);
    learn();
    changed = membership_changed();
    name_owners(changed);
    failed = failures_.is_unsaved();
    ready_ = true;
  }
  save_what_is_due(first, changed, failed);
}

/// A changed membership is written at once, so that a killed process finds it again; the history is larger, and at the
/// first tick it tells a disk that refuses.
void Agent::save_what_is_due(bool first, bool changed, bool failed) {
  if (storage_path_.empty()) return;
  const std::scoped_lock saving(saving_);
  const auto now = clock_.steady();
  changed = std::exchange(unsaved_change_, false) || changed;
  const bool selection_due = changed || now - last_save_ >= config_.storage.save_interval;
  const bool trend_due = trend_ && (first || now - last_trend_save_ >= config_.storage.save_interval);
  const bool failures_due = failed || now - last_save_ >= config_.storage.save_interval;
  if (!selection_due && !trend_due && !failures_due) return;
  if (!storage_.is_idle()) {
    unsaved_change_ = changed;
    if (selection_due) kept_->selection.note_hang();
    if (trend_due) kept_->trend.note_hang();
    return;
  }
  if (selection_due) last_save_ = now;
  if (trend_due) last_trend_save_ = now;
  start_saving(selection_due, trend_due, failures_due);
  storage_hangs_ = !storage_.wait(kSavePatience);
  if (storage_hangs_ && selection_due) kept_->selection.note_hang();
  if (storage_hangs_ && trend_due) kept_->trend.note_hang();
}

void Agent::start_saving(bool selection, bool trend, bool failures) {
  std::array<std::optional<std::string>, 2> payloads;
  {
    const std::scoped_lock lock(mutex_);
    if (selection) payloads[0] = tracked_.save();
    if (failures) payloads[1] = failures_.save();
    trend = trend && trend_;
    kept_->writing_history = trend;
  }
  const bool started = storage_.start([kept = kept_, payloads = std::move(payloads), trend] {
    if (payloads[0]) kept->selection.save(*payloads[0]);
    if (trend) {
      kept->trend.save([&kept](std::size_t number, std::string& out) { return kept->history_piece(number, out); });
      kept->end_history();
    }
    if (payloads[1]) kept->failures.save(*payloads[1]);
  });
  if (!started) kept_->end_history();
}

base::Result<bool> Agent::Kept::history_piece(std::size_t number, std::string& out) {
  const std::scoped_lock lock(mutex);
  std::unique_lock<std::mutex> agent_lock;
  if (agent != nullptr) agent_lock = std::unique_lock(agent->mutex_);
  if (!history) {
    if (agent == nullptr) return base::Error{base::ErrorCode::kBusy, "the agent has ended"};
    return agent->trend_->save_piece(number, out);
  }
  if (number >= history->size()) return false;
  out += (*history)[number];
  return true;
}

void Agent::Kept::end_history() {
  const std::scoped_lock lock(mutex);
  std::unique_lock<std::mutex> agent_lock;
  if (agent != nullptr) agent_lock = std::unique_lock(agent->mutex_);
  writing_history = false;
  history.reset();
}

/// With mutex_ held, before the trend learns: what is written now stays as it was.
void Agent::keep_what_is_being_saved() {
  if (!kept_->writing_history || kept_->history) return;
  std::vector<std::string>& pieces = kept_->history.emplace();
  std::string piece;
  while (trend_->save_piece(pieces.size(), piece)) {
    pieces.push_back(piece);
    piece.clear();
  }
}

bool Agent::save_state() {
  if (storage_path_.empty() || !ready_) return true;
  const std::scoped_lock saving(saving_);
  if (storage_.wait(storage_hangs_ ? kHangPatience : kSavePatience)) {
    start_saving(true, true, true);
    if (storage_.wait(kSavePatience)) return true;
  }
  base::log_error("what was learnt is not saved: storage does not answer", {{"path", storage_path_}});
  return false;
}

std::optional<base::UnixMillis> Agent::last_trend_save() const { return kept_->trend.last_save(); }

void Agent::show_trend_state() {
  if (!trend_ || storage_path_.empty()) return;
  metrics::TrendView& view = trend_->view();
  if (const auto at = last_trend_save()) view.last_save_seconds = static_cast<double>(*at) / 1000.0;
  view.failures.clear();
  for (std::size_t i = 0; i < KeptState::kFailureNames.size(); ++i)
    view.failures.push_back({KeptState::kFailureNames[i], kept_->trend.failures(static_cast<KeptState::Failure>(i))});
}

void Agent::encode_page(encode::Format format, const self::SelfUsage& usage, const metrics::Collect& collect) {
  show_trend_state();
  // The families of a whole page keep what need not be copied anew; a part of it leaves them alone.
  std::vector<prometheus::MetricFamily> part;
  const bool same_as_before = owners_.same_as_before;
  const bool whole = collect.all();
  auto& families = whole ? families_ : part;
  if (!whole) owners_.same_as_before = false;
  metrics::build_families({snapshot_, selection_, exported_.tags.counters, trend_ ? &trend_->view() : nullptr, &owners_,
                           finding_names_, exported_.only_lean},
                          families, whole ? &family_stamps_ : nullptr);
  owners_.same_as_before = whole || same_as_before;
  if (!whole) metrics::keep_collected(collect, families);
  self_metrics_.collect(usage, self_families_, self_family_stamps_, exported_.only_lean);
  const encode::PageEncoder::Group own{self_families_, self_family_stamps_};
  std::size_t left_out = 0;
  if (whole) {
    left_out = page_encoder_.encode({{families_, family_stamps_}, own}, format, plain_page_);
  } else {
    left_out = encode::PageEncoder().encode({{part, {}}, own}, format, plain_page_);
  }
  self_metrics_.count_left_out(left_out);
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
  const auto collect = metrics::parse_collect(request.query);
  const auto refuse = [&response](const base::Error& error) {
    response.status = 400;
    response.body = error.message + "\n";
    return std::move(response);
  };
  if (!collect) return refuse(collect.error());
  std::unique_lock lock(mutex_, std::defer_lock);
  if (!request.at_once) {
    lock.lock();
  } else if (!lock.try_lock()) {
    response.status = http::kNotAtOnce;
    return response;
  }
  if (const auto fresh = refresh(&request); !fresh) {
    if (request.at_once && fresh.error().code == base::ErrorCode::kBusy) {
      response.status = http::kNotAtOnce;
      return response;
    }
    response.status = 503;
    response.body = "no kernel memory figures: " + fresh.error().message + "\n";
    return response;
  }
  if (const auto known = metrics::check_collect(*collect, snapshot_.parts); !known) return refuse(known.error());
  tracked_.fill(snapshot_, selection_, boots_.now());
  encode_page(negotiated.format, self::read_self(), *collect);
  response.content_type = negotiated.content_type;
  if (encode::accepts_gzip(request.accept_encoding) && gzip_.compress_page(plain_page_, response.body)) {
    response.content_encoding = "gzip";
  } else {
    response.body.reserve(plain_page_.size() + http::kHeadRoom);
    response.body = plain_page_;
  }
  return response;
}

std::vector<http::Route> Agent::routes() {
  std::vector<http::Route> routes = {
      {config_.web.telemetry_path, "metrics", [this](const http::Request& request) { return serve_metrics(request); }, true},
      {"/-/healthy", "healthy",
       [](const http::Request&) {
         http::Response response;
         response.body = "healthy\n";
         return response;
       },
       true, true, config_.web.healthy_without_password},
      {"/-/ready", "ready",
       [this](const http::Request&) {
         http::Response response;
         response.status = ready_ ? 200 : 503;
         response.body = ready_ ? "ready\n" : "not ready: the kernel has not been read yet\n";
         return response;
       },
       true, true},
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
    part_memory_.clear();
  }
  // The members go over to the new rules by way of the state that they would have after a restart.
  const std::string state = tracked_.save();
  exported_ = config::exported(config_);
  tracked_ = select::TrackedSet(exported_.tags, exported_.processes);
  if (const auto taken = tracked_.load(state); !taken)
    base::log_error("exported tags are chosen anew", {{"error", taken.error().message}});
  if (!read_kernel(patience()) || snapshot_.repeated) return;
  learn();
  name_owners(true);
}

void Agent::reload_done(bool successful) { self_metrics_.set_config_reload(successful, clock_.wall()); }

}  // namespace kmem
