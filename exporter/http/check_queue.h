// Stage 6: passwords that wait to be checked, at up to seconds each. Addresses (address_group) take turns, so guessers
// wait for each other and not the scraper elsewhere. Of one address the oldest is first: a guesser who asks again comes
// after a scraper of the same address, which so waits for no more checks than there are guessers.
// What waits is bounded, in all and for each address, by the connections that may wait. Who asks beyond his bound loses
// his oldest one; when all places are taken, the address that has most of them loses one.
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
