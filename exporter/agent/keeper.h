// What the agent knows over restarts: the state files of storage.path, taken up at the start, written when they are due.
// Thread: any. The files are read and written on a thread of their own, which storage that hangs may keep for longer than
// this lives. Locks, outermost first: saving_ (one at a time hands something over), Files::mutex, the monitor's. Only the
// first is held while a file is waited for.
// Failure: logged when it changes and counted; state that cannot be kept or understood stops nothing.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "collectors/base/clock.h"
#include "collectors/base/file_io.h"
#include "collectors/base/side_task.h"
#include "exporter/agent/monitor.h"
#include "exporter/metrics/trend_view.h"

namespace kmem {

class Keeper {
 public:
  /// `folder` empty: nothing is kept. `monitor`, `clock` and `files` outlive this.
  Keeper(Monitor& monitor, const base::Clock& clock, base::FileSystem& files, std::string folder);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// Takes up what an earlier run kept in the folder, which is made if needed. Storage that does not answer is not waited
  /// for; what it gives later is taken up then.
  void load();
  /// After a tick: a changed membership is written at once, so that a killed process finds it again; the history is
  /// larger, and at the first tick it tells a disk that refuses.
  void save_what_is_due(const Monitor::News& news);
  /// Writes all of it. False: storage does not answer.
  bool save_now();

  /// When the history was written last.
  [[nodiscard]] std::optional<base::UnixMillis> last_history_save() const;
  /// The same and what went wrong, for the metrics.
  void describe(metrics::TrendView& view) const;

 private:
  /// What is done with storage; the thread that does it has a share.
  struct Files;
  /// Which files.
  struct Due {
    bool selection = false, history = false, failures = false;
    [[nodiscard]] bool any() const { return selection || history || failures; }
  };
  void start_saving(Due due);
  void note_hang(const Due& due);

  Monitor& monitor_;
  const base::Clock& clock_;
  const std::string folder_;
  const bool has_history_;
  const std::shared_ptr<Files> files_;
  std::mutex saving_;
  base::SideTask storage_;
  bool hangs_ = false, unsaved_change_ = false;
  std::chrono::nanoseconds last_save_{}, last_history_save_{};
};

}  // namespace kmem
