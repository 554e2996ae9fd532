#include "collectors/history/date_line.h"

#include <algorithm>
#include <initializer_list>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_parts.h"
#include "collectors/history/date_words.h"
#include "collectors/history/notes.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

using base::UnixMillis;

constexpr std::size_t kLongestLine = 100;
using base::kDayMillis;
constexpr int kMostUnknownWords = 3;
constexpr std::size_t kSecondsDigits = 10;

using base::is_digit;
class Scan {
 public:
  explicit Scan(std::optional<DateOrder> order) : order_(order) {}

  // False: this word does not belong to a date.
  bool word(std::string_view text, bool is_first) {
    const bool behind_time = std::exchange(behind_time_, false);
    // "9:30 am 25.11.2026" is German.
    if (std::exchange(behind_am_, false) && is_digit(text.front()) && text.find('.') != std::string_view::npos) half_.reset();
    if (std::string_view next = text; std::exchange(awaits_time_, false) && !take_time_of_day(next)) {
      if (*half_) return false;
      half_.reset();
    }
    if (!found_.midnight && !found_.numeric) {
      if (const auto compact = take_compact_date(text)) return date({compact, {}}, text);
      if (const auto east = take_east_date(text)) return date({east, {}}, text);
      if (auto parted = take_parted_date(text, order_)) return date(std::move(*parted), text);
    } else {
      std::string_view rest = text;
      if (const auto second = take_parted_date(rest, order_); second && second->midnight && rest.empty() && found_.time_of_day)
        return false;  // two dates
    }
    if (sign_ != 0) return offset(text);
    std::string_view rest = text;
    if (const auto half = half_of_day(text.substr(0, std::min<std::size_t>(6, text.size())));
        half && text.size() > 6 && is_digit(text[6])) {
      half_ = half;
      rest.remove_prefix(6);
    }
    if (const auto of_day = take_time_of_day(rest)) return time(*of_day, rest);
    if (expects_time() && !rest.empty() && is_digit(rest.front())) {
      if (const auto of_day = take_any_time(rest)) return time(*of_day, rest);
      if (const auto of_day = take_hour_words(rest)) return time(*of_day, rest);
    }
    if (text == "-" || text == "+" || text == "--" || text == "@") {
      if (zoned_ && text.size() == 1 && text != "@") sign_ = text == "-" ? -1 : 1;
      return true;
    }
    if (text.front() == '+' || text.front() == '-') return zone(text);
    if (const auto half = half_of_day(text)) {
      if (behind_time) {
        behind_am_ = text == "am";
        return half_day(*half);
      }
      // Elsewhere "am" and "a" are words.
      if (stands_ahead(text)) return (awaits_time_ = true) && half_day(*half);
      return !*half;
    }
    if (text.size() >= 3 && (same_word(text.substr(0, 3), "UTC") || same_word(text.substr(0, 3), "GMT")) &&
        (text.size() == 3 || !is_letter(text[3]))) {
      text.remove_prefix(3);
      zoned_ = true;
      if (!found_.zone) found_.zone = Zone{};
      return text.empty() || zone(text);
    }
    return name_or_number(text, is_first);
  }

  // Words that are the name of a zone together.
  bool zone_words(std::string_view words) {
    const auto known = zone_named(words);
    if (!known) return false;
    found_.zone = known;
    return true;
  }
  /// False: prose. `is_zone`: by its words it is one.
  bool unknown_zone(std::string_view name, std::size_t words, bool is_zone) {
    if (!is_zone) unknown_words_ += static_cast<int>(words), found_.words_behind += static_cast<int>(words);
    if (unknown_words_ > kMostUnknownWords) return false;
    is_zone_ |= is_zone;
    unknown_zone_ = in_quotes(name) + " is no zone that is known, or means several; write the offset from UTC";
    return true;
  }
  [[nodiscard]] bool expects_time() const {
    return (has_date() || (month_ != 0 && numbers_.size() == 2)) && !found_.time_of_day;
  }
  /// "6 Uhr".
  bool hour(std::string_view digits) {
    const auto number = take_digits(digits, 1, 2);
    return number && *number < 24 && digits.empty() && time(*number * kHourMillis, {});
  }
  [[nodiscard]] bool is_whole() const {
    return found_.time_of_day && !awaits_time_ && (has_date() || (month_ != 0 && !numbers_.empty()));
  }
  [[nodiscard]] bool has_time() const { return found_.time_of_day.has_value(); }
  [[nodiscard]] bool has_zone() const { return found_.zone && !(found_.zone == Zone{} && !zoned_); }

  DateLine finish() {
    if (unknown_words_ > kMostUnknownWords) return {};
    if (!has_date() && is_weak_month_ && !found_.weekday &&
        (is_pro_ || ((unknown_words_ > 0 || month_after_ == 0) && !found_.time_of_day)))
      return {};
    if (!has_date() && month_ != 0) {
      if (weekday_of_month_ && first_month_ != month_) found_.weekday = weekday_of_month_;
      if (numbers_.size() == 2) {
        // The year is the longer one, or stands last: "5 Nov 26".
        const bool first_is_year = numbers_[0] > 31;
        const int year = numbers_[first_is_year ? 0 : 1];
        if (year > 31 || month_after_ == 1)
          found_.midnight = day_millis(full_year(year, year < 100), month_, numbers_[first_is_year ? 1 : 0]);
      }
      if (!has_date() && found_.time_of_day && numbers_.size() == 1 && numbers_[0] >= 1 && numbers_[0] <= 31)
        found_.yearless = DateLine::Yearless{month_, numbers_[0]};
      // "Sun Nov 15 19:00:00.000 2": of no other day than that.
      if (!has_date() && found_.time_of_day && numbers_.size() == 2 && found_.words_behind == 0 &&
          (found_.weekday || !is_weak_month_))
        found_.problem = "a day and a month, and no year of theirs: it may be cut";
    } else if (!numbers_.empty()) {
      return {};
    } else if (!has_date() && found_.time_of_day && found_.weekday) {
      found_.yearless = DateLine::Yearless{};
    }
    if (!has_date() && (!found_.time_of_day || found_.weekday || month_ != 0)) {
      if (!found_.time_of_day) return {};
    }
    if (half_ && !apply_half()) return {};
    if (found_.midnight && found_.weekday && (order_ || !found_.numeric) && !found_.fits_weekday(*found_.midnight)) {
      found_.problem = "the weekday is not that of the date";
    }
    // Versions, too: 10.20.30.
    if (found_.numeric && !found_.midnight && found_.numeric->dotted && found_.numeric->short_year && !found_.time_of_day)
      return {};
    if (found_.numeric && !found_.midnight)
      found_.problem = in_quotes(found_.numeric->text) + " is no day of the calendar, read as the other dates are";
    if (!unknown_zone_.empty() && !has_zone()) {
      if (!has_date() && !is_zone_) return {};  // "10:15 backup"
      if (is_zone_ || !found_.zone) found_.problem = unknown_zone_;
    }
    if (!found_.problem.empty()) found_.midnight.reset();
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool has_date() const { return found_.midnight || found_.numeric; }

  bool date(DateFound&& found, std::string_view rest) {
    found_.midnight = found.midnight;
    found_.numeric = std::move(found.numeric);
    if (rest.empty()) return true;
    if (rest.front() == 'T' || rest.front() == 't' || rest.front() == '_' || rest.front() == '-' || rest.front() == ':' ||
        rest.front() == ',' || rest.front() == '@') {
      rest.remove_prefix(1);
    } else if (!is_digit(rest.front())) {
      return !weekday_of(rest, false) ? false : (found_.weekday = weekday_of(rest, false), true);
    }
    if (rest.empty()) return true;
    const auto of_day = take_any_time(rest);
    return of_day && time(*of_day, rest);
  }

  bool time(std::int64_t of_day, std::string_view rest) {
    if (found_.time_of_day) return false;
    found_.time_of_day = of_day;
    behind_time_ = rest.empty();
    if (rest.empty()) return true;
    if (same_word(rest, "a") || same_word(rest, "p")) return half_day(same_word(rest, "p"));  // `time /t`
    if (const auto half = half_of_day(rest)) return half_day(*half);
    if (rest.size() == 4 && (rest.front() == '+' || rest.front() == '-')) {  // WMI: minutes
      std::string_view digits = rest.substr(1);
      const auto minutes = take_digits(digits, 3, 3);
      if (!minutes || *minutes > 14 * 60) return false;
      found_.zone = Zone{rest.front() == '-' ? -*minutes : *minutes};
      return zoned_ = true;
    }
    if (rest == "Uhr" || rest == "h") return true;
    if (zone_words(rest)) return true;
    if (is_letter(rest.front()) && rest.front() != 'Z' && rest.front() != 'z') return false;
    return zone(rest);
  }

  bool half_day(bool afternoon) {
    if (half_) return false;
    half_ = afternoon;
    return true;
  }
  bool apply_half() {
    if (!found_.time_of_day || *found_.time_of_day >= 13 * kHourMillis) return false;
    *found_.time_of_day = *found_.time_of_day % (12 * kHourMillis) + (*half_ ? 12 * kHourMillis : 0);
    return true;
  }

  bool zone(std::string_view text) {
    const auto minutes = take_zone_minutes(text);
    if (!minutes || !text.empty()) return false;
    found_.zone = Zone{*minutes};
    return zoned_ = true;
  }

  // "UTC - 5:00" in three words.
  bool offset(std::string_view text) {
    const auto hours = take_digits(text, 1, 2);
    const auto minutes = take_char(text, ':') ? take_digits(text, 2, 2) : std::optional(0);
    if (!hours || !minutes || !text.empty()) return false;
    found_.zone = Zone{sign_ * (*hours * 60 + *minutes)};
    sign_ = 0;
    return true;
  }

  bool name_or_number(std::string_view text, bool is_first) {
    std::string_view rest = text;
    (void)take_char(rest, '\'');
    if (const auto number = take_digits(rest, 1, 4); number && (rest.empty() || rest == "." || rest == "th" || rest == "st" ||
                                                                rest == "nd" || rest == "rd" || rest == "º" || rest == "er")) {
      if (numbers_.size() == 2) return false;
      numbers_.push_back(*number);
      return true;
    }
    const bool is_name = std::all_of(text.begin(), text.end(), [](char c) {
      return is_letter(c) || c == ':' || c == '.' || c == '\'' || c == '-' || c == '/';
    });
    if (!is_name) return false;
    const int month = month_of(text);
    if (month != 0 && month_ == 0) {
      month_ = month;
      is_weak_month_ = is_weak_month(text);
      is_pro_ = is_weak_month_ && same_word(text, "pro");
      month_after_ = numbers_.size();
      weekday_of_month_ = weekday_of(text, false);
      first_month_ = month;
      return true;
    }
    if (month != 0 && weekday_of_month_) {  // "mar." was the weekday
      month_ = month;
      month_after_ = numbers_.size();
      return true;
    }
    if (const auto weekday = weekday_of(text, is_first)) {
      found_.weekday = weekday;
      found_.or_saturday = means_saturday_too(text);
      return true;
    }
    if (!is_filler(text)) {
      ++unknown_words_;
      const bool has_begun = has_date() || month_ != 0 || !numbers_.empty() || found_.time_of_day || found_.weekday;
      ++(has_begun ? found_.words_behind : found_.words_before);
    }
    return true;
  }

  std::optional<DateOrder> order_;
  DateLine found_;
  std::string unknown_zone_;
  bool is_zone_ = false;  // by its words
  std::vector<int> numbers_;
  int month_ = 0;
  std::size_t month_after_ = 0;
  std::optional<int> weekday_of_month_;  // of a word that is both
  int first_month_ = 0;
  bool is_weak_month_ = false, is_pro_ = false;  // and "Windows 10 Pro 2009 18:00" is no day of December
  std::optional<bool> half_;
  bool behind_time_ = false, behind_am_ = false;  // the word before
  bool awaits_time_ = false;                      // its half of the day was told
  int unknown_words_ = 0;
  int sign_ = 0;
  bool zoned_ = false;
};

constexpr std::string_view kGaps = " \t()[]{}<>\"";

std::string_view without_rules(std::string_view line) {
  constexpr std::string_view kRules = "=#*-_~|;:> \t";
  const std::size_t begin = line.find_first_not_of(kRules);
  if (begin == std::string_view::npos) return {};
  if (begin > 0 && line[begin - 1] == '-' && begin == 1 && is_digit(line[begin])) return line;
  return line.substr(begin, line.find_last_not_of(kRules) - begin + 1);
}

/// The first byte of what with_joined_date looks for.
bool begins_eastern_part(char c) { return c == '\xe5' || c == '\xe6' || c == '\xeb' || c == '\xec'; }

}  // namespace

bool is_of_a_mail(std::string_view line) {
  for (const std::string_view begin : {"Sent:", "Gesendet:", "Envoy", "Enviado", "Inviato:", "Received:"})
    if (line.starts_with(begin)) return true;
  for (const std::string_view end : {"wrote:", "schrieb:", "crit :", "\251crit:", "escribi\xc3\xb3:", "ha scritto:"})
    if (line.ends_with(end)) return true;
  return false;
}

std::optional<DateOrder> parse_date_order(std::string_view word) {
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return same_word(name, word); });
  };
  if (is({"mdy", "month-first", "month", "us", "mm/dd/yyyy"})) return DateOrder::kMonthDayYear;
  if (is({"dmy", "day-first", "day", "dd/mm/yyyy"})) return DateOrder::kDayMonthYear;
  if (is({"ymd", "year-first", "year", "iso", "yyyy/mm/dd"})) return DateOrder::kYearMonthDay;
  return std::nullopt;
}

SecondDate judge_earlier(const DateLine& found, bool is_above_bare, bool does_rise) {
  if (!does_rise) return SecondDate::kIsOther;
  if (found.is_bare()) return is_above_bare && !found.time_of_day ? SecondDate::kDoubtful : SecondDate::kHolds;
  // A line of `dir`, below a stamp.
  return is_above_bare && found.words_before == 0 ? SecondDate::kIsOther : SecondDate::kDoubtful;
}

bool is_bare_stamp(std::string_view line, const DateLine& found) { return found.is_bare() && !line.starts_with("Date: "); }

bool is_same_moment(UnixMillis with_zone, const DateLine& below) {
  constexpr std::int64_t kStep = 15 * base::kMinuteMillis, kFarthest = 14 * base::kHourMillis, kBetween = 2000;
  if (below.zone || !below.time_of_day || !below.is_bare()) return false;
  const std::int64_t apart = *below.midnight + *below.time_of_day - with_zone;
  const std::int64_t rest = ((apart + kBetween) % kStep + kStep) % kStep;
  return apart >= -kFarthest - kBetween && apart <= kFarthest + kBetween && rest <= 2 * kBetween;
}

std::string earlier_than_above(std::uint64_t line_above) {
  return "an earlier time than that of line " + std::to_string(line_above) +
         ", without a table between: which of the two is of the table below is not known; take the other one away";
}

bool DateLine::fits_weekday(UnixMillis day) const {
  const int its = weekday_at(day);
  return !weekday || its == *weekday || (or_saturday && its == 6);
}

int weekday_at(UnixMillis midnight) {
  constexpr int kThursday = 4;  // 1970-01-01
  const std::int64_t days = midnight / kDayMillis - (midnight % kDayMillis < 0 ? 1 : 0);
  return static_cast<int>(((days + kThursday) % 7 + 7) % 7);
}

DateLine parse_date_line(std::string_view raw, std::optional<DateOrder> order) {
  if (raw.size() > kLongestLine || raw.find_first_of("0123456789\xd9\xdb\xef") == std::string_view::npos) return {};
  std::string plain;
  std::string_view line = raw;
  if (raw.find_first_of("&\xc2\xd9\xdb\xe2\xe3\xef\xa0") != std::string_view::npos) {
    plain = with_plain_blanks(raw);
    line = plain;
  }
  // Not by find_first_of: built by clang 19 it finds none of these four bytes.
  if (std::any_of(line.begin(), line.end(), begins_eastern_part)) {
    plain = with_joined_date(line);
    line = plain;
  }
  if (is_of_a_mail(trimmed(line))) return {};
  // Seconds of Unix are no matter of this function; a number of as many digits that lies far ahead as such is a date or none.
  if (const std::string_view number = behind_time_name(line);
      number.size() == kSecondsDigits && number.front() >= '2' && number.find_first_not_of("0123456789") == number.npos) {
    DateLine found;
    std::string_view rest = number;
    if (const auto minute = take_short_minute(rest)) {
      found.midnight = *minute / kDayMillis * kDayMillis;
      found.time_of_day = *minute % kDayMillis;
    } else if (number.front() <= '4' && !take_compact_date(rest)) {
      found.problem = parse_timestamp(number).error().message;
    }
    if (!found.empty() || !found.problem.empty()) return found;
  }
  line = without_title(line);
  line = without_rules(line);
  if (line.empty() || line.find("ersion") != std::string_view::npos) return {};

  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(kGaps); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(kGaps, at), line.size());
    std::string_view word = line.substr(at, end - at);
    while (!word.empty() && (word.back() == ',' || word.back() == ';')) word.remove_suffix(1);
    if (!word.empty()) words.push_back(word);
    at = line.find_first_not_of(kGaps, end);
  }
  Scan scan(order);
  const auto joined = [&](std::size_t from, std::size_t count) {
    return std::string_view(words[from].data(), static_cast<std::size_t>(words[from + count - 1].data() - words[from].data()) +
                                                    words[from + count - 1].size());
  };
  bool has_remark = false;
  for (std::size_t i = 0; i < words.size();) {
    if (scan.is_whole() && is_log_level(words[i])) break;
    if (scan.expects_time() && i + 1 < words.size() && (same_word(words[i + 1], "Uhr") || same_word(words[i + 1], "h")) &&
        words[i].size() <= 2) {
      if (!scan.hour(words[i])) return {};
      i += 2;
      continue;
    }
    if (scan.has_time() && is_letter(words[i].front()) && !half_of_day(words[i])) {
      std::size_t taken = 0;
      // "UTC - 5:00" has more behind it.
      const bool universal = same_word(words[i], "UTC") || same_word(words[i], "GMT");
      for (std::size_t count = std::min<std::size_t>(5, words.size() - i); count > (universal ? 1 : 0) && taken == 0; --count)
        if (scan.zone_words(joined(i, count))) taken = count;
      if (taken > 0) {
        i += taken;
        continue;
      }
      // What else stands behind a time is its zone, but for a remark and what follows it.
      has_remark |= is_remark(words[i]);
      const std::size_t count = scan.has_zone() || has_remark ? 0 : unknown_zone_length(words, i);
      if (count > 0) {
        const std::string_view name = joined(i, count);
        const bool is_zone = std::any_of(words.begin() + static_cast<std::ptrdiff_t>(i),
                                         words.begin() + static_cast<std::ptrdiff_t>(i + count), names_a_zone);
        if (!scan.unknown_zone(name, count, is_zone)) return {};
        i += count;
        continue;
      }
    }
    if (!scan.word(words[i], i == 0)) return {};
    ++i;
  }
  return scan.finish();
}

std::optional<UnixMillis> utc_of(const DateLine& line) {
  if (!line.midnight) return std::nullopt;
  const UnixMillis local = *line.midnight + line.time_of_day.value_or(0);
  return local - std::int64_t{minutes_east(line.zone.value_or(Zone{}), local)} * 60'000;
}

}  // namespace kmem::history
