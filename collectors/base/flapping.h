// Bounds the lines about what goes to and fro: the first changes are said as they come, further ones of the same time
// are counted, and the count is told at its end. Thread: none of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace kmem::base {

class Flapping {
 public:
  static constexpr std::chrono::minutes kTime{10};
  static constexpr int kSaid = 2;  // it failed, it works again

  /// More are said of what people change, who want to hear of each try.
  explicit Flapping(int said = kSaid) : said_(static_cast<std::uint64_t>(said)) {}

  /// Whether this change is to be said.
  bool changed(std::chrono::nanoseconds now) {
    if (!since_) since_ = now;
    ++changes_;
    return changes_ <= said_;
  }
  /// Once after a time with changes that were not said: how many there were in all.
  std::optional<std::uint64_t> told_late(std::chrono::nanoseconds now) {
    if (!since_ || now - *since_ < kTime) return std::nullopt;
    const std::uint64_t changes = changes_;
    since_.reset();
    changes_ = 0;
    if (changes <= said_) return std::nullopt;
    return changes;
  }

 private:
  std::uint64_t said_;
  std::optional<std::chrono::nanoseconds> since_;
  std::uint64_t changes_ = 0;
};

}  // namespace kmem::base
