#include "exporter/agent/keeper.h"

#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/log.h"
#include "exporter/agent/kept_state.h"

namespace kmem {
namespace {

constexpr std::uint32_t kSelectionVersion = 1;
// Storage may be a slow disk at the start of a machine; it must never keep requests from being answered.
constexpr std::chrono::seconds kLoadPatience{5}, kSavePatience{1};
constexpr std::chrono::milliseconds kHangPatience{100};

base::Error nobody_wants_it() { return {base::ErrorCode::kBusy, "the agent has ended"}; }

}  // namespace

struct Keeper::Files {
  Files(base::FileSystem& all, const base::Clock& clock, const std::string& folder, Monitor& learns)
      : files(all), path(folder), selection(all, clock, folder + "/selection.state", "SELN", kSelectionVersion),
        history(all, clock, folder + "/trend.state", "TRND", trend::TrendEngine::kStateVersion),
        failures(all, clock, folder + "/failures.state", "FAIL", FailureLog::kStateVersion), monitor(&learns) {}
  void load();
  base::Result<bool> history_piece(std::size_t number, std::string& out);
  void end_history();
  /// Nobody learns any more; what is being written is written to its end.
  void end();

  base::FileSystem& files;
  const std::string path;
  KeptState selection, history, failures;
  std::mutex mutex;  // of what follows
  Monitor* monitor;  // null: it has ended
  std::optional<std::vector<std::string>> rest;  // of the history that was being written then
};

Keeper::Keeper(Monitor& monitor, const base::Clock& clock, base::FileSystem& files, std::string folder)
    : monitor_(monitor), clock_(clock), folder_(std::move(folder)), has_history_(Monitor::Hold(monitor)->trend != nullptr),
      files_(std::make_shared<Files>(files, clock, folder_, monitor)), last_save_(clock.steady()) {}

Keeper::~Keeper() { files_->end(); }

void Keeper::load() {
  if (folder_.empty()) return;
  (void)storage_.start([files = files_] { files->load(); });
  hangs_ = !storage_.wait(kLoadPatience);
  if (hangs_) base::log_error("storage does not answer; serving without what was learnt before", {{"path", folder_}});
}

void Keeper::Files::load() {
  if (const auto made = files.make_folder(path); !made) {
    base::log_error("history cannot be kept", {{"error", made.error().message}});
    return;
  }
  const auto into = [this](base::Result<void> (Monitor::Hold::*take)(std::string_view)) {
    return [this, take](std::string_view payload) -> base::Result<void> {
      const std::scoped_lock lock(mutex);
      if (monitor == nullptr) return nobody_wants_it();
      return (Monitor::Hold(*monitor).*take)(payload);
    };
  };
  selection.load(into(&Monitor::Hold::load_selection));
  history.load(into(&Monitor::Hold::load_history));
  failures.load(into(&Monitor::Hold::load_failures));
}

base::Result<bool> Keeper::Files::history_piece(std::size_t number, std::string& out) {
  const std::scoped_lock lock(mutex);
  if (monitor != nullptr) return Monitor::Hold(*monitor)->trend->save_piece(number, out);
  if (!rest) return nobody_wants_it();
  if (number >= rest->size()) return false;
  out += (*rest)[number];
  return true;
}

void Keeper::Files::end_history() {
  const std::scoped_lock lock(mutex);
  if (monitor != nullptr) Monitor::Hold(*monitor)->trend->end_saving();
  rest.reset();
}

void Keeper::Files::end() {
  const std::scoped_lock lock(mutex);
  if (Monitor::Hold hold(*monitor); hold->trend) rest = hold->trend->take_pieces();
  monitor = nullptr;
}

void Keeper::save_what_is_due(const Monitor::News& news) {
  if (folder_.empty()) return;
  const std::scoped_lock saving(saving_);
  const auto now = clock_.steady();
  const auto interval = Monitor::Hold(monitor_)->config.storage.save_interval;
  const bool changed = std::exchange(unsaved_change_, false) || news.members_changed;
  const bool is_time = now - last_save_ >= interval;
  const Due due = {changed || is_time, has_history_ && (news.first || now - last_history_save_ >= interval),
                   news.failures || is_time};
  if (!due.any()) return;
  if (!storage_.is_idle()) {
    unsaved_change_ = changed;
    return note_hang(due);
  }
  if (due.selection) last_save_ = now;
  if (due.history) last_history_save_ = now;
  start_saving(due);
  hangs_ = !storage_.wait(kSavePatience);
  if (hangs_) note_hang(due);
}

void Keeper::note_hang(const Due& due) {
  if (due.selection) files_->selection.note_hang();
  if (due.history) files_->history.note_hang();
}

void Keeper::start_saving(Due due) {
  std::optional<std::string> selection, failures;
  {
    Monitor::Hold hold(monitor_);
    if (due.selection) selection = hold.save_selection();
    if (due.failures) failures = hold.save_failures();
    if (due.history) hold->trend->begin_saving();
  }
  const bool started = storage_.start(
      [files = files_, selection = std::move(selection), failures = std::move(failures), history = due.history] {
        if (selection) files->selection.save(*selection);
        if (history) {
          files->history.save([&files](std::size_t number, std::string& out) { return files->history_piece(number, out); });
          files->end_history();
        }
        if (failures) files->failures.save(*failures);
      });
  if (!started && due.history) files_->end_history();
}

bool Keeper::save_now() {
  if (folder_.empty()) return true;
  const std::scoped_lock saving(saving_);
  if (storage_.wait(hangs_ ? kHangPatience : kSavePatience)) {
    start_saving({true, has_history_, true});
    if (storage_.wait(kSavePatience)) return true;
  }
  base::log_error("what was learnt is not saved: storage does not answer", {{"path", folder_}});
  return false;
}

std::optional<base::UnixMillis> Keeper::last_history_save() const {
  if (folder_.empty() || !has_history_) return std::nullopt;
  return files_->history.last_save();
}

void Keeper::describe(metrics::TrendView& view) const {
  if (folder_.empty()) return;
  if (const auto at = last_history_save()) view.last_save_seconds = static_cast<double>(*at) / 1000.0;
  view.failures.clear();
  for (std::size_t i = 0; i < KeptState::kFailureNames.size(); ++i)
    view.failures.push_back({KeptState::kFailureNames[i], files_->history.failures(static_cast<KeptState::Failure>(i))});
}

}  // namespace kmem
