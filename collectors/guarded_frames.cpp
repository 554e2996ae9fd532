#include "collectors/guarded_frames.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "collectors/base/bell.h"
#include "collectors/base/left_thread.h"

namespace kmem {
namespace {

using Time = std::chrono::nanoseconds;
using std::chrono::steady_clock;

// Older figures of a part that does not answer are not shown: Prometheus forgets a sample after as long.
constexpr std::chrono::minutes kOldest{5};
// A reading that nobody has waited for is given to the next caller while it is as young as this.
constexpr std::chrono::seconds kFresh{1};
// Once a part was late in a reading, the next ones of the same reading get less time: several may hang.
constexpr std::chrono::milliseconds kNextPart{100};
// A source that answers late so often on end is not waited for: its answers are shown one reading later.
constexpr int kTimesLate = 2;

struct Shared {
  std::mutex mutex;
  base::Bell changed;  // for the caller: a lane has finished, or nothing is waited for any more
  bool stop_waiting = false;
};

/// A thread and the source that it reads. While `running`, source and frame are the thread's, all else is the mutex's.
struct Lane final : PartGate {
  explicit Lane(std::shared_ptr<Shared> with) : shared(std::move(with)) {}

  bool enter(std::string_view collector, std::string_view name) override {
    const std::scoped_lock lock(shared->mutex);
    in = part = {};
    if (ended) return false;
    if (only.empty() ? std::find(without.begin(), without.end(), collector) != without.end() : collector != only) return false;
    in = collector;
    part = name;
    return true;
  }
  [[nodiscard]] bool is_idle() const { return !asked && !running; }
  [[nodiscard]] bool owns(const RawPart& each) const { return each.collector == only; }

  const std::shared_ptr<Shared> shared;
  base::Bell told;  // for the lane's thread: it is asked or ended
  std::unique_ptr<FrameSource> source;
  std::thread thread;
  RawFrame frame;
  base::Result<void> outcome;
  std::string_view only;       // empty: all but `without`
  std::string_view only_part;  // what tells how `only` went
  std::vector<std::string_view> without;
  std::string_view in, part;  // what is being read
  bool asked = false, running = false, finished = false, ended = false;
  steady_clock::time_point began, done;
  // Of a lane apart: an answer that came late and waits to be given, and how many came late on end.
  std::vector<RawPart> late;
  int times_late = 0;
  steady_clock::time_point good;  // when its parts were given last
  std::optional<base::LeftThread> counted;
};

base::Result<void> read(Lane& lane) {
  try {
    return lane.source->acquire(lane.frame);
  } catch (const std::exception& error) {
    return base::Error{base::ErrorCode::kIo, std::string("a reading failed: ") + error.what()};
  }
}

void run(const std::shared_ptr<Lane>& lane) {
  Shared& shared = *lane->shared;
  std::unique_lock lock(shared.mutex);
  while (true) {
    while (!lane->asked && !lane->ended) {
      lock.unlock();
      lane->told.wait();
      lock.lock();
    }
    if (lane->ended) return;
    lane->asked = false;
    lane->running = true;
    lock.unlock();
    auto outcome = read(*lane);
    lock.lock();
    lane->outcome = std::move(outcome);
    lane->running = false;
    lane->finished = true;
    lane->in = {};
    lane->done = steady_clock::now();
    lock.unlock();
    shared.changed.ring();
    lock.lock();
  }
}

class GuardedFrames final : public FrameSource {
 public:
  GuardedFrames(MakeFrames make, System system) : make_(std::move(make)), system_(system) {}
  ~GuardedFrames() override {
    end(main_);
    for (auto& lane : apart_) end(lane);
  }

  base::Result<void> acquire(RawFrame& frame) override { return acquire_within(frame, {}); }
  base::Result<void> acquire_within(RawFrame& frame, const Patience& patience) override;
  void resume_events(const EventCursor& cursor) override { cursor_ = cursor; }
  void want_object_handles(bool wanted) override {
    wants_handles_ = wanted;
    if (main_) main_->source->want_object_handles(wanted);
    for (const LanePtr& lane : apart_) lane->source->want_object_handles(wanted);
  }
  [[nodiscard]] bool is_live() const override { return true; }
  void stop_waiting() override {
    {
      const std::scoped_lock lock(shared_->mutex);
      shared_->stop_waiting = true;
    }
    shared_->changed.ring();
  }

 private:
  using Lock = std::unique_lock<std::mutex>;
  using LanePtr = std::shared_ptr<Lane>;

  base::Result<void> start_main(Lock& lock);
  void ask_all(const Patience& patience);
  void ask(Lane& lane);
  /// Unlocked meanwhile: who wakes would run into the lock and sleep again, which costs a scrape two switches.
  void tell_lanes(Lock& lock) {
    lock.unlock();
    main_->told.ring();
    for (const LanePtr& lane : apart_) lane->told.ring();
    lock.lock();
  }
  void end(LanePtr& lane);
  void keep_apart();
  [[nodiscard]] bool all_done() const;
  [[nodiscard]] bool is_apart(const RawPart& part) const {
    return std::any_of(apart_.begin(), apart_.end(), [&part](const LanePtr& lane) { return lane->owns(part); });
  }
  void give_all(RawFrame& frame);
  void give_old(RawFrame& frame);
  void give_apart(RawFrame& frame, const Patience& patience);
  void mark_silent(RawPart& part, steady_clock::time_point good) const;

  const MakeFrames make_;
  const System system_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  LanePtr main_;
  std::vector<LanePtr> apart_;
  std::optional<EventCursor> cursor_;
  bool wants_handles_ = false;
  std::optional<steady_clock::time_point> good_;  // when main_ gave a frame last
};

/// A source and a thread for all that is not apart.
base::Result<void> GuardedFrames::start_main(Lock& lock) {
  auto lane = std::make_shared<Lane>(shared_);
  for (const LanePtr& each : apart_) lane->without.push_back(each->only);
  lock.unlock();
  lane->source = make_();
  if (cursor_) lane->source->resume_events(*cursor_);
  lane->source->want_object_handles(wants_handles_);
  lane->source->set_gate(lane.get());
  lock.lock();
  try {
    lane->thread = std::thread([lane] { run(lane); });
  } catch (const std::exception& error) {
    return base::Error{base::ErrorCode::kIo, std::string("no thread to read the kernel with: ") + error.what()};
  }
  main_ = std::move(lane);
  return {};
}

void GuardedFrames::ask(Lane& lane) {
  lane.finished = false;
  lane.asked = true;
  lane.began = steady_clock::now();
}

/// Whoever is idle is asked, unless it has just answered and nobody has taken that.
void GuardedFrames::ask_all(const Patience& patience) {
  const auto now = steady_clock::now();
  if (main_->is_idle() && !(main_->finished && now - main_->began < kFresh)) ask(*main_);
  for (const LanePtr& lane : apart_) {
    if (!lane->is_idle() || (lane->finished && now - lane->began < kFresh)) continue;
    if (lane->finished) {
      const bool was_late = lane->done - lane->began > patience.part;
      lane->times_late = was_late ? lane->times_late + 1 : 0;
      if (was_late) {
        lane->late.clear();
        for (RawPart& part : lane->frame.parts) {
          if (!lane->owns(part)) continue;
          lane->late.push_back(std::move(part));
          lane->late.back().time = lane->frame.time;
        }
        lane->frame.parts.clear();
      }
    }
    ask(*lane);
  }
}

bool GuardedFrames::all_done() const {
  return main_->finished && std::all_of(apart_.begin(), apart_.end(),
                                        [](const LanePtr& lane) { return lane->finished || lane->times_late >= kTimesLate; });
}

/// A thread that is idle ends at once; one that hangs is left behind.
void GuardedFrames::end(LanePtr& lane) {
  if (!lane || !lane->thread.joinable()) return;
  bool hangs = false;
  {
    const std::scoped_lock lock(shared_->mutex);
    lane->ended = true;
    hangs = !lane->is_idle();
    if (hangs) lane->counted.emplace();
  }
  lane->told.ring();
  hangs ? lane->thread.detach() : lane->thread.join();
}

void GuardedFrames::keep_apart() {
  main_->only = main_->in;
  main_->only_part = main_->part;
  main_->times_late = kTimesLate;
  main_->good = good_.value_or(steady_clock::time_point());
  apart_.push_back(std::move(main_));
}

base::Result<void> GuardedFrames::acquire_within(RawFrame& frame, const Patience& patience) {
  Lock lock(shared_->mutex);
  const auto until = steady_clock::now() + patience.whole;
  auto part_time = patience.part;
  if (!main_)
    if (auto started = start_main(lock); !started) return started;
  ask_all(patience);
  tell_lanes(lock);
  while (!all_done() && !shared_->stop_waiting) {
    const auto now = steady_clock::now();
    const auto late = main_->finished ? until : main_->began + part_time;
    if (now >= until || (now >= late && !patience.come_back)) {
      if (patience.come_back) return base::Error{base::ErrorCode::kBusy, "the kernel has not answered yet"};
      // In no collector: it is the way to all of them that hangs.
      if (main_->finished || now < late || main_->in.empty()) break;
      keep_apart();
      if (auto started = start_main(lock); !started) return started;
      ask(*main_);
      tell_lanes(lock);
      part_time = std::min<Time>(part_time, kNextPart);
      if (now >= until) break;
      continue;
    }
    lock.unlock();
    (void)shared_->changed.wait_until(patience.come_back ? until : std::min(until, late));
    lock.lock();
  }
  if (main_->finished) {
    main_->finished = false;
    if (!main_->outcome) return main_->outcome;
    give_all(frame);
  } else if (frame.parts.empty()) {
    return base::Error{base::ErrorCode::kBusy, "the kernel does not answer"};
  } else {
    give_old(frame);
  }
  give_apart(frame, patience);
  return {};
}

void GuardedFrames::give_all(RawFrame& frame) {
  // What is apart stays from frame to frame, until something newer has come.
  std::vector<RawPart> kept;
  if (!apart_.empty()) {
    for (RawPart& part : frame.parts) {
      if (!is_apart(part)) continue;
      if (part.time == 0) part.time = frame.time;
      kept.push_back(std::move(part));
    }
    std::erase_if(frame.parts, [this](const RawPart& part) { return is_apart(part); });
    std::erase_if(main_->frame.parts, [this](const RawPart& part) { return is_apart(part); });
  }
  std::swap(frame, main_->frame);
  frame.repeated = false;
  for (RawPart& part : kept) frame.parts.push_back(std::move(part));
  good_ = steady_clock::now();
}

/// The last frame again; what holds up the new one is named.
void GuardedFrames::give_old(RawFrame& frame) {
  frame.repeated = true;
  const std::string_view in = main_->in;
  for (RawPart& part : frame.parts) {
    if (is_apart(part) || !(in.empty() || part.collector == in)) continue;
    if (part.time == 0) part.time = frame.time;
    mark_silent(part, good_.value_or(steady_clock::time_point()));
  }
}

void GuardedFrames::give_apart(RawFrame& frame, const Patience& patience) {
  const auto now = steady_clock::now();
  for (const LanePtr& lane : apart_) {
    const auto replace = [&](std::vector<RawPart>& parts, base::UnixMillis time) {
      std::erase_if(frame.parts, [&lane](const RawPart& part) { return lane->owns(part); });
      for (RawPart& part : parts) {
        if (!lane->owns(part)) continue;
        part.time = time;
        frame.parts.push_back(std::move(part));
      }
      parts.clear();
      lane->late.clear();
      lane->good = now;
    };
    if (lane->finished && lane->outcome) {
      if (lane->done - lane->began <= patience.part) lane->times_late = 0;
      const base::UnixMillis time = lane->frame.time;
      replace(lane->frame.parts, time);
      // Late ones stay finished until they are asked for again, so that they are counted as late.
      if (lane->times_late == 0) lane->finished = false;
    } else if (!lane->late.empty()) {
      std::vector<RawPart> parts = std::move(lane->late);
      const base::UnixMillis time = parts.front().time;
      replace(parts, time);
    } else if (!lane->is_idle()) {
      const bool is_late = now - lane->began >= patience.part;
      bool known = false;
      for (RawPart& part : frame.parts) {
        if (!lane->owns(part)) continue;
        if (is_late) mark_silent(part, lane->good);
        known = true;
      }
      if (known) continue;
      RawPart& part = frame.parts.emplace_back();
      part.name = lane->only_part;
      part.collector = lane->only;
      part.status = no_answer(system_);
    }
  }
}

void GuardedFrames::mark_silent(RawPart& part, steady_clock::time_point good) const {
  // One that failed before has no figures.
  if (part.status != 0 && part.status != no_answer(system_)) part.bytes.clear();
  part.status = no_answer(system_);
  if (steady_clock::now() - good > kOldest) part.bytes.clear();
}

}  // namespace

std::unique_ptr<FrameSource> make_guarded_frames(MakeFrames make, System system) {
  return std::make_unique<GuardedFrames>(std::move(make), system);
}

}  // namespace kmem
