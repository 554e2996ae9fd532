#include "collectors/history/date_line.h"

#include <algorithm>
#include <array>

#include "collectors/history/csv_fields.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

constexpr std::size_t kLongestLine = 100;
constexpr std::int64_t kHourMillis = 3'600'000;
constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                      "may",       "june",     "july",     "august",
                                                      "september", "october",  "november", "december"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) > 127;
}

// 1 to 12, or 0: no month's name nor the first three letters of one.
int month_of(std::string_view word) {
  if (!word.empty() && word.back() == '.') word.remove_suffix(1);
  for (std::size_t i = 0; i < kMonths.size(); ++i)
    if (same_word(word, kMonths[i]) || same_word(word, kMonths[i].substr(0, 3))) return static_cast<int>(i) + 1;
  return 0;
}

std::optional<base::UnixMillis> take_numeric_date(std::string_view& text) {
  std::string_view rest = text;
  const auto first = take_digits(rest, 1, 4);
  if (!first || rest.empty()) return std::nullopt;
  const char separator = rest.front();
  if (separator != '/' && separator != '-' && separator != '.' && separator != '\\') return std::nullopt;
  rest.remove_prefix(1);
  const auto second = take_digits(rest, 1, 2);
  if (!second || !take_char(rest, separator)) return std::nullopt;
  const auto third = take_digits(rest, 1, 4);
  if (!third) return std::nullopt;
  std::optional<base::UnixMillis> midnight;
  if (*first > 31) {
    midnight = day_millis(*first, *second, *third);
  } else if (separator == '.' || *first > 12) {
    midnight = day_millis(*third, *second, *first);
  } else {
    midnight = day_millis(*third, *first, *second);
  }
  if (midnight) text = rest;
  return midnight;
}

class Scan {
 public:
  // False: this word does not belong to a date.
  bool word(std::string_view text) {
    if (const auto midnight = take_numeric_date(text)) {
      if (found_.midnight) return false;
      found_.midnight = midnight;
      if (text.empty()) return true;
      if (!take_char(text, 'T')) return false;
    }
    if (sign_ != 0) return offset(text);
    if (const auto of_day = take_time_of_day(text)) return time(*of_day, text);
    if (text == "-" || text == "+") {
      if (zoned_) sign_ = text == "-" ? -1 : 1;
      return true;
    }
    if (!text.empty() && (text.front() == '+' || text.front() == '-')) return zone(text);
    if (same_word(text, "AM") || same_word(text, "PM")) return half_day(text);
    if (text.size() >= 3 && (same_word(text.substr(0, 3), "UTC") || same_word(text.substr(0, 3), "GMT"))) {
      text.remove_prefix(3);
      zoned_ = true;
      found_.zone_minutes = found_.zone_minutes.value_or(0);
      return text.empty() || zone(text);
    }
    if (const int month = month_of(text); month != 0 && month_ == 0) {
      month_ = month;
      return true;
    }
    return number_or_name(text);
  }

  DateLine finish() {
    if (!found_.midnight && month_ != 0 && day_ != 0 && year_ != 0) found_.midnight = day_millis(year_, month_, day_);
    return found_.empty() ? DateLine{} : found_;
  }

 private:
  bool time(std::int64_t of_day, std::string_view rest) {
    if (found_.time_of_day) return false;
    found_.time_of_day = of_day;
    if (rest.empty()) return true;
    return same_word(rest, "AM") || same_word(rest, "PM") ? half_day(rest) : zone(rest);
  }

  bool half_day(std::string_view word) {
    if (!found_.time_of_day || *found_.time_of_day >= 13 * kHourMillis) return false;
    *found_.time_of_day = *found_.time_of_day % (12 * kHourMillis) + (same_word(word, "PM") ? 12 * kHourMillis : 0);
    return true;
  }

  bool zone(std::string_view text) {
    found_.zone_minutes = take_zone_minutes(text);
    return found_.zone_minutes && text.empty();
  }

  // "UTC - 5:00" in three words.
  bool offset(std::string_view text) {
    const auto hours = take_digits(text, 1, 2);
    const auto minutes = take_char(text, ':') ? take_digits(text, 2, 2) : std::optional(0);
    if (!hours || !minutes || !text.empty()) return false;
    found_.zone_minutes = sign_ * (*hours * 60 + *minutes);
    sign_ = 0;
    return true;
  }

  bool number_or_name(std::string_view text) {
    std::string_view rest = text;
    if (const auto number = take_digits(rest, 1, 4); number && (rest.empty() || rest == ".")) {
      int& part = *number > 31 ? year_ : day_;
      if (part != 0) return false;
      part = *number;
      return true;
    }
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_letter(c) || c == ':' || c == '.' || c == '\''; });
  }

  DateLine found_;
  int month_ = 0;
  int day_ = 0;
  int year_ = 0;
  int sign_ = 0;
  bool zoned_ = false;
};

}  // namespace

DateLine parse_date_line(std::string_view line) {
  if (line.size() > kLongestLine) return {};
  constexpr std::string_view kGaps = " \t()[]\"";
  Scan scan;
  for (std::size_t at = line.find_first_not_of(kGaps); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kGaps, at), line.size());
    std::string_view word = line.substr(at, end - at);
    while (!word.empty() && (word.back() == ',' || word.back() == ';')) word.remove_suffix(1);
    if (!word.empty() && !scan.word(word)) return {};
    at = line.find_first_not_of(kGaps, end);
  }
  return scan.finish();
}

}  // namespace kmem::history
