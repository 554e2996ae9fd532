#include "collectors/base/side_task.h"

#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "collectors/base/left_thread.h"
#include "collectors/base/log.h"

namespace kmem::base {

struct SideTask::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void()> task;
  bool working = false, ended = false;
  std::thread thread;
  std::optional<LeftThread> left;
};

SideTask::SideTask() : shared_(std::make_shared<Shared>()) {}

SideTask::~SideTask() {
  bool hangs = false;
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->ended = true;
    hangs = shared_->working;
    if (hangs) shared_->left.emplace();
  }
  shared_->changed.notify_all();
  if (!shared_->thread.joinable()) return;
  hangs ? shared_->thread.detach() : shared_->thread.join();
}

bool SideTask::start(std::function<void()> task) {
  const std::scoped_lock lock(shared_->mutex);
  if (shared_->working) return false;
  try {
    if (!shared_->thread.joinable()) {
      shared_->thread = std::thread([shared = shared_] {
        std::unique_lock own(shared->mutex);
        while (true) {
          shared->changed.wait(own, [&shared] { return shared->working || shared->ended; });
          if (!shared->working) return;
          {
            const auto now = std::exchange(shared->task, nullptr);
            own.unlock();
            try {
              now();
            } catch (const std::exception& error) { log_error("a task failed", {{"error", error.what()}}); }
          }
          own.lock();
          shared->working = false;
          shared->changed.notify_all();
        }
      });
    }
  } catch (const std::exception& error) {
    log_error("no thread for a task", {{"error", error.what()}});
    return false;
  }
  shared_->task = std::move(task);
  shared_->working = true;
  shared_->changed.notify_all();
  return true;
}

bool SideTask::wait(std::chrono::nanoseconds most) {
  std::unique_lock lock(shared_->mutex);
  return shared_->changed.wait_for(lock, most, [this] { return !shared_->working; });
}

}  // namespace kmem::base
