// Work that may never return, such as on storage that hangs: done on a thread of its own, one task at a time, and
// waited for only so long. Thread: its caller's, one at a time. Failure: a task that hangs when this ends is left
// behind (LeftThread); so it owns what it touches.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>

namespace kmem::base {

class SideTask {
 public:
  SideTask();
  ~SideTask();
  SideTask(const SideTask&) = delete;
  SideTask& operator=(const SideTask&) = delete;

  /// False: the task before is still at work, or there is no thread to be had.
  bool start(std::function<void()> task);
  /// Whether nothing is at work, at the latest after `most`.
  bool wait(std::chrono::nanoseconds most);
  [[nodiscard]] bool is_idle() { return wait(std::chrono::nanoseconds(0)); }

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace kmem::base
