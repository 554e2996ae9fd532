#include "collectors/history/date_order.h"

#include <tuple>
#include <utility>

#include "collectors/history/notes.h"

namespace kmem::history {
namespace {

constexpr std::int64_t kFarApart = 8;

}  // namespace

void DateOrderVotes::see(const DateLine& line) {
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
    if (line.weekday) ++(*line.weekday == weekday_at(*days[i]) ? fit.weekdays : fit.wrong);
    const base::UnixMillis time = *days[i] + line.time_of_day.value_or(0);
    if (fit.last && time < *fit.last) ++fit.falls;
    if (!fit.first) fit.first = time;
    fit.last = time;
  }
  differ_ |= days[0] != days[1] || (line.numeric->short_year && days[0] != days[2]);
}

std::optional<DateOrder> DateOrderVotes::decide() const {
  if (!differ_) return DateOrder::kMonthDayYear;
  // Year first is only for years of two digits.
  const std::size_t orders = any_long_year_ ? 2 : 3;
  const auto rank = [&](std::size_t i) {
    return std::tuple(fits_[i].wrong, ~fits_[i].weekdays, fits_[i].falls);
  };
  std::size_t best = 0;
  for (std::size_t i = 1; i < orders; ++i)
    if (rank(i) < rank(best)) best = i;
  std::size_t equal = 0;
  for (std::size_t i = 0; i < orders; ++i) equal += rank(i) == rank(best) ? 1 : 0;
  const auto year_first = static_cast<std::size_t>(DateOrder::kYearMonthDay);
  const auto day_first = static_cast<std::size_t>(DateOrder::kDayMonthYear);
  if (equal == 1) return static_cast<DateOrder>(best);
  if (all_dotted_ && rank(day_first) == rank(best) && orders == 2) return DateOrder::kDayMonthYear;
  // The year of two digits may stand at either end: days follow each other, years seldom do.
  if (equal == 2 && orders == 3 && rank(year_first) == rank(best)) {
    const base::UnixMillis one = fits_[best].span();
    const base::UnixMillis other = fits_[year_first].span();
    if (one > 0 && other > kFarApart * one) return static_cast<DateOrder>(best);
    if (other > 0 && one > kFarApart * other) return DateOrder::kYearMonthDay;
  }
  return std::nullopt;
}

DateLine OrderedDates::parse(std::string_view text) {
  DateLine found = parse_date_line(text, options_.order);
  if (!found.numeric || options_.order) return found;
  if (!std::exchange(asked_, true) && options_.decide) options_.order = options_.decide();
  if (options_.order) return parse_date_line(text, options_.order);
  found.problem = two_days(found.numeric->text);
  found.midnight.reset();
  return found;
}

std::string OrderedDates::two_days(std::string_view date) {
  return in_quotes(date) + " can be two days, and nothing in the file says which; --date-order=dmy or --date-order=mdy does";
}

}  // namespace kmem::history
