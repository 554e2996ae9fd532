#include "collectors/history/date_order.h"

#include <chrono>
#include <utility>

#include "collectors/base/digit.h"
#include "collectors/history/date_parts.h"
#include "collectors/history/notes.h"
#include "collectors/history/time_text.h"

namespace kmem::history {
namespace {

constexpr std::int64_t kFarApart = 8;

}  // namespace

void DateOrderVotes::see(const DateLine& line, std::uint64_t number) {
  if (!line.numeric) return;
  all_dotted_ &= line.numeric->dotted;
  any_long_year_ |= !line.numeric->short_year;
  std::array<std::optional<base::UnixMillis>, 3> days;
  for (std::size_t i = 0; i < fits_.size(); ++i) {
    days[i] = line.numeric->in(static_cast<DateOrder>(i));
    Fit& fit = fits_[i];
    if (!days[i]) {
      ++fit.wrong;
      continue;
    }
    if (line.weekday) ++(line.fits_weekday(*days[i]) ? fit.weekdays : fit.wrong);
    const base::UnixMillis time = *days[i] + line.time_of_day.value_or(0);
    if (fit.last && time < *fit.last) ++fit.falls;
    if (!fit.first) fit.first = time;
    fit.last = time;
  }
  if (const bool month_first = days[0].has_value(); month_first != days[1].has_value()) {
    Fit& fit = fits_[month_first ? 0 : 1];
    if (fit.proofs++ == 0) fit.proof_line = number;
  }
  differ_ |= days[0] != days[1] || (line.numeric->short_year && days[0] != days[2]);
}

std::string DateOrderVotes::contradiction() const {
  constexpr std::uint64_t kMany = 20;
  const Fit &month = fits_[0], &day = fits_[1];
  const auto& [few, many] = std::minmax(month.proofs, day.proofs);
  if (few == 0 || (few == 1 && many >= kMany)) return {};
  if (orders() == 3 && fits_[2].wrong == 0) return {};
  const std::string day_words = "line " + std::to_string(day.proof_line) + " is day first";
  return "day and month stand in both orders: " + day_words + ", line " + std::to_string(month.proof_line) + " month first";
}

std::string DateOrderVotes::denial(DateOrder order) const {
  if (order == DateOrder::kYearMonthDay) return {};
  const bool is_month_first = order == DateOrder::kMonthDayYear;
  const Fit &given = fits_[is_month_first ? 0 : 1], &other = fits_[is_month_first ? 1 : 0];
  if (other.proofs <= given.proofs) return {};
  return "line " + std::to_string(other.proof_line) + (is_month_first ? " is day first" : " is month first");
}

DateOrderVotes::Rank DateOrderVotes::rank(std::size_t order) const {
  return {fits_[order].wrong, ~fits_[order].weekdays, fits_[order].falls};
}

std::size_t DateOrderVotes::best() const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < orders(); ++i)
    if (rank(i) < rank(best)) best = i;
  return best;
}

std::size_t DateOrderVotes::as_good_as(std::size_t order) const {
  std::size_t equal = 0;
  for (std::size_t i = 0; i < orders(); ++i) equal += rank(i) == rank(order) ? 1 : 0;
  return equal;
}

std::optional<DateOrder> DateOrderVotes::firmly() const {
  const std::size_t found = best();
  return differ_ && contradiction().empty() && as_good_as(found) == 1 ? std::optional(static_cast<DateOrder>(found))
                                                                      : std::nullopt;
}

bool DateOrderVotes::admits(DateOrder order) const {
  const auto i = static_cast<std::size_t>(order);
  return i < orders() && rank(i) == rank(best());
}

std::optional<DateOrderVotes::Span> DateOrderVotes::span(DateOrder order) const {
  const Fit& fit = fits_[static_cast<std::size_t>(order)];
  if (fit.wrong > 0 || !fit.first) return std::nullopt;
  return Span{*fit.first, *fit.last};
}

std::optional<DateOrder> DateOrderVotes::decide() const {
  if (!differ_) return DateOrder::kMonthDayYear;
  if (!contradiction().empty()) return std::nullopt;
  const std::size_t best = this->best();
  const std::size_t equal = as_good_as(best);
  const auto year_first = static_cast<std::size_t>(DateOrder::kYearMonthDay);
  const auto day_first = static_cast<std::size_t>(DateOrder::kDayMonthYear);
  if (equal == 1) return static_cast<DateOrder>(best);
  if (all_dotted_ && rank(day_first) == rank(best) && orders() == 2) return DateOrder::kDayMonthYear;
  // The year of two digits may stand at either end: days follow each other, years seldom do.
  if (equal == 2 && orders() == 3 && rank(year_first) == rank(best)) {
    const base::UnixMillis one = fits_[best].span();
    const base::UnixMillis other = fits_[year_first].span();
    if (one > 0 && other > kFarApart * one) return static_cast<DateOrder>(best);
    if (other > 0 && one > kFarApart * other) return DateOrder::kYearMonthDay;
  }
  return std::nullopt;
}

DateLine date_in_name(std::string_view path, const DateOptions& options) {
  DateLine found = date_in_name(path, options.order);
  if (!found.numeric || found.midnight || options.order) return found;
  const DateRuling ruling = options.of_names ? options.of_names() : DateRuling{};
  if (ruling.order) return date_in_name(path, ruling.order);
  // As in a text.
  return found.numeric->dotted ? date_in_name(path, DateOrder::kDayMonthYear) : found;
}

bool OrderedDates::see_year_first(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!base::is_digit(text[at]) || (at > 0 && base::is_digit(text[at - 1]))) continue;
    std::string_view rest = text.substr(at);
    const auto year = take_digits(rest, 4, 4);
    if (!year || *year < kFirstYear || *year > kLastYear || rest.empty() || std::string_view("-/.").find(rest.front()) > 2)
      continue;
    const char mark = rest.front();
    rest.remove_prefix(1);
    const auto second = take_digits(rest, 1, 2);
    const auto third = second && take_char(rest, mark) ? take_digits(rest, 1, 2) : std::nullopt;
    if (!third || (!rest.empty() && base::is_digit(rest.front()))) continue;
    constexpr int kMonths = 12;
    is_month_proven_ |= *third > kMonths && day_millis(*year, *second, *third);
    if (*second > kMonths && day_millis(*year, *third, *second) && day_proof_.empty())
      day_proof_ = text.substr(at, text.size() - at - rest.size());
    return true;
  }
  return false;
}

DateLine OrderedDates::parse(std::string_view text) {
  // A month behind the year is the rule: one that proves it ends the search.
  if (!is_month_proven_ && see_year_first(text) && !options_.year_day_month.empty()) {
    DateLine refused;
    refused.problem = in_quotes(text) + ": behind the year stands the day in this file, as " +
                      in_quotes(options_.year_day_month) + " shows; write year, month, day";
    return refused;
  }
  return parse_in_order(text);
}

DateLine OrderedDates::parse_in_order(std::string_view text) {
  DateLine found = parse_date_line(text, options_.order);
  if (!found.numeric || (options_.order && asked_)) return found;
  if (options_.order) {
    asked_ = true;
    std::string denial = options_.denial ? options_.denial(*options_.order) : std::string();
    if (denial.empty()) return found;
    why_not_ = "--date-order=" + std::string(*options_.order == DateOrder::kMonthDayYear ? "mdy" : "dmy") +
               " cannot be right: " + denial;
    is_fault_ = true;
    options_.order.reset();
    found = parse_date_line(text, std::nullopt);
  }
  if (!std::exchange(asked_, true) && options_.decide) {
    DateRuling ruling = options_.decide();
    options_.order = ruling.order;
    is_fault_ = ruling.is_fault;
    why_not_ = std::move(ruling.why_not);
  }
  if (options_.order) return parse_date_line(text, options_.order);
  found.problem = two_days(found.numeric->text);
  found.midnight.reset();
  return found;
}

std::string OrderedDates::two_days(std::string_view date) const {
  if (is_fault_) return in_quotes(date) + ": " + why_not_;
  return in_quotes(date) + " can be two days, and " + why_not_ + "; --date-order=dmy or --date-order=mdy does";
}

namespace {

std::optional<base::UnixMillis> yearless_day(const DateLine& line, base::UnixMillis local, int step) {
  constexpr int kMostDays = 7 * 366;
  if (!line.yearless || local < 0) return std::nullopt;
  const base::UnixMillis of_day = line.time_of_day.value_or(0);
  base::UnixMillis day = local / base::kDayMillis * base::kDayMillis;
  if (step > 0 ? day + of_day < local : day + of_day > local) day += step * base::kDayMillis;
  for (int i = 0; i < kMostDays && day >= 0; ++i, day += step * base::kDayMillis) {
    // A year on, nothing rises by itself; the last one may be older where its weekday says so.
    if (i > 366 && (step > 0 || !line.weekday)) break;
    if (!line.fits_weekday(day)) continue;
    const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day / base::kDayMillis))};
    const bool is_day =
        line.yearless->month == 0 || (static_cast<int>(static_cast<unsigned>(date.month())) == line.yearless->month &&
                                      static_cast<int>(static_cast<unsigned>(date.day())) == line.yearless->day);
    if (is_day) return day;
  }
  return std::nullopt;
}

}  // namespace

std::optional<base::UnixMillis> first_day_after(const DateLine& line, base::UnixMillis local) {
  return yearless_day(line, local, 1);
}
std::optional<base::UnixMillis> last_day_before(const DateLine& line, base::UnixMillis local) {
  return line.yearless && line.yearless->month != 0 ? yearless_day(line, local, -1) : std::nullopt;
}

}  // namespace kmem::history
