#include "exporter/http/check_queue.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <list>
#include <mutex>
#include <utility>

#include "collectors/base/left_thread.h"
#include "collectors/base/log.h"

namespace kmem::http {
namespace {

// A check that takes longer than this at the end is left behind: at the highest cost it takes minutes.
constexpr std::chrono::milliseconds kQueueEndPatience{50};

}  // namespace

struct CheckQueue::Shared {
  struct Group {
    std::string name;
    std::deque<Task> waiting;  // newest last
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::list<Group> groups;  // the next one's turn first; none is empty
  std::size_t waiting = 0, threads = 0;
  bool stopping = false;
};

CheckQueue::CheckQueue(std::size_t threads) : shared_(std::make_shared<Shared>()) {
  shared_->threads = threads;
  for (std::size_t i = 0; i < threads; ++i)
    threads_.emplace_back([shared = shared_] {
      work(*shared);
      const std::lock_guard lock(shared->mutex);
      --shared->threads;
      shared->changed.notify_all();
    });
}

CheckQueue::~CheckQueue() {
  bool ended = false;
  {
    std::unique_lock lock(shared_->mutex);
    shared_->stopping = true;
    shared_->groups.clear();
    shared_->changed.notify_all();
    ended = shared_->changed.wait_for(lock, kQueueEndPatience, [this] { return shared_->threads == 0; });
  }
  for (auto& thread : threads_) ended ? thread.join() : thread.detach();
  if (!ended) base::LeftThread::leave();
}

void CheckQueue::submit(const std::string& group, Task task) {
  Task refused;
  {
    const std::lock_guard lock(shared_->mutex);
    auto& groups = shared_->groups;
    auto own = std::find_if(groups.begin(), groups.end(), [&group](const auto& each) { return each.name == group; });
    const std::size_t mine = own == groups.end() ? 0 : own->waiting.size();
    bool has_room = !shared_->stopping;
    if (has_room && (mine >= kMostOfOne || shared_->waiting >= kMost)) {
      const auto most =
          mine >= kMostOfOne ? own : std::max_element(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
            return a.waiting.size() < b.waiting.size();
          });
      has_room = most == own || most->waiting.size() > mine + 1;
      if (has_room) {
        refused = std::move(most->waiting.front());
        most->waiting.pop_front();
        --shared_->waiting;
      }
    }
    if (has_room) {
      if (own == groups.end()) own = groups.insert(groups.end(), {group, {}});
      own->waiting.push_back(std::move(task));
      ++shared_->waiting;
    } else {
      refused = std::move(task);
    }
  }
  shared_->changed.notify_one();
  if (refused) refused(false);
}

void CheckQueue::work(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  while (true) {
    shared.changed.wait(lock, [&shared] { return shared.stopping || !shared.groups.empty(); });
    if (shared.stopping) return;
    auto& groups = shared.groups;
    const auto turn = groups.begin();
    Task task = std::move(turn->waiting.front());
    turn->waiting.pop_front();
    --shared.waiting;
    if (turn->waiting.empty()) groups.erase(turn);
    else groups.splice(groups.end(), groups, turn);
    lock.unlock();
    try {
      task(true);
    } catch (const std::exception& error) { base::log_error("a password could not be checked", {{"error", error.what()}}); }
    task = nullptr;
    lock.lock();
  }
}

}  // namespace kmem::http
