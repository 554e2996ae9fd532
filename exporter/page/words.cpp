#include "exporter/page/words.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "collectors/base/clock.h"
#include "collectors/base/time_words.h"

namespace kmem::page {
namespace {

constexpr double kMinute = 60, kHour = base::kSecondsPerHour, kDay = base::kSecondsPerDay, kYear = 365.25 * kDay;

std::string fixed(double value, int decimals) {
  std::array<char, 400> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), static_cast<std::size_t>(std::clamp(length, 0, 399))};
}

std::string three_digits(double value) {
  const double size = std::abs(value);
  return fixed(value, size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : 2);
}

std::chrono::year_month_day date_of(base::UnixMillis time) {
  const std::chrono::sys_time<std::chrono::milliseconds> moment{std::chrono::milliseconds(time)};
  return std::chrono::floor<std::chrono::days>(moment);
}

}  // namespace

std::string byte_words(double bytes) {
  static constexpr std::array<std::string_view, 7> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  while (std::abs(bytes) >= 1023.5 && unit + 1 < kUnits.size()) bytes /= 1024, ++unit;
  return (unit == 0 ? fixed(bytes, 0) : three_digits(bytes)).append(" ").append(kUnits[unit]);
}

std::string count_words(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string number_words(double number) {
  if (number >= 999.5 && number < 1e18) return count_words(static_cast<std::uint64_t>(std::llround(number)));
  return three_digits(number);
}

std::string growth_words(double a_day, bool bytes) {
  const double size = std::abs(a_day);
  if (size < (bytes ? 1 : 0.5)) return "0/day";
  return std::string(a_day > 0 ? "+" : "-") + (bytes ? byte_words(size) : number_words(std::round(size))) + "/day";
}

std::string duration_words(double seconds) {
  if (seconds > 10 * kYear) return "more than 10 years";
  // Two digits, so that it agrees with what was divided.
  const auto about = [](double count, std::string_view unit) {
    std::string digits = fixed(count, count < 9.95 ? 1 : 0);
    if (digits.ends_with(".0")) digits.resize(digits.size() - 2);
    return "about " + digits + " " + std::string(unit) + (digits == "1" ? "" : "s");
  };
  if (seconds >= 2 * kYear) return about(seconds / kYear, "year");
  if (seconds >= 1.5 * kDay) return about(seconds / kDay, "day");
  if (seconds >= 1.5 * kHour) return about(seconds / kHour, "hour");
  return seconds >= kMinute ? about(seconds / kMinute, "minute") : "less than a minute";
}

std::string range_words(double soonest_seconds, double latest_seconds) {
  const auto bare = [](double seconds) {
    if (std::isinf(seconds)) return std::string("never");
    const std::string words = duration_words(seconds);
    return words.starts_with("about ") ? words.substr(6) : words;
  };
  const std::string soonest = bare(soonest_seconds), latest = bare(latest_seconds);
  return soonest == latest ? std::string() : soonest + " to " + latest;
}

std::string day_words(base::UnixMillis time, base::UnixMillis now) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto date = date_of(time);
  std::string text = std::to_string(static_cast<unsigned>(date.day())) + " ";
  text.append(kMonths[static_cast<unsigned>(date.month()) - 1]);
  if (date.year() != date_of(now).year()) text.append(" ").append(std::to_string(static_cast<int>(date.year())));
  return text;
}

std::string minute_words(base::UnixMillis time) {
  std::string text = base::rfc3339(time).substr(0, 16);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text + " UTC";
}

std::string resource_words(std::string_view name) {
  if (name == "paged") return "paged pool";
  if (name == "nonpaged") return "nonpaged pool";
  if (name == "slab_reclaimable") return "reclaimable slab";
  if (name == "slab_unreclaimable") return "unreclaimable slab";
  if (name == "percpu") return "per-CPU memory";
  if (name == "system_ptes") return "free system PTEs";
  if (name == "unaccounted") return "unaccounted memory";
  if (name == "commit") return "commit charge";
  if (name == "available_memory") return "available memory";
  if (name == "commit_limit") return "commit limit";
  return std::string(name);
}

std::string limit_words(std::string_view source, std::string_view rule) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kVersions = {{
      {"nt4_x86", "Windows NT 4.0"},
      {"2000_2003_x86", "32-bit Windows 2000 to Server 2003"},
      {"2000_x86", "Windows 2000"},
      {"xp_x86", "32-bit Windows XP"},
      {"2003_x86", "32-bit Windows Server 2003"},
      {"xp_2003_x64", "64-bit Windows XP and Server 2003"},
      {"vista_and_later_x86", "32-bit Windows from Vista on"},
      {"vista_7_x64", "64-bit Windows Vista to 7 and Server 2008 R2"},
      {"8_2012_x64", "64-bit Windows 8 and Server 2012"},
      {"8.1_and_later_x64", "64-bit Windows from 8.1 on"},
  }};
  const bool is_most = rule.ends_with("_most");
  const std::string_view name = is_most ? rule.substr(0, rule.size() - 5) : rule;
  for (const auto& [row, version] : kVersions)
    if (row == name)
      return std::string("limit: an estimate, ")
          .append(is_most ? "the most that " : "what ")
          .append(version)
          .append(is_most ? " can take" : " takes by itself");
  if (source == "kernel" && rule == "registry_quota") return "limit: as the kernel tells it";
  if (source == "kernel" && rule == "MemTotal") return "limit: the whole memory";
  if (source == "kernel" && rule == "VmallocTotal") return "limit: the addresses that the kernel has for it";
  if (source == "kernel" && rule.find(' ') != rule.npos) return std::string("limit: ").append(rule);
  if (source == "registry") return std::string("limit: set in the registry by ").append(rule);
  return std::string("limit by ").append(source).append(": ").append(rule);
}

std::string plural_words(std::uint64_t count, std::string_view one) {
  return count_words(count).append(" ").append(one).append(count == 1 ? "" : "s");
}

}  // namespace kmem::page
