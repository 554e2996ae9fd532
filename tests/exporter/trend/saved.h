// Where the values of a saved history lie, so that tests may look at them and put others there.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/wire.h"
#include "exporter/trend/engine.h"

namespace kmem::trend {

/// Of a state of one subject, as TrendEngine::save() writes it.
class Saved {
 public:
  explicit Saved(std::string bytes) : bytes_(std::move(bytes)), in_(bytes_) {
    value("version", 4);
    string("host");
    at_["timeline"] = in_.offset();
    EXPECT_TRUE(Timeline::load(in_));
    for (const char* name : {"coarse_bucket", "fine_bucket", "judged_bucket"}) value(name, 8);
    at_["due"] = in_.offset(), in_.varint();
    value("refused", 8), value("forgotten", 8);
    at_["subjects"] = in_.offset();
    EXPECT_EQ(in_.varint(), 1U);
    for (const char* name : {"kind", "pool", "verdict", "scores_used"}) value(name, 1);
    value("weak_judgements", 2), value("watch_judgements", 2);
    string("text");
    for (const char* name : {"limit", "first_seen", "first_detected", "since"}) value(name, 8);
    for (const char* name : {"slope", "slope_error", "strength", "coarse", "fine", "outstanding", "last", "absent_hours"})
      value(name, 4);
    for (const char* name : {"scores", "floors", "hours", "counts", "highs"}) string(name);
    for (const char* name : {"surge_since", "surge_told", "surge_high_at"}) value(name, 8);
    for (const char* name : {"surge_high", "surge_growth", "surge_pace", "low"}) value(name, 4);
    value("surge_ends_soon", 1);
    at_["rooms"] = in_.offset();
    for (std::size_t i = 0; i < kPoolCount + 2; ++i) DayOfRoom().load(in_, INT64_MAX);
    value("minute", 8), value("minutes_started", 1);
    for (std::size_t i = 0; i < Recent::kSavedColumns; ++i) string("column_" + std::to_string(i));
    value("watched", 8);
    EXPECT_TRUE(in_.finish().ok());
  }
  Saved(const Saved&) = delete;
  Saved& operator=(const Saved&) = delete;

  template <typename T>
  [[nodiscard]] T get(const std::string& name, std::size_t number = 0) const {
    T value{};
    std::memcpy(&value, bytes_.data() + at_.at(name) + number * sizeof value, sizeof value);
    return value;
  }
  /// The same bytes with another value there.
  template <typename T>
  [[nodiscard]] std::string with(const std::string& name, T value, std::size_t number = 0) const {
    std::string other = bytes_;
    std::memcpy(other.data() + at_.at(name) + number * sizeof value, &value, sizeof value);
    return other;
  }
  /// The same bytes with another length before a string; its own bytes stay.
  [[nodiscard]] std::string with_length(const std::string& name, std::uint64_t length) const {
    std::string varint;
    base::WireWriter(varint).varint(length);
    const auto [begin, end] = lengths_.at(name);
    return bytes_.substr(0, begin) + varint + bytes_.substr(end);
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void value(const std::string& name, std::size_t width) {
    at_[name] = in_.offset();
    for (; width > 0; --width) in_.fixed<std::uint8_t>();
  }
  void string(const std::string& name) {
    const std::size_t before = in_.offset();
    const std::size_t length = in_.string(bytes_.size()).size();
    at_[name] = in_.offset() - length;
    lengths_[name] = {before, at_[name]};
  }

  std::string bytes_;
  base::WireReader in_;
  std::map<std::string, std::size_t> at_;
  std::map<std::string, std::pair<std::size_t, std::size_t>> lengths_;
};

}  // namespace kmem::trend
