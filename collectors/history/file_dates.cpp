#include "collectors/history/file_dates.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/ascii_case.h"
#include "collectors/base/digit.h"
#include "collectors/history/date_words.h"

namespace kmem::history {
namespace {

constexpr std::uint64_t kLastHour = 23;

/// Its letters alone: what files of one series have in common.
std::string letters_of(std::string_view name) {
  std::string letters;
  for (const char c : name)
    if (!base::is_digit(c) && std::string_view(" _-.,()#").find(c) == std::string_view::npos)
      letters.push_back(base::ascii_lower(c));
  return letters;
}

std::string day_of(const DateLine& date) {
  return date.midnight ? std::to_string(*date.midnight) : date.numeric ? date.numeric->text : std::string();
}

/// Files of one series, by day.
struct NamesAlike {
  struct File {
    std::string path;
    std::optional<DateLine::Number> number;
  };
  std::map<std::string, std::vector<File>> days;
};

/// "logs/2026/11/14/18/" -> "2026-11-14_18"; empty: its last folders are no such numbers.
std::string date_of_folders(std::string_view folder) {
  constexpr std::array<std::size_t, 4> kDigits = {4, 2, 2, 2};
  std::vector<std::string_view> parts;
  while (!folder.empty() && parts.size() < kDigits.size()) {
    folder.remove_suffix(1);
    const std::string_view own = name_in(folder);
    if (own.empty() || own.find_first_not_of("0123456789") != std::string_view::npos) break;
    parts.insert(parts.begin(), own);
    folder.remove_suffix(own.size());
    if (own.size() == kDigits[0]) break;
  }
  if (parts.size() < 3 || parts[0].size() != kDigits[0]) return {};
  std::string date;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].size() != kDigits[i]) return {};
    date.append(i == 0 ? "" : i == 3 ? "_" : "-").append(parts[i]);
  }
  return date_in_name(date, std::nullopt).midnight ? date : std::string();
}

bool is_run(const std::set<std::uint64_t>& numbers) {
  return !numbers.empty() && *numbers.rbegin() - *numbers.begin() + 1 == numbers.size();
}

/// Whether the numbers may count files. Hours are those that leave out some, that begin in the midst of a day, or fill one.
bool may_count(const NamesAlike& series) {
  std::size_t most_of_a_day = 0, fewest_digits = SIZE_MAX, most_digits = 0;
  bool are_times = true, are_runs = true, go_on = true, is_some_alone = false, leave_out = true;
  std::optional<std::uint64_t> last;
  for (const auto& [day, files] : series.days) {
    std::set<std::uint64_t> numbers;
    bool is_one_without = false;
    for (const NamesAlike::File& file : files) {
      is_one_without |= !file.number;
      if (!file.number) continue;
      numbers.insert(file.number->value);
      are_times &= file.number->is_time;
      fewest_digits = std::min(fewest_digits, file.number->digits);
      most_digits = std::max(most_digits, file.number->digits);
    }
    if (numbers.empty()) continue;
    is_some_alone |= is_one_without;
    most_of_a_day = std::max(most_of_a_day, numbers.size());
    are_runs &= is_run(numbers) && *numbers.begin() <= 1;
    go_on &= is_run(numbers) && (!last || *numbers.begin() == *last + 1);
    last = *numbers.rbegin();
    if (fewest_digits == 2 && most_digits == 2 && numbers.size() == kLastHour + 1 && *last == kLastHour) return false;
    for (auto one = numbers.begin(); one != numbers.end() && std::next(one) != numbers.end(); ++one)
      leave_out &= *std::next(one) > *one + 1;
  }
  if (most_of_a_day == 0) return false;
  if (!are_times) return most_of_a_day > 1;
  const bool are_of_one_count = go_on && series.days.size() > 1;
  constexpr std::size_t kDigitsOfAnHour = 2;
  // "0000", "0001": of minutes one stands alone.
  if (most_digits > kDigitsOfAnHour) return most_of_a_day > 1 && (are_runs || are_of_one_count);
  if (is_some_alone) return true;
  if (fewest_digits < kDigitsOfAnHour) return !leave_out || most_of_a_day < 2 || are_of_one_count;
  return are_runs || are_of_one_count;
}

}  // namespace

FileDates::FileDates(const std::vector<std::string>& paths, std::optional<DateOrder> order) {
  std::map<std::string, NamesAlike> series;
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> by_folder;  // and letters of the name
  for (const std::string& path : paths) {
    Place& place = places_[path];
    const std::string_view name = name_in(path);
    const DateLine date = date_in_name(path, order);
    place.has_date = date.midnight || date.numeric;
    if (!place.has_date && !date.problem.empty()) {  // it has one that nothing else is to stand for
      place.has_date = true;
      continue;
    }
    if (place.has_date) {
      series[letters_of(name)].days[day_of(date)].push_back({path, date.number});
      continue;
    }
    std::string_view folder = std::string_view(path).substr(0, path.size() - name.size());
    place.folder = date_of_folders(folder);
    while (!folder.empty() && place.folder.empty()) {
      folder.remove_suffix(1);
      const std::string_view own = name_in(folder);
      if (date_in_name(own, order).midnight) place.folder = folder;
      folder.remove_suffix(own.size());
    }
    if (place.folder.empty()) continue;
    // "2026-09-01/1800.log": of the day the time, or a count.
    const std::string whole = place.folder + '_' + std::string(name);
    const DateLine timed = date_in_name(whole, order);
    if (base::is_digit(name.front()) && !date_in_name(place.folder, order).time_of_day && (timed.time_of_day || timed.number)) {
      place.folder = whole;
      series['/' + letters_of(name)].days[day_of(timed)].push_back({path, timed.number});
    } else {
      by_folder[{place.folder, letters_of(name)}].push_back(path);
    }
  }
  // A day on which several files were copied is the day of none of them.
  for (const auto& [folder, files] : by_folder)
    if (files.size() > 1)
      for (const std::string& path : files) places_[path].folder.clear();
  for (const auto& [letters, all] : series) {
    const bool are_counted = may_count(all);
    for (const auto& [day, files] : all.days) {
      std::set<std::uint64_t> numbers;
      bool is_one_without = false;
      for (const NamesAlike::File& file : files)
        if (file.number) numbers.insert(file.number->value);
        else is_one_without = true;
      for (const NamesAlike::File& file : files) {
        Place& place = places_[file.path];
        place.is_counted = are_counted && (file.number || files.size() > 1);
        if (place.is_counted && first_counted_.empty()) first_counted_ = file.path;
        else if (place.is_counted) place.like = first_counted_;
        if (file.number)
          place.rank = static_cast<std::size_t>(std::distance(numbers.begin(), numbers.find(file.number->value))) +
                       (is_one_without ? 1 : 0);
      }
    }
  }
}

FileDate FileDates::of(const std::string& path, const DateOptions& options) const {
  FileDate found;
  const auto known = places_.find(path);
  if (known == places_.end() || known->second.folder.empty()) {
    found.date = date_in_name(path, options);
  } else {
    found.date = date_in_name(known->second.folder, options);
    found.rule = "the name of the file's folder";
    found.is_of_folder = true;
  }
  if (known == places_.end() || !known->second.is_counted || !found.date.midnight) return found;
  found.date.time_of_day = static_cast<std::int64_t>(known->second.rank);
  if (known->second.like.empty())
    found.rule +=
        "; the number behind its date may count the day's files, and is taken for no hour: the time is the day alone, on "
        "which files stand in the order of their numbers, 1 ms apart";
  else found.rule += ": the day alone, as of " + known->second.like;
  return found;
}

bool FileDates::is_dateless(const std::string& path) const {
  const auto known = places_.find(path);
  return known != places_.end() && !known->second.has_date && known->second.folder.empty();
}

}  // namespace kmem::history
