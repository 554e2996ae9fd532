#include "exporter/trend/timeline.h"

#include <algorithm>
#include <cstdlib>

namespace kmem::trend {
namespace {

constexpr std::int64_t kSlackMs = 10 * 60'000;            // boot times wobble by this when the clock is disciplined
constexpr std::int64_t kStandStillMs = 2 * kHourMs;       // a clock set back by less waits until it has caught up
constexpr std::int64_t kLongestIntervalMs = 7 * kHourMs;  // between two looks of one run
constexpr std::int64_t kFarthestMs = std::int64_t{1} << 53;

std::int64_t bounded(std::int64_t ms) {
  return std::clamp(ms, -kFarthestMs, kFarthestMs);
}

}  // namespace

void Timeline::begin_boot(std::optional<base::UnixMillis> boot_time) {
  Boot boot;
  boot.start_known = boot_time.has_value();
  boot.start_ms = boot_time ? std::min(*boot_time - offset_ms_, now_ms_) : now_ms_;
  boot.first_bucket = now_ms_ / kCoarseMs - (now_ms_ % kCoarseMs < 0);
  if (boots_.size() == kMaxBoots) boots_.erase(boots_.begin());
  boots_.push_back(boot);
}

Timeline::Moment Timeline::advance(base::UnixMillis wall, std::optional<base::UnixMillis> boot_time) {
  wall = bounded(wall);
  if (boot_time) boot_time = std::min(bounded(*boot_time), wall);
  if (!started_) {
    started_ = true;
    now_ms_ = last_wall_ = wall;
    last_boot_time_ = boot_time;
    begin_boot(boot_time);
    return {now_ms_, true};
  }
  bool new_boot = false;
  if (boot_time && last_boot_time_ && std::abs(*boot_time - *last_boot_time_) > kSlackMs) {
    const std::int64_t shift = *boot_time - *last_boot_time_;
    const std::int64_t uptime = wall - *boot_time, last_uptime = last_wall_ - *last_boot_time_;
    // The host was up at the last look, so a later boot lies after it; else both times were moved. A clock set forward
    // by more than the uptime could be either: when it is more than any silence, and the uptime goes on as if nothing
    // had happened, it was the clock.
    const bool after_last_look = shift > last_uptime - kSlackMs;
    const bool goes_on =
        wall - last_wall_ > kLongestSilenceMs && uptime >= last_uptime && uptime - last_uptime < kLongestIntervalMs;
    new_boot = after_last_look && !goes_on;
    if (!new_boot) offset_ms_ += shift, ++clock_jumps_total_;
  }
  std::int64_t at = wall - offset_ms_;
  if (at < now_ms_ - kStandStillMs) {
    offset_ms_ = wall - now_ms_;
    ++clock_jumps_total_;
  } else if (at - now_ms_ > kLongestSilenceMs) {
    at = now_ms_ + kLongestSilenceMs;
    offset_ms_ = wall - at;
    new_boot = true;
  }
  now_ms_ = std::max(now_ms_, wall - offset_ms_);
  last_wall_ = wall;
  if (boot_time) last_boot_time_ = boot_time;
  if (new_boot) begin_boot(boot_time);
  return {now_ms_, new_boot};
}

void Timeline::save(base::WireWriter& out) const {
  out.fixed(static_cast<std::uint8_t>(started_));
  for (const std::int64_t value : {now_ms_, offset_ms_, last_wall_, last_boot_time_.value_or(0)}) out.fixed(value);
  out.fixed(static_cast<std::uint8_t>(last_boot_time_.has_value()));
  out.fixed(clock_jumps_total_);
  out.varint(boots_.size());
  for (const Boot& boot : boots_) {
    out.fixed(boot.start_ms);
    out.fixed(boot.first_bucket);
    out.fixed(static_cast<std::uint8_t>(boot.start_known));
  }
}

std::optional<Timeline> Timeline::load(base::WireReader& in) {
  Timeline timeline;
  timeline.started_ = in.fixed<std::uint8_t>() != 0;
  timeline.now_ms_ = in.fixed<std::int64_t>();
  timeline.offset_ms_ = in.fixed<std::int64_t>();
  timeline.last_wall_ = in.fixed<std::int64_t>();
  const auto boot_time = in.fixed<std::int64_t>();
  if (in.fixed<std::uint8_t>() != 0) timeline.last_boot_time_ = boot_time;
  timeline.clock_jumps_total_ = in.fixed<std::uint64_t>();
  const std::size_t boots = in.count(17, kMaxBoots);
  for (const std::int64_t value : {timeline.now_ms_, timeline.offset_ms_, timeline.last_wall_, boot_time}) {
    if (value != std::clamp(value, -2 * kFarthestMs, 2 * kFarthestMs)) in.fail();
  }
  std::int64_t newest_bucket = timeline.now_ms_ / kCoarseMs;
  for (std::size_t i = 0; i < boots; ++i) {
    Boot boot;
    boot.start_ms = in.fixed<std::int64_t>();
    boot.first_bucket = in.fixed<std::int64_t>();
    boot.start_known = in.fixed<std::uint8_t>() != 0;
    const bool in_order = timeline.boots_.empty() || timeline.boots_.back().first_bucket <= boot.first_bucket;
    if (!in_order || boot.first_bucket > newest_bucket || boot.start_ms > timeline.now_ms_ ||
        boot.start_ms < -4 * kFarthestMs) {
      in.fail();
    }
    timeline.boots_.push_back(boot);
  }
  if (timeline.started_ == timeline.boots_.empty()) in.fail();
  if (!in.ok()) return std::nullopt;
  return timeline;
}

}  // namespace kmem::trend
