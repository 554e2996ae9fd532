#include "exporter/trend/recent.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "exporter/trend/history.h"

namespace kmem::trend {
namespace {

constexpr std::int64_t kMinutesOfFive = 5, kFivesOfHalf = 6, kMinutesOfHalf = 30;

std::int64_t floor_of(std::int64_t value, std::int64_t width) { return value / width - (value % width < 0); }

/// NaN is no value. Without a branch, so that a run of subjects goes several at a time.
float lower(float low, float value) { return value < low || std::isnan(low) ? value : low; }

}  // namespace

void Recent::add_subject() {
  if (count_ == room_) {
    const std::size_t room = std::max<std::size_t>(16, room_ * 2);
    std::vector<float> columns(filled_.size() * room, kNothing);
    for (std::size_t at = 0; at < filled_.size(); ++at) std::copy_n(column(at), count_, columns.data() + at * room);
    columns_.swap(columns);
    room_ = room;
  }
  open_.push_back(kNothing);
  high_.push_back(kNothing);
  ++count_;
}

void Recent::clear_subject(std::size_t slot) {
  for (std::size_t at = 0; at < filled_.size(); ++at) column(at)[slot] = kNothing;
  open_[slot] = high_[slot] = kNothing;
}

void Recent::clear() {
  for (std::size_t at = 0; at < filled_.size(); ++at) empty(at);
  for (std::vector<float>* values : {&open_, &high_}) std::fill(values->begin(), values->end(), kNothing);
}

void Recent::empty(std::size_t at) {
  if (filled_[at]) std::fill_n(column(at), count_, kNothing);
  filled_[at] = false;
}

void Recent::lowest_of(std::int64_t from, std::int64_t to, float* low) const {
  std::fill_n(low, count_, kNothing);
  for (; from < to; ++from) {
    const std::size_t at = ring_slot(from, kMinutes);
    const float* values = column(at);
    if (!filled_[at]) continue;
    for (std::size_t slot = 0; slot < count_; ++slot) low[slot] = lower(low[slot], values[slot]);
  }
}

void Recent::keep_five(std::int64_t five) {
  const std::size_t at = kMinutes + ring_slot(five, kFivesKept);
  lowest_of(five * kMinutesOfFive, std::min((five + 1) * kMinutesOfFive, minute_ + 1), column(at));
  filled_[at] = true;
}

void Recent::advance(std::int64_t at_ms) {
  const std::int64_t now = floor_of(at_ms, kMinuteMs);
  if (!started_) minute_ = now, started_ = true;
  if (now <= minute_) return;
  const std::size_t closed = ring_slot(minute_, kMinutes);
  std::copy(open_.begin(), open_.end(), column(closed));
  std::fill(open_.begin(), open_.end(), kNothing);
  filled_[closed] = true;
  const std::int64_t five = floor_of(minute_, kMinutesOfFive), five_now = floor_of(now, kMinutesOfFive);
  const std::int64_t first_in_minutes = five_now - static_cast<std::int64_t>(kFivesInMinutes);
  for (std::int64_t last = five - static_cast<std::int64_t>(kFivesInMinutes); last < first_in_minutes && last <= five; ++last)
    keep_five(last);
  for (std::int64_t gap = std::max(five + 1, five_now - static_cast<std::int64_t>(kFives)); gap < first_in_minutes; ++gap)
    empty(kMinutes + ring_slot(gap, kFivesKept));
  const std::int64_t half = floor_of(five, kFivesOfHalf);
  if (floor_of(five_now, kFivesOfHalf) > half) {
    std::vector<float> low(count_);
    lowest_of(half * kMinutesOfHalf, minute_ + 1, low.data());
    for (std::size_t slot = 0; slot < count_; ++slot)
      if (!(high_[slot] >= low[slot])) high_[slot] = low[slot];
  }
  for (std::int64_t gap = std::max(minute_ + 1, now - static_cast<std::int64_t>(kMinutes)); gap < now; ++gap)
    empty(ring_slot(gap, kMinutes));
  minute_ = now;
}

float Recent::take_high(std::size_t slot) { return std::exchange(high_[slot], kNothing); }

Recent::Lines Recent::lines(std::size_t slot) const {
  Lines lines;
  const std::int64_t first = minute_ - static_cast<std::int64_t>(kMinutes);
  for (std::size_t i = 0; i < kMinutes; ++i)
    lines.minutes[i] = column(ring_slot(first + static_cast<std::int64_t>(i), kMinutes))[slot];
  lines.minutes[kMinutes] = open_[slot];
  const std::int64_t five = floor_of(minute_, kMinutesOfFive);
  for (std::size_t i = 0; i < kFivesKept; ++i)
    lines.fives[i] = column(kMinutes + ring_slot(five - static_cast<std::int64_t>(kFives - i), kFivesKept))[slot];
  std::fill(lines.fives.begin() + kFivesKept, lines.fives.end(), kNothing);
  for (std::int64_t at = (five - static_cast<std::int64_t>(kFivesInMinutes)) * kMinutesOfFive; at <= minute_; ++at) {
    float& low = lines.fives[kFives - static_cast<std::size_t>(five - floor_of(at, kMinutesOfFive))];
    low = lower(low, lines.minutes[static_cast<std::size_t>(at - first)]);
  }
  return lines;
}

void Recent::save_head(base::WireWriter& out) const {
  out.fixed(minute_);
  out.fixed(static_cast<std::uint8_t>(started_));
}

/// As if every five, and what is open of a five and a half hour, had a column of its own.
void Recent::save_column(base::WireWriter& out, std::size_t number) const {
  const auto write = [&](const float* values) { out.string({reinterpret_cast<const char*>(values), count_ * sizeof(float)}); };
  const auto write_lowest = [&](std::int64_t from, std::int64_t to) {
    std::vector<float> low(count_);
    lowest_of(from, to, low.data());
    write(low.data());
  };
  if (number < kMinutes) return write(column(number));
  number -= kMinutes;
  const std::int64_t five = floor_of(minute_, kMinutesOfFive), begin = five * kMinutesOfFive;
  if (number < kFives) {
    const std::int64_t back = 1 + static_cast<std::int64_t>(ring_slot(five - 1 - static_cast<std::int64_t>(number), kFives));
    if (back > static_cast<std::int64_t>(kFivesInMinutes)) return write(column(kMinutes + ring_slot(five - back, kFivesKept)));
    return write_lowest(begin - back * kMinutesOfFive, begin - (back - 1) * kMinutesOfFive);
  }
  switch (number - kFives) {
    case 0: return write(open_.data());
    case 1: return write_lowest(begin, minute_);
    case 2: return write_lowest(floor_of(five, kFivesOfHalf) * kMinutesOfHalf, begin);
    default: return write(high_.data());
  }
}

void Recent::load(base::WireReader& in, std::size_t subjects, std::int64_t now_ms) {
  *this = {};
  minute_ = in.fixed<std::int64_t>();
  started_ = in.fixed<std::uint8_t>() != 0;
  if (minute_ != (started_ ? floor_of(now_ms, kMinuteMs) : 0)) in.fail();
  for (std::size_t slot = 0; slot < subjects; ++slot) add_subject();
  const auto read = [&in, subjects](float* values) {
    const std::string_view bytes = in.string(subjects * sizeof(float));
    if (bytes.size() != subjects * sizeof(float)) return in.fail();
    if (!bytes.empty()) std::memcpy(values, bytes.data(), bytes.size());
    for (std::size_t i = 0; i < subjects; ++i)
      if (!(std::abs(values[i]) <= kMostAmount)) values[i] = kNothing;
  };
  filled_.fill(true);
  std::vector<float> known(subjects);  // what the minutes tell
  for (std::size_t at = 0; at < kMinutes && in.ok(); ++at) read(column(at));
  const std::int64_t newest = floor_of(minute_, kMinutesOfFive) - 1;
  for (std::size_t number = 0; number < kFives && in.ok(); ++number) {
    const std::size_t back = 1 + ring_slot(newest - static_cast<std::int64_t>(number), kFives);
    const std::int64_t five = newest + 1 - static_cast<std::int64_t>(back);
    read(back > kFivesInMinutes ? column(kMinutes + ring_slot(five, kFivesKept)) : known.data());
  }
  for (float* values : {open_.data(), known.data(), known.data(), high_.data()}) read(values);
}

}  // namespace kmem::trend
