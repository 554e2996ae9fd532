#include "exporter/http/worker_pool.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

#include "collectors/base/left_thread.h"
#include "collectors/base/log.h"

namespace kmem::http {

struct WorkerPool::Shared {
  std::size_t slow_threads = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Task> quick, slow;
  std::size_t slow_running = 0, threads = 0;
  bool stopping = false;
};

WorkerPool::WorkerPool(std::size_t threads, std::size_t slow_threads) : shared_(std::make_shared<Shared>()) {
  shared_->slow_threads = slow_threads;
  shared_->threads = threads;
  for (std::size_t i = 0; i < threads; ++i)
    threads_.emplace_back([shared = shared_, i] {
      work(*shared, i);
      const std::lock_guard lock(shared->mutex);
      --shared->threads;
      shared->changed.notify_all();
    });
}

WorkerPool::~WorkerPool() { (void)finish_within(std::chrono::hours(1)); }

bool WorkerPool::finish_within(std::chrono::nanoseconds most) {
  bool ended = false;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->stopping = true;
    shared_->quick.clear();
    shared_->slow.clear();
    shared_->changed.notify_all();
    ended = shared_->changed.wait_for(lock, most, [this] { return shared_->threads == 0; });
  }
  for (auto& thread : threads_) ended ? thread.join() : thread.detach();
  // For as long as the program still runs: which of them hang, nobody asks.
  if (!ended) base::LeftThread::leave();
  threads_.clear();
  return ended;
}

void WorkerPool::submit(Task task, bool quick) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->stopping) return;
    (quick ? shared_->quick : shared_->slow).push_back(std::move(task));
  }
  shared_->changed.notify_one();
}

void WorkerPool::work(Shared& shared, std::size_t worker) {
  std::unique_lock lock(shared.mutex);
  while (true) {
    const auto may_slow = [&shared] { return !shared.slow.empty() && shared.slow_running < shared.slow_threads; };
    shared.changed.wait(lock, [&] { return shared.stopping || !shared.quick.empty() || may_slow(); });
    if (shared.stopping) return;
    const bool slow = shared.quick.empty();
    auto& queue = slow ? shared.slow : shared.quick;
    Task task = std::move(queue.front());
    queue.pop_front();
    shared.slow_running += slow ? 1U : 0U;
    lock.unlock();
    try {
      task(worker);
    } catch (const std::exception& error) { base::log_error("a task of the server failed", {{"error", error.what()}}); }
    task = nullptr;
    lock.lock();
    shared.slow_running -= slow ? 1U : 0U;
  }
}

}  // namespace kmem::http
