// The known truth of sources_truth_test.cpp, and words and times as tools write them. Thread: any, values only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "collectors/base/time_words.h"
#include "collectors/snapshot.h"

namespace kmem::test {

inline constexpr std::int64_t kStartSeconds = 1'788'220'800;  // 2026-09-01T00:00:00Z
inline constexpr int kHours = 56 * 24;
inline constexpr int kNever = kHours;  // where a format tells no boot time, and counts nothing that a boot begins anew
inline constexpr double kLeakPerDay = 300'000;
inline constexpr int kCalm = 20;
inline constexpr int kTags = kCalm + 1;
inline constexpr std::uint64_t kAllocationBytes = 64;
inline constexpr std::uint64_t kAreaBytes = 262'144;  // of vmalloc

inline std::string words(const char* format, auto... values) {
  std::array<char, 512> text;
  return {text.data(), static_cast<std::size_t>(std::snprintf(text.data(), text.size(), format, values...))};
}
inline unsigned long long wide(std::uint64_t value) { return value; }
inline std::int64_t seconds(int hour) { return kStartSeconds + hour * 3600LL; }

/// What happened, of the leak (tag 0) and the calm ones.
class Truth {
 public:
  explicit Truth(int first_hour_after_reboot) : reboot(first_hour_after_reboot) {
    for (int hour = 0; hour < kHours; ++hour)
      for (int tag = 0; tag < kTags; ++tag) {
        const double base = 256'000 + 16'000.0 * tag;
        const double day = std::sin(2 * 3.14159265358979 * (hour + tag) / 24);
        const double noise = static_cast<double>((hour * 7919 + tag * 104'729) % 1000) / 1000 - 0.5;
        const double warm = hour < reboot ? 1 : std::min(1.0, 0.3 + 0.05 * since_boot(hour));
        bytes_.push_back(tag == 0 ? 8'000'000 + static_cast<std::uint64_t>(kLeakPerDay / 24 * since_boot(hour))
                                  : static_cast<std::uint64_t>(base * warm * (1 + 0.004 * day + 0.004 * noise)));
      }
  }

  const int reboot;
  [[nodiscard]] int since_boot(int hour) const { return hour < reboot ? hour : hour - reboot; }
  [[nodiscard]] std::int64_t boot(int hour) const { return hour < reboot ? seconds(0) - 86'400 : seconds(reboot) - 300; }
  [[nodiscard]] std::int64_t uptime(int hour) const { return seconds(hour) - boot(hour); }
  [[nodiscard]] std::uint64_t bytes(int tag, int hour) const { return bytes_[static_cast<std::size_t>(hour * kTags + tag)]; }
  [[nodiscard]] std::uint64_t pages(int tag, int hour) const { return bytes(tag, hour) / 4096; }
  [[nodiscard]] std::uint64_t total(int hour) const { return sum(hour, &Truth::bytes); }
  [[nodiscard]] std::uint64_t all_pages(int hour) const { return sum(hour, &Truth::pages); }
  [[nodiscard]] std::uint64_t live(int tag, int hour) const { return bytes(tag, hour) / kAllocationBytes; }
  /// Of 32 bits; those of the first boot wrap one after the other, from its second day on.
  [[nodiscard]] std::uint32_t frees(int tag, int hour) const { return static_cast<std::uint32_t>(frees_64(tag, hour)); }
  [[nodiscard]] std::uint32_t allocations(int tag, int hour) const {
    return frees(tag, hour) + static_cast<std::uint32_t>(live(tag, hour));
  }
  /// As an exporter has them that widens what it reads.
  [[nodiscard]] std::uint64_t frees_64(int tag, int hour) const {
    const std::uint32_t an_hour = 50'000 + 1000 * static_cast<std::uint32_t>(tag);
    const std::uint32_t begin = hour < reboot ? 0 - an_hour * static_cast<std::uint32_t>(24 + tag) : 0;
    return std::uint64_t{begin} + std::uint64_t{an_hour} * static_cast<std::uint64_t>(since_boot(hour));
  }
  [[nodiscard]] std::uint64_t allocations_64(int tag, int hour) const { return frees_64(tag, hour) + live(tag, hour); }

 private:
  [[nodiscard]] std::uint64_t sum(int hour, std::uint64_t (Truth::*of)(int, int) const) const {
    std::uint64_t all = 0;
    for (int tag = 0; tag < kTags; ++tag) all += (this->*of)(tag, hour);
    return all;
  }
  std::vector<std::uint64_t> bytes_;
};
inline const Truth kOneBoot(kNever);
inline const Truth kTwoBoots(3 * 24 + 5);

/// As the kernel has them: four bytes, of which the last may be blanks.
inline std::string name_of(int tag) { return tag == 0 ? "Leak" : tag == 1 ? "Irp " : "C" + std::to_string(100 + tag); }
inline std::string cache_of(int tag) {
  return tag == 0 ? "Leak" : tag == 1 ? "kmalloc-rnd-01-64" : "c" + std::to_string(100 + tag);
}
/// As vmallocinfo and allocinfo tell them: their callers.
inline std::string caller_of(int tag) { return tag == 0 ? "Leak_alloc [leaky]" : "c" + std::to_string(100 + tag) + "_alloc"; }
inline std::string site_of(int tag) {
  const std::string name = "c" + std::to_string(100 + tag);
  return tag == 0 ? "Leak:leak_one:drivers/leak.c" : "kernel:" + name + "_one:mm/" + name + ".c";
}
inline std::string text_of(Pool pool, int tag) {
  if (pool == Pool::kVmalloc) return caller_of(tag);
  if (pool == Pool::kAllocinfo) return site_of(tag);
  return pool <= Pool::kNonpaged ? name_of(tag) : cache_of(tag);
}

inline std::string iso(int hour) { return base::rfc3339(seconds(hour) * 1000); }
inline std::string iso_date(int hour) { return iso(hour).substr(0, 10); }
inline std::string clock_of(int hour) { return iso(hour).substr(11, 8); }
inline std::string clock_12(int hour) {
  const int of_day = hour % 24;
  return words("%02d:00:00 %s", of_day % 12 == 0 ? 12 : of_day % 12, of_day < 12 ? "AM" : "PM");
}
/// `format` of day, month, year.
inline std::string date_as(int hour, const char* format, bool month_first) {
  const std::string text = iso(hour);
  const int month = std::stoi(text.substr(5, 2)), day = std::stoi(text.substr(8, 2)), year = std::stoi(text.substr(0, 4));
  return month_first ? words(format, month, day, year) : words(format, day, month, year);
}
inline std::string us_time(int hour) {
  const std::string clock = clock_12(hour);
  return date_as(hour, "%d/%d/%d ", true) + clock.substr(clock.front() == '0' ? 1 : 0);
}
inline std::string british_time(int hour) { return date_as(hour, "%02d/%02d/%04d ", false) + clock_of(hour); }
inline std::string german_time(int hour) { return date_as(hour, "%02d.%02d.%04d ", false) + clock_of(hour); }
/// `date` in the C locale.
inline std::string unix_date(int hour) {
  constexpr std::array kDays = {"Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mon"};
  const std::string text = iso(hour);
  return words("%s %s %2d %s UTC 2026\n", kDays[static_cast<std::size_t>(hour / 24 % 7)], text[6] == '9' ? "Sep" : "Oct",
               std::stoi(text.substr(8, 2)), clock_of(hour).c_str());
}
/// `date` in Berlin, where summer time ends on 2026-10-25 at 01:00 UTC.
inline std::string berlin_date(int hour) {
  const bool is_summer = hour < 54 * 24 + 1;
  std::string text = unix_date(hour + (is_summer ? 2 : 1));
  return text.replace(text.find("UTC"), 3, is_summer ? "CEST" : "CET");
}
inline std::string uptime_line(const Truth& truth, int hour) {
  const std::int64_t minutes = truth.uptime(hour) / 60;
  const auto days = static_cast<int>(minutes / 1440), hours = static_cast<int>(minutes / 60 % 24);
  const auto rest = static_cast<int>(minutes % 60);
  std::string up = days == 0 ? "" : words("%d day%s, ", days, days == 1 ? "" : "s");
  up += hours == 0 ? words("%d min", rest) : words("%2d:%02d", hours, rest);
  return " " + clock_of(hour) + " up " + up + ",  2 users,  load average: 0.00, 0.01, 0.05\n";
}

inline std::string each_hour(const std::function<std::string(int hour)>& make) {
  std::string text;
  for (int hour = 0; hour < kHours; ++hour) text += make(hour);
  return text;
}
inline std::string each_tag(const std::function<std::string(int tag)>& make) {
  std::string text;
  for (int tag = 0; tag < kTags; ++tag) text += make(tag);
  return text;
}
/// The largest first, as most tools sort.
inline std::vector<int> by_size(const Truth& truth, int hour) {
  std::vector<int> tags(kTags);
  std::iota(tags.begin(), tags.end(), 0);
  std::stable_sort(tags.begin(), tags.end(), [&](int a, int b) { return truth.bytes(a, hour) > truth.bytes(b, hour); });
  return tags;
}
inline std::string with_crlf(const std::string& text) {
  std::string out;
  out.reserve(text.size() * 21 / 20);
  for (const char c : text) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}
inline std::string utf16(const std::string& text) {
  std::string out(2 * text.size() + 2, '\0');
  out[0] = '\xff', out[1] = '\xfe';
  for (std::size_t i = 0; i < text.size(); ++i) out[2 * i + 2] = text[i];
  return out;
}
/// "a","b"
inline std::string quoted(const std::vector<std::string>& fields, char separator = ',') {
  std::string line;
  for (const std::string& field : fields) line.append("\"").append(field).append("\"").push_back(separator);
  line.back() = '\n';
  return line;
}
inline std::string text_of(std::uint64_t value) { return std::to_string(value); }

}  // namespace kmem::test
