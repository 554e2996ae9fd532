// Eight weeks of history for tests of the shipped program: the state that `serve` would have kept had it watched a
// kernel that came, 4 hours a step, to what SOURCE says now. One reboot two weeks in, when what leaks began anew.
//   aged_state SOURCE STATE_FOLDER POOL/TAG...     SOURCE: any recording, of which the first reading counts
// The named tags leak; the pools' totals follow them. "+POOL/TAG" makes one step instead, three weeks ago.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "collectors/base/file_io.h"
#include "collectors/make_source.h"
#include "exporter/agent/agent.h"
#include "tests/support/manual_clock.h"

namespace kmem::test {
namespace {

constexpr base::UnixMillis kDayMs = 86'400'000, kStepMs = kDayMs / 6;
constexpr int kStepCount = 56 * 6, kBootStep = 14 * 6, kJumpStep = 35 * 6;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

/// The reading of FILE as it was `step` steps after the beginning.
class Aging final : public KernelSource {
 public:
  Aging(Snapshot now, const std::vector<std::string>& wanted) : now_(std::move(now)) {
    for (const TagUsage& tag : now_.tags) {
      Course course = Course::kCalm;
      for (const std::string& name : wanted) {
        const std::string full = std::string(pool_name(tag.pool)) + "/" + tag.tag;
        if (name == full) course = Course::kLeaks;
        if (name == "+" + full) course = Course::kSteps;
      }
      courses_.push_back(course);
    }
  }
  base::Result<void> read(Snapshot& out) override {
    out = now_;
    out.time = now_.time - (kStepCount - step_) * kStepMs;
    const base::UnixMillis booted = now_.boot_time.value_or(now_.time - 42 * kDayMs);
    out.boot_time = step_ < kBootStep ? booted - 30 * kDayMs : booted;
    std::int64_t gained[kPoolCount] = {};
    for (std::size_t i = 0; i < out.tags.size(); ++i) {
      TagUsage& tag = out.tags[i];
      const double share = level(i);
      const auto bytes = static_cast<std::uint64_t>(static_cast<double>(tag.bytes) * share);
      gained[static_cast<std::size_t>(tag.pool)] += static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(tag.bytes);
      tag.bytes = bytes;
      tag.outstanding = static_cast<std::uint64_t>(static_cast<double>(tag.outstanding) * share);
    }
    for (PoolTotals& pool : out.pools) {
      if (!pool.bytes) continue;
      const std::int64_t bytes = static_cast<std::int64_t>(*pool.bytes) + gained[static_cast<std::size_t>(pool.pool)];
      pool.bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(bytes, 0));
    }
    return {};
  }
  bool advance() override { return ++step_ < kStepCount; }

 private:
  enum class Course { kCalm, kLeaks, kSteps };
  [[nodiscard]] double level(std::size_t tag) const {
    noise_ ^= noise_ << 13, noise_ ^= noise_ >> 7, noise_ ^= noise_ << 17;
    const double noise = 0.01 * static_cast<double>(noise_ >> 11) * 0x1.0p-53;
    const double hour = std::sin(step_ * 2 * 3.14159265 / 6 + static_cast<double>(tag));
    const double calm = 1 - noise - 0.01 * (1 + hour);
    if (courses_[tag] == Course::kSteps) return step_ < kJumpStep ? 0.6 * calm : calm;
    if (courses_[tag] == Course::kCalm) return calm;
    const double run =
        step_ < kBootStep ? 0.25 + 0.22 * step_ / kBootStep : 0.2 + 0.8 * (step_ - kBootStep) / (kStepCount - kBootStep);
    return run * calm;
  }

  Snapshot now_;
  std::vector<Course> courses_;
  int step_ = 0;
  mutable std::uint64_t noise_ = 88172645463325252ULL;
};

void age(const std::string& file, const std::string& folder, const std::vector<std::string>& wanted) {
  config::Config config;
  config.source.kind = "replay:" + file;
  config.storage.path = folder;
  config.storage.save_interval = std::chrono::hours(24 * 365);
  ManualClock clock;
  auto source = make_kernel_source(config.source, clock);
  if (!source) fail(source.error().message);
  Snapshot now;
  if (const auto read = (*source)->read(now); !read) fail(read.error().message);
  Agent agent(config, std::make_unique<Aging>(now, wanted), clock, base::os_file_system(), config.source.kind);
  agent.load_state();
  for (int step = 0; step < kStepCount; ++step) agent.tick();
  agent.save_state();
}

}  // namespace
}  // namespace kmem::test

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 2) return 2;
  kmem::test::age(words[0], words[1], {words.begin() + 2, words.end()});
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
