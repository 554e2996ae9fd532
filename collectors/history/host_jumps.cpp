#include "collectors/history/host_jumps.h"

#include <algorithm>
#include <cstdlib>

namespace kmem::history {
namespace {

constexpr std::size_t kFewestTags = 8, kFewestOfOtherName = 4, kFewestCalm = 3, kMostTags = 4096;
constexpr std::uint64_t kFewestBytesThatJump = 4096, kPartThatJumps = 4;  // a quarter
constexpr std::int64_t kMostSteps = 4;
constexpr base::UnixMillis kSameBootMs = 5 * base::kMinuteMillis;

}  // namespace

bool HostJumps::note(const Snapshot& look, bool is_of_other_name) {
  now_.clear();
  for (const TagUsage& tag : look.tags)
    if (now_.size() < kMostTags) now_.push_back({tag.key, tag.bytes, tag.allocations, tag.counter_bits != 0});
  if (now_.empty()) return false;
  std::sort(now_.begin(), now_.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  std::size_t both = 0, up = 0, down = 0, counted = 0, fallen = 0;
  for (auto a = rows_.begin(), b = now_.begin(); a != rows_.end() && b != now_.end();) {
    if (a->key != b->key) {
      a->key < b->key ? ++a : ++b;
      continue;
    }
    const std::uint64_t most = std::max(a->bytes, b->bytes), least = std::min(a->bytes, b->bytes);
    if (most >= kFewestBytesThatJump) {
      ++both;
      if (most - least > most / kPartThatJumps) ++(b->bytes > a->bytes ? up : down);
      counted += a->is_counted && b->is_counted ? 1 : 0;
      fallen += a->is_counted && b->is_counted && b->allocations < a->allocations ? 1 : 0;
    }
    ++a, ++b;
  }
  const bool was_restarted = boot_ && look.boot_time && std::abs(*look.boot_time - *boot_) > kSameBootMs;
  // Behind a boot all counters begin anew; behind a long silence much may have changed.
  const bool is_boot = counted > 0 && fallen * 10 >= counted * 9;
  const base::UnixMillis step = look.time - last_time_;
  const bool is_silence = step > std::max(kMostSteps * step_, base::kHourMillis);
  const bool is_mixed = is_of_other_name || (up * 10 > both && down * 10 > both);
  const bool jumps =
      both >= (is_of_other_name ? kFewestOfOtherName : kFewestTags) && (up + down) * 10 > both * 6 && is_mixed && !is_boot;
  const bool is_others = jumps && !was_restarted && (!is_silence || is_of_other_name) && calm_ >= kFewestCalm && !is_restless_;
  // Of a host whose tags jump all the time it tells nothing.
  is_restless_ |= jumps && calm_ < kFewestCalm;
  calm_ = jumps ? 0 : calm_ + 1;
  if (look.boot_time) boot_ = look.boot_time;
  step_ = step;
  last_time_ = look.time;
  rows_.swap(now_);
  return is_others;
}

}  // namespace kmem::history
