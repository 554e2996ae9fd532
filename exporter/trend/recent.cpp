#include "exporter/trend/recent.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "exporter/trend/history.h"

namespace kmem::trend {
namespace {

constexpr std::size_t kColumns = Recent::kMinutes + Recent::kFives;
constexpr std::int64_t kMinutesOfFive = 5, kFivesOfHalf = 6;

std::int64_t floor_of(std::int64_t value, std::int64_t width) { return value / width - (value % width < 0); }

void keep_lower(float& low, float value) {
  if (!std::isnan(value) && !(low <= value)) low = value;
}

}  // namespace

void Recent::add_subject() {
  if (count_ == room_) {
    const std::size_t room = std::max<std::size_t>(16, room_ * 2);
    std::vector<float> columns(kColumns * room, kNothing);
    for (std::size_t at = 0; at < kColumns; ++at) std::copy_n(column(at), count_, columns.data() + at * room);
    columns_.swap(columns);
    room_ = room;
  }
  open_.push_back(kNothing);
  for (std::vector<float>* values : {&open_five_, &open_half_, &high_}) values->push_back(kNothing);
  ++count_;
}

void Recent::clear_subject(std::size_t slot) {
  for (std::size_t at = 0; at < kColumns; ++at) column(at)[slot] = kNothing;
  open_[slot] = open_five_[slot] = open_half_[slot] = high_[slot] = kNothing;
}

void Recent::clear() {
  for (std::size_t at = 0; at < kColumns; ++at) empty(at);
  for (std::vector<float>* values : {&open_, &open_five_, &open_half_, &high_})
    std::fill(values->begin(), values->end(), kNothing);
}

/// The open values become a column, and begin anew.
void Recent::keep(std::size_t at, std::vector<float>& values) {
  std::copy(values.begin(), values.end(), column(at));
  std::fill(values.begin(), values.end(), kNothing);
  filled_[at] = true;
}

void Recent::empty(std::size_t at) {
  if (filled_[at]) std::fill_n(column(at), count_, kNothing);
  filled_[at] = false;
}

void Recent::advance(std::int64_t at_ms) {
  const std::int64_t now = floor_of(at_ms, kMinuteMs);
  if (!started_) minute_ = now, started_ = true;
  if (now <= minute_) return;
  for (std::size_t slot = 0; slot < count_; ++slot) keep_lower(open_five_[slot], open_[slot]);
  keep(ring_slot(minute_, kMinutes), open_);
  const std::int64_t five = floor_of(minute_, kMinutesOfFive), five_now = floor_of(now, kMinutesOfFive);
  for (std::int64_t gap = std::max(minute_ + 1, now - static_cast<std::int64_t>(kMinutes)); gap < now; ++gap)
    empty(ring_slot(gap, kMinutes));
  if (five_now > five) {
    for (std::size_t slot = 0; slot < count_; ++slot) keep_lower(open_half_[slot], open_five_[slot]);
    if (floor_of(five_now, kFivesOfHalf) > floor_of(five, kFivesOfHalf)) {
      for (std::size_t slot = 0; slot < count_; ++slot)
        if (!(high_[slot] >= open_half_[slot])) high_[slot] = open_half_[slot];
      std::fill(open_half_.begin(), open_half_.end(), kNothing);
    }
    keep(kMinutes + ring_slot(five, kFives), open_five_);
  }
  for (std::int64_t gap = std::max(five + 1, five_now - static_cast<std::int64_t>(kFives)); gap < five_now; ++gap)
    empty(kMinutes + ring_slot(gap, kFives));
  minute_ = now;
}

float Recent::take_high(std::size_t slot) { return std::exchange(high_[slot], kNothing); }

Recent::Lines Recent::lines(std::size_t slot) const {
  Lines lines;
  for (std::size_t i = 0; i < kMinutes; ++i)
    lines.minutes[i] = column(ring_slot(minute_ - static_cast<std::int64_t>(kMinutes - i), kMinutes))[slot];
  const std::int64_t five = floor_of(minute_, kMinutesOfFive);
  for (std::size_t i = 0; i < kFives; ++i)
    lines.fives[i] = column(kMinutes + ring_slot(five - static_cast<std::int64_t>(kFives - i), kFives))[slot];
  lines.minutes[kMinutes] = open_[slot];
  lines.fives[kFives] = open_five_[slot];
  keep_lower(lines.fives[kFives], open_[slot]);
  return lines;
}

void Recent::save_head(base::WireWriter& out) const {
  out.fixed(minute_);
  out.fixed(static_cast<std::uint8_t>(started_));
}

void Recent::save_column(base::WireWriter& out, std::size_t number) const {
  const std::array<const float*, 4> open = {open_.data(), open_five_.data(), open_half_.data(), high_.data()};
  const float* values = number < kColumns ? column(number) : open[number - kColumns];
  out.string({reinterpret_cast<const char*>(values), count_ * sizeof(float)});
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
  for (std::size_t at = 0; at < kColumns && in.ok(); ++at) read(column(at));
  for (std::vector<float>* values : {&open_, &open_five_, &open_half_, &high_}) read(values->data());
}

}  // namespace kmem::trend
