#include "collectors/drivers/driver_watch.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "collectors/base/log.h"
#include "collectors/base/state_file.h"
#include "collectors/drivers/kernel_modules.h"
#include "collectors/drivers/leak_signatures.h"
#include "collectors/drivers/pooltag_text.h"

namespace kmem::drivers {
namespace {

constexpr std::chrono::hours kLookAgain{1};
constexpr std::chrono::seconds kStartLater{5};  // the first scrapes come first
constexpr std::chrono::minutes kLongestLook{30};
constexpr std::string_view kStateKind = "DRVS";
constexpr std::size_t kMaxSysfsBytes = 4096;
constexpr std::size_t kMaxProcBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxCaches = 4096;

void read_modules(base::FileSystem& files, const std::string& procfs, const std::string& sysfs, KernelModules& out) {
  if (const auto text = base::read_file(files, procfs + "/modules", kMaxProcBytes))
    for (const std::string& name : parse_proc_modules(*text)) out.add_module(name);
  // Also of what is built in, as far as it has parameters.
  if (const auto names = files.names(sysfs + "/module", ""))
    for (const std::string& name : *names) out.add_module(name);
  const std::string slab = sysfs + "/kernel/slab";
  auto caches = files.names(slab, "");
  if (!caches) return;
  std::erase_if(*caches, [](const std::string& name) { return name.starts_with(':'); });
  if (caches->size() > kMaxCaches) caches->resize(kMaxCaches);
  for (const std::string& cache : *caches)
    if (const auto symbol = base::read_file(files, slab + "/" + cache + "/ctor", kMaxSysfsBytes))
      out.add_constructor(cache, *symbol);
}

std::string survey_words(const Survey& survey) {
  return std::to_string(survey.images.size()) + " images, " + std::to_string(survey.skipped.size()) + " not usable";
}

}  // namespace

DriverWatch::DriverWatch(const config::Config& config, std::unique_ptr<SystemView> system, Attribution& attribution,
                         base::FileSystem& files, const base::Clock& clock)
    : config_(config.drivers), procfs_(config.source.procfs), sysfs_(config.source.sysfs),
      state_path_(config.storage.path.empty() ? std::string() : base::in_folder(config.storage.path, "drivers.state")),
      system_(std::move(system)), attribution_(attribution), files_(files), clock_(clock), survey_(files, clock) {}

void DriverWatch::load() {
  if (!config_.enabled) return;
  load_text();
  load_signatures();
  if (system_) load_modules();
  load_kept();
}

void DriverWatch::load_text() {
  std::vector<std::string> paths;
  if (!config_.pooltag_file.empty()) {
    paths.push_back(config_.pooltag_file);
  } else if (system_) {
    paths = system_->pooltag_files();
  }
  for (const std::string& path : paths) {
    auto text = base::read_file(files_, path, PoolTagText::kMaxBytes);
    if (!text) {
      if (path == config_.pooltag_file)
        base::log_warn("drivers.pooltag_file cannot be used", {{"error", text.error().message}});
      continue;
    }
    auto parsed = std::make_shared<const PoolTagText>(std::move(*text));
    base::log_info(
        "pool tags described",
        {{"path", path}, {"tags", std::to_string(parsed->size())}, {"lines_skipped", std::to_string(parsed->skipped())}});
    if (parsed->size() == 0) {
      if (path == config_.pooltag_file) base::log_warn("drivers.pooltag_file describes no tag", {{"path", path}});
      continue;
    }
    attribution_.use(std::move(parsed));
    return;
  }
}

void DriverWatch::load_signatures() {
  if (config_.leak_signatures_file.empty()) return;
  auto text = base::read_file(files_, config_.leak_signatures_file, PoolTagText::kMaxBytes);
  if (!text) {
    base::log_warn("drivers.leak_signatures_file cannot be used", {{"error", text.error().message}});
    return;
  }
  auto parsed = std::make_shared<const LeakSignatures>(std::move(*text));
  base::log_info("known leaks read", {{"path", config_.leak_signatures_file}, {"leaks", std::to_string(parsed->size())}});
  if (parsed->skipped() > 0)
    base::log_warn("known leaks that cannot be used: a line is TAG - driver - versions - words",
                   {{"path", config_.leak_signatures_file}, {"lines", parsed->skipped_lines()}});
  attribution_.use(std::move(parsed));
}

void DriverWatch::load_modules() {
  auto fresh = std::make_shared<KernelModules>();
  read_modules(files_, procfs_, sysfs_, *fresh);
  if (*fresh == (modules_ ? *modules_ : KernelModules())) return;
  modules_ = fresh;
  attribution_.use(modules_);
}

void DriverWatch::load_kept() {
  if (state_path_.empty() || !config_.scan) return;
  const auto state = base::load_state(files_, state_path_, kStateKind);
  base::Result<void> taken;
  if (!state) {
    if (state.error().code == base::ErrorCode::kAbsent) return;
    taken = state.error();
  } else if (state->version != ImageSurvey::kStateVersion) {
    return;  // it is only a shortcut: the images are read again
  } else {
    taken = survey_.load(state->payload);
  }
  if (!taken) {
    base::log_warn("what is known of driver images cannot be used; they are read again",
                   {{"path", state_path_}, {"error", taken.error().message}});
    return;
  }
  publish(survey_.known(wanted(), {}));
}

std::vector<WantedImage> DriverWatch::wanted() const {
  std::vector<WantedImage> all;
  if (system_) all = system_->images(files_);
  for (const std::string& folder : config_.folders)
    if (const auto found = images_in_folder(files_, folder))
      for (const std::string& path : *found) all.push_back({path, false});
  return all;
}

void DriverWatch::publish(Survey survey) {
  if (images_ ? images_->images() == survey.images : survey.images.empty()) return;
  images_ = std::make_shared<const ImageTags>(std::move(survey.images));
  attribution_.use(images_);
}

void DriverWatch::keep() {
  if (state_path_.empty()) return;
  const auto saved = base::save_state(files_, state_path_, kStateKind, ImageSurvey::kStateVersion, survey_.save());
  if (!saved && !keeping_failed_)
    base::log_warn("what is known of driver images cannot be kept", {{"error", saved.error().message}});
  keeping_failed_ = !saved;
}

void DriverWatch::start() {
  if (!config_.enabled || thread_.joinable()) return;
  const bool has_images = config_.scan && (system_ || !config_.folders.empty());
  if (!system_ && !has_images) return;
  has_ended_ = false;
  thread_ = std::jthread([this](std::stop_token stop) {
    run(std::move(stop));
    const std::scoped_lock lock(sleeping_);
    has_ended_ = true;
    wake_.notify_all();
  });
}

bool DriverWatch::stop_within(std::chrono::nanoseconds most) {
  thread_.request_stop();
  std::unique_lock lock(sleeping_);
  return wake_.wait_for(lock, most, [this] { return has_ended_; });
}

void DriverWatch::run(std::stop_token stop) {
  lower_thread_priority();
  std::unique_lock lock(sleeping_);
  for (std::chrono::nanoseconds pause = kStartLater;
       !wake_.wait_for(lock, stop, pause, [&stop] { return stop.stop_requested(); }); pause = kLookAgain) {
    if (stop.stop_requested()) return;
    lock.unlock();
    const bool finished = look(stop, true);
    lock.lock();
    if (!finished) return;
  }
}

bool DriverWatch::look(std::stop_token stop, bool at_leisure) {
  if (system_) load_modules();
  if (!config_.scan) return true;
  const auto begun = clock_.steady();
  const auto pace = [&](std::chrono::nanoseconds worked) {
    if (at_leisure) {
      std::unique_lock lock(sleeping_);
      wake_.wait_for(lock, stop, worked, [&stop] { return stop.stop_requested(); });
    }
    return !stop.stop_requested() && clock_.steady() - begun < kLongestLook;
  };
  Survey survey = survey_.run(wanted(), {}, pace);
  if (stop.stop_requested()) {
    if (survey.scanned > 0) keep();
    return false;
  }
  if (const std::string words = survey_words(survey); survey.scanned > 0 && words != said_) {
    said_ = words;
    const std::string first = survey.skipped.empty() ? "" : survey.skipped.front().path + ": " + survey.skipped.front().reason;
    base::log_info("driver images searched for pool tags", {{"images", std::to_string(survey.images.size())},
                                                            {"read", std::to_string(survey.scanned)},
                                                            {"not_usable", std::to_string(survey.skipped.size())},
                                                            {"first_not_usable", first}});
  }
  if (survey.scanned > 0) keep();
  publish(std::move(survey));
  return true;
}

}  // namespace kmem::drivers
