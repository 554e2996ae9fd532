// An NT kernel and registry of prepared answers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/windows/nt_query.h"
#include "collectors/windows/registry.h"

namespace kmem::test {

class FakeKernel final : public windows::NtQuery {
 public:
  std::map<std::uint32_t, std::string> answers;  // other classes: statuses, else "invalid class"
  std::map<std::uint32_t, windows::NtStatus> statuses;
  std::set<std::uint32_t> exact;  // classes whose answer is refused to a longer buffer, too
  std::vector<std::uint32_t> asked;
  std::map<std::uint32_t, std::size_t> last_size;
  std::map<std::uint32_t, std::uintptr_t> last_address;

  windows::NtStatus query(std::uint32_t info_class, std::span<std::byte> buffer, std::uint32_t& needed_bytes) override {
    asked.push_back(info_class);
    last_size[info_class] = buffer.size();
    last_address[info_class] = reinterpret_cast<std::uintptr_t>(buffer.data());
    const auto answer = answers.find(info_class);
    if (answer == answers.end()) {
      const auto status = statuses.find(info_class);
      return status == statuses.end() ? windows::kStatusInvalidInfoClass : status->second;
    }
    needed_bytes = static_cast<std::uint32_t>(answer->second.size());
    const bool is_refused =
        exact.contains(info_class) ? buffer.size() != answer->second.size() : buffer.size() < answer->second.size();
    if (is_refused) return windows::kStatusLengthMismatch;
    std::memcpy(buffer.data(), answer->second.data(), answer->second.size());
    return windows::kStatusOk;
  }
};

class FakeRegistry final : public windows::Registry {
 public:
  windows::NtStatus status = windows::kStatusOk;
  std::map<std::string, std::uint32_t, std::less<>> values;

  windows::NtStatus open() override { return status; }
  std::optional<std::uint32_t> value(std::string_view name) override {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
};

/// Every look at the steady time is 250 µs later than the last.
class TickingClock final : public base::Clock {
 public:
  [[nodiscard]] base::UnixMillis wall() const override { return 1'700'000'000'123; }
  [[nodiscard]] std::chrono::nanoseconds steady() const override { return now_ += std::chrono::microseconds(250); }
  void skip(std::chrono::nanoseconds time) { now_ += time; }

 private:
  mutable std::chrono::nanoseconds now_{0};
};

}  // namespace kmem::test
