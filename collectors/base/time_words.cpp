#include "collectors/base/time_words.h"

#include <chrono>

namespace kmem::base {
namespace {

using std::chrono::milliseconds;

std::string padded(long long number, std::size_t digits) {
  std::string text = std::to_string(number);
  return text.size() < digits ? std::string(digits - text.size(), '0') + text : text;
}

std::chrono::sys_time<milliseconds> moment(UnixMillis time) { return std::chrono::sys_time<milliseconds>(milliseconds(time)); }

}  // namespace

std::string date_words(UnixMillis time) {
  const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(moment(time)));
  return padded(static_cast<int>(date.year()), 4) + "-" + padded(static_cast<unsigned>(date.month()), 2) + "-" +
         padded(static_cast<unsigned>(date.day()), 2);
}

std::string rfc3339(UnixMillis time) {
  const auto day = std::chrono::floor<std::chrono::days>(moment(time));
  const std::chrono::hh_mm_ss clock(moment(time) - day);
  std::string text = date_words(time) + "T" + padded(clock.hours().count(), 2) + ":" + padded(clock.minutes().count(), 2) +
                     ":" + padded(clock.seconds().count(), 2);
  if (const auto fraction = clock.subseconds().count(); fraction != 0) text += "." + padded(fraction, 3);
  return text + "Z";
}

}  // namespace kmem::base
