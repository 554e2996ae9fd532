// What the agent knows over restarts: the state files of storage.path, taken up at the start, written when they are due.
// The folder's file "lock" is held meanwhile: the history of two programs in one folder would be the history of neither.
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
  /// More than a disk takes that has to spin up, or that others keep busy.
  static constexpr std::chrono::seconds kNoAnswerAfter{10};
  /// Within what service managers and containers leave a program that is told to stop, which are 10 s.
  static constexpr std::chrono::seconds kStopPatience{8};

  /// `folder` empty: nothing is kept. `monitor`, `clock` and `files` outlive this.
  Keeper(Monitor& monitor, const base::Clock& clock, base::FileSystem& files, std::string folder);
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// Takes up what an earlier run kept in the folder, which is made if needed. Storage that does not answer is not waited
  /// for; what it gives later is taken up then. False: another program keeps its own there, which is left alone.
  bool load();
  /// After a tick: a changed membership is written at once, so that a killed process finds it again; the history is
  /// larger, and at the first tick it tells a disk that refuses. Who removes the folder finds it made again, and held. A
  /// save that takes long is waited for by nobody, and is no failure before kNoAnswerAfter.
  void save_what_is_due(const Monitor::News& news);
  /// Writes all of it, and waits for a save that is at work and for its own, kStopPatience for both; storage that has not
  /// answered for long is not waited for. False, and logged: it is not all in its files.
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
    bool selection = false, history = false, failures = false, settings = false;
    [[nodiscard]] bool any() const { return selection || history || failures || settings; }
  };
  void start_saving(Due due);
  /// What is said of a save that is at work still, where `due` would be saved, too.
  void note_wait(const Due& due);

  Monitor& monitor_;
  const base::Clock& clock_;
  const std::string folder_;
  const bool has_history_;
  const std::shared_ptr<Files> files_;
  std::mutex saving_;
  base::SideTask storage_;
  Due at_work_;                       // what storage_ writes, or wrote last, ...
  std::chrono::nanoseconds begun_{};  // ... and since when
  bool hangs_ = false;                // and that this has been told
  bool unsaved_change_ = false;
  std::chrono::nanoseconds last_save_{}, last_history_save_{};
};

}  // namespace kmem
