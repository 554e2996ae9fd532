// Stage 6: passwords that wait to be checked, at up to seconds each: served by turns of those who ask (address_group), so
// that guessers of one address wait for each other, and of one address the oldest first: guessers who ask again when they
// are answered come after a scraper that came to their address meanwhile, which waits for as many checks as they are.
// What waits is bounded, over all and for one of them, at what connections may wait: who is refused asks again at once, and
// pushes out others. Who asks beyond his bound loses his oldest, and when all is taken, the one who asks most loses it.
// Threads: a few of its own; submit from any. Failure: a task that is not taken on is called with false, right away. One
// that runs at the end is left behind.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace kmem::http {

class CheckQueue {
 public:
  static constexpr std::size_t kMostOfOne = 64, kMost = 256;
  /// `run`: check; else there is no room.
  using Task = std::function<void(bool run)>;

  explicit CheckQueue(std::size_t threads);
  ~CheckQueue();
  CheckQueue(const CheckQueue&) = delete;
  CheckQueue& operator=(const CheckQueue&) = delete;

  void submit(const std::string& group, Task task);

 private:
  struct Shared;
  static void work(Shared& shared);

  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

}  // namespace kmem::http
