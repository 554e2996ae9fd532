#include "exporter/agent/keeper.h"

#include <atomic>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/log.h"
#include "exporter/agent/kept_state.h"

namespace kmem {
namespace {

constexpr std::uint32_t kSelectionVersion = 1;
// Storage may be a slow disk at the start of a machine; it must never keep requests from being answered.
constexpr std::chrono::seconds kLoadPatience{5}, kTickPatience{1};
constexpr std::chrono::milliseconds kHangPatience{100};
constexpr std::string_view kNoAnswer = "storage does not answer",
                           kOthers = "another kmem_exporter keeps its history in this storage.path; give each one its own";

base::Error nobody_wants_it() { return {base::ErrorCode::kBusy, "the agent has ended"}; }

}  // namespace

struct Keeper::Files {
  Files(base::FileSystem& all, const base::Clock& clock, const std::string& folder, Monitor& learns)
      : files(all), path(folder), selection(all, clock, base::in_folder(folder, "selection.state"), "SELN", kSelectionVersion),
        history(all, clock, base::in_folder(folder, "trend.state"), "TRND", trend::TrendEngine::kStateVersion),
        failures(all, clock, base::in_folder(folder, "failures.state"), "FAIL", FailureLog::kStateVersion),
        settings(all, clock, base::in_folder(folder, "settings.state"), "SETT", BootSettings::kStateVersion), monitor(&learns) {
  }
  /// False: it is another's folder.
  bool load();
  /// The folder is there, and its lock is ours. kBusy: it is another's.
  base::Result<void> hold();
  /// As given, and the history piece by piece.
  void save(const std::optional<std::string>& selection, bool history_too, const std::optional<std::string>& failures,
            const std::optional<std::string>& settings);
  base::Result<bool> history_piece(std::size_t number, std::string& out);
  void end_history();
  /// Nobody learns any more; what is being written is written to its end.
  void end();

  base::FileSystem& files;
  const std::string path;
  KeptState selection, history, failures, settings;
  std::unique_ptr<base::File> lock_file;         // null: not known to be ours
  std::mutex mutex;                              // of what follows
  Monitor* monitor;                              // null: it has ended
  std::optional<std::vector<std::string>> rest;  // of the history that was being written then
  std::string last_error;                        // of the last save; empty: all of it is in its files
};

Keeper::Keeper(Monitor& monitor, const base::Clock& clock, base::FileSystem& files, std::string folder)
    : monitor_(monitor), clock_(clock), folder_(std::move(folder)), has_history_(Monitor::Hold(monitor)->trend != nullptr),
      files_(std::make_shared<Files>(files, clock, folder_, monitor)), last_save_(clock.steady()) {}

Keeper::~Keeper() { files_->end(); }

bool Keeper::load() {
  if (folder_.empty()) return true;
  const auto is_ours = std::make_shared<std::atomic<bool>>(true);
  begun_ = clock_.steady();
  (void)storage_.start([files = files_, is_ours] { *is_ours = files->load(); });
  hangs_ = !storage_.wait(kLoadPatience);
  if (hangs_) base::log_error("storage does not answer; serving without what was learnt before", {{"path", folder_}});
  return *is_ours;
}

base::Result<void> Keeper::Files::hold() {
  const std::string name = base::in_folder(path, "lock");
  const bool was_ours = lock_file != nullptr;
  if (was_ours && lock_file->is_still(name)) return {};
  lock_file.reset();
  if (auto made = base::make_folders(files, path); !made) return made;
  auto taken = files.open(name, base::OpenMode::kRewriteOwn);
  if (was_ours) base::log_warn("storage.path was removed, and is made again", {{"path", path}});
  if (!taken) return taken.error();
  lock_file = std::move(*taken);
  return {};
}

bool Keeper::Files::load() {
  if (const auto made = base::make_folders(files, path); !made) {
    base::log_error("history cannot be kept", {{"error", made.error().message}});
    return true;
  }
  if (const auto held = hold(); !held && held.error().code == base::ErrorCode::kBusy) {
    base::log_error(kOthers, {{"path", path}});
    return false;
  } else if (!held) {
    base::log_warn("whether another kmem_exporter keeps its history here is not known",
                   {{"path", path}, {"error", held.error().message}});
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
  settings.load(into(&Monitor::Hold::load_settings));
  return true;
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
                   news.failures || is_time, news.settings || is_time};
  if (!storage_.is_idle()) {
    unsaved_change_ = changed;
    return note_wait(due);
  }
  hangs_ = false;
  if (!due.any()) return;
  if (due.selection) last_save_ = now;
  if (due.history) last_history_save_ = now;
  start_saving(due);
  if (!storage_.wait(kTickPatience)) base::log_debug("storage is slow; a save goes on", {{"path", folder_}});
}

void Keeper::note_wait(const Due& due) {
  if (clock_.steady() - begun_ < kNoAnswerAfter) return;
  const bool is_news = !std::exchange(hangs_, true);
  if (due.selection || (is_news && at_work_.selection)) files_->selection.note_unsaved(kNoAnswer);
  if (due.history || (is_news && at_work_.history)) files_->history.note_unsaved(kNoAnswer);
}

void Keeper::start_saving(Due due) {
  std::optional<std::string> selection, failures, settings;
  {
    Monitor::Hold hold(monitor_);
    if (due.selection) selection = hold.save_selection();
    if (due.failures) failures = hold.save_failures();
    if (due.settings) settings = hold.save_settings();
    if (due.history) hold->trend->begin_saving();
  }
  at_work_ = due;
  begun_ = clock_.steady();
  const bool started = storage_.start([files = files_, selection = std::move(selection), failures = std::move(failures),
                                       settings = std::move(settings),
                                       history = due.history] { files->save(selection, history, failures, settings); });
  if (started) return;
  if (due.history) files_->end_history();
  const std::scoped_lock lock(files_->mutex);
  files_->last_error = "no thread to save it";
}

void Keeper::Files::save(const std::optional<std::string>& new_selection, bool history_too,
                         const std::optional<std::string>& new_failures, const std::optional<std::string>& new_settings) {
  // Where the folder cannot be made, the files say so.
  const auto held = hold();
  const bool is_anothers = !held && held.error().code == base::ErrorCode::kBusy;
  std::string error;
  const auto write = [&](KeptState& file, const auto& payload) {
    if (is_anothers) file.note_unsaved(kOthers);
    if (is_anothers) return;
    if (const auto saved = file.save(payload); !saved) error = saved.error().message;
  };
  if (is_anothers) error = held.error().message;
  if (new_selection) write(selection, *new_selection);
  if (history_too) {
    write(history, base::PieceMaker([this](std::size_t number, std::string& out) { return history_piece(number, out); }));
    end_history();
  }
  if (new_failures) write(failures, *new_failures);
  if (new_settings) write(settings, *new_settings);
  const std::scoped_lock guard(mutex);
  last_error = std::move(error);
}

bool Keeper::save_now() {
  if (folder_.empty()) return true;
  const std::scoped_lock saving(saving_);
  const auto until = std::chrono::steady_clock::now() + kStopPatience;
  hangs_ = !storage_.is_idle() && (hangs_ || clock_.steady() - begun_ >= kNoAnswerAfter);
  const auto wait = [this, until] {
    if (hangs_) return storage_.wait(kHangPatience);
    if (storage_.wait(kTickPatience)) return true;
    base::log_info("storage is slow; a stop waits for it", {{"path", folder_}});
    return storage_.wait(until - std::chrono::steady_clock::now());
  };
  std::string error(kNoAnswer);
  if (wait()) {
    hangs_ = false;
    start_saving({true, has_history_, true, true});
    if (wait()) {
      const std::scoped_lock lock(files_->mutex);
      error = files_->last_error;
    }
  }
  if (!error.empty()) base::log_error("what was learnt is not saved", {{"path", folder_}, {"error", error}});
  return error.empty();
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
