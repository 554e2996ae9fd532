// Stage 6: a few threads that work off two queues in order: quick tasks first, and one thread is left to them alone.
// Thread: submit from any. The caller bounds what it submits. Failure: what a task throws is dropped; what still waits
// at the end is dropped, too; what runs then is waited for as long as the caller says, and left behind after that.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace kmem::http {

class WorkerPool {
 public:
  using Task = std::function<void(std::size_t worker)>;

  /// At most `slow_threads` of them work on slow tasks.
  WorkerPool(std::size_t threads, std::size_t slow_threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void submit(Task task, bool quick);
  /// Takes nothing on any more. False: a task still runs; its thread is left behind, with what the task refers to.
  bool finish_within(std::chrono::nanoseconds most);

 private:
  struct Shared;
  static void work(Shared& shared, std::size_t worker);

  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

}  // namespace kmem::http
