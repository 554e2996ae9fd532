// A DriverWatch on files that may hang: nobody waits for it longer than a moment, at the start and at the end.
// Thread: one. Failure: what hangs is left behind (base::LeftThread), and what it would have told is not known.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "collectors/base/left_thread.h"
#include "collectors/base/log.h"
#include "collectors/base/side_task.h"
#include "collectors/drivers/driver_watch.h"

namespace kmem::drivers {

class GuardedWatch {
 public:
  explicit GuardedWatch(std::unique_ptr<DriverWatch> watch) : watch_(std::move(watch)) {}
  ~GuardedWatch() {
    if (loading_.is_idle() && watch_->stop_within(kPatience)) return;
    // For as long as the program still runs.
    static_cast<void>(watch_.release());
    base::LeftThread::leave();
  }
  GuardedWatch(const GuardedWatch&) = delete;
  GuardedWatch& operator=(const GuardedWatch&) = delete;

  void load() {
    (void)loading_.start([watch = watch_.get()] { watch->load(); });
    if (!loading_.wait(kPatience)) base::log_warn("what tells drivers does not answer; they are named when it does");
  }
  /// The thread; when loading hangs, at a later call.
  void start() {
    if (is_started_ || !loading_.is_idle()) return;
    is_started_ = true;
    watch_->start();
  }

 private:
  static constexpr std::chrono::milliseconds kPatience{500};
  std::unique_ptr<DriverWatch> watch_;
  bool is_started_ = false;
  base::SideTask loading_;
};

}  // namespace kmem::drivers
