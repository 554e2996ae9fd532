#include "exporter/trend/timeline.h"

#include <algorithm>
#include <cstdlib>

namespace kmem::trend {
namespace {

constexpr std::int64_t kSlackMs = 10 * base::kMinuteMillis;  // a clock that is set by less is followed
constexpr std::int64_t kStandStillMs = 2 * kHourMs;          // a clock set back by less waits until it has caught up
constexpr std::int64_t kFarthestMs = std::int64_t{1} << 53;

std::int64_t bounded(std::int64_t ms) { return std::clamp(ms, -kFarthestMs, kFarthestMs); }

}  // namespace

void Timeline::begin_boot(std::optional<base::UnixMillis> start) {
  Boot boot;
  boot.start_known = start.has_value();
  boot.start_ms = start ? std::min(*start - offset_ms_, now_ms_) : now_ms_;
  boot.first_bucket = now_ms_ / kCoarseMs - (now_ms_ % kCoarseMs < 0);
  if (boots_.size() == kMaxBoots) boots_.erase(boots_.begin());
  boots_.push_back(boot);
}

Timeline::Moment Timeline::advance(const base::BootReading& reading, std::optional<base::UnixMillis> boot_start) {
  const base::UnixMillis wall = bounded(reading.time);
  std::optional<base::UnixMillis> start = reading.boot_time ? reading.boot_time : boot_start;
  if (start) start = std::min(bounded(*start), wall);
  const base::BootClock::News news = boot_clock_.advance(reading);
  if (!started_) {
    started_ = true;
    now_ms_ = last_wall_ = wall;
    begin_boot(start);
    return {now_ms_, true};
  }
  bool new_boot = news.new_boot;
  if (std::abs(news.clock_step_ms) > kSlackMs) offset_ms_ += news.clock_step_ms, ++clock_jumps_total_;
  std::int64_t at = wall - offset_ms_;
  if (at < now_ms_ - kStandStillMs) {
    offset_ms_ = wall - now_ms_;
    ++clock_jumps_total_;
  } else if (at - now_ms_ > kLongestSilenceMs) {
    at = now_ms_ + kAbsurdSilenceMs;
    offset_ms_ = wall - at;
    new_boot = true;
  }
  now_ms_ = std::max(now_ms_, wall - offset_ms_);
  last_wall_ = wall;
  if (new_boot) begin_boot(start);
  return {now_ms_, new_boot};
}

void Timeline::save(base::WireWriter& out) const {
  out.fixed(static_cast<std::uint8_t>(started_));
  const std::optional<base::BootReading>& timed = boot_clock_.timed();
  const base::UnixMillis boot_time = timed ? *timed->boot_time : 0;
  for (const std::int64_t value : {now_ms_, offset_ms_, last_wall_, boot_time}) out.fixed(value);
  out.fixed(static_cast<std::uint8_t>(timed.has_value()));
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
  if (in.fixed<std::uint8_t>() != 0) timeline.boot_clock_ = base::BootClock({timeline.last_wall_, boot_time, 0});
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
    const bool possible = boot.start_ms >= kEarliestMs && boot.first_bucket >= kEarliestMs / kCoarseMs;
    const bool in_order = timeline.boots_.empty() || timeline.boots_.back().first_bucket <= boot.first_bucket;
    if (!in_order || !possible || boot.first_bucket > newest_bucket || boot.start_ms > timeline.now_ms_) { in.fail(); }
    timeline.boots_.push_back(boot);
  }
  if (timeline.started_ == timeline.boots_.empty()) in.fail();
  if (!in.ok()) return std::nullopt;
  return timeline;
}

}  // namespace kmem::trend
