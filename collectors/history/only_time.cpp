#include "collectors/history/only_time.h"

#include <utility>

namespace kmem::history {

using base::UnixMillis;

OnlyTime only_time(const std::string& path, const TextOptions& options) {
  const FileDate name = options.date_of_name(path);
  OnlyTime found{utc_of(name.date), name.rule, name.date.problem};
  if (!found.problem.empty() && !found.time) return found;
  const auto is_shared = [&] { return options.modified_is_shared && options.modified_is_shared(); };
  // Written on the day that the folder is of: that tells the hour.
  constexpr UnixMillis kFarthestZone = 14 * base::kHourMillis;
  const bool is_of_day = name.is_of_folder && !name.date.time_of_day && found.time && options.modified &&
                         *options.modified >= *found.time - kFarthestZone &&
                         *options.modified < *found.time + base::kDayMillis + kFarthestZone && !is_shared();
  if (found.time && !is_of_day) return found;
  found.is_shared = !found.time && options.modified && is_shared();
  if (found.is_shared) return found;
  found.time = options.modified;
  found.rule.clear();
  return found;
}

std::string told_of(const OnlyTime& found) {
  return found.rule.empty() ? "no time in the text: its only table gets the time the file was modified"
                            : "no time in the text: it is taken from " + found.rule;
}

std::optional<UnixMillis> time_of_only_table(const TextOptions& options, FileNotes& notes) {
  const OnlyTime only = only_time(notes.path(), options);
  if (!only.time) {
    if (!only.problem.empty()) notes.skip(1, "no time in the text, and " + only.problem);
    else if (only.is_shared) notes.skip(1, kSharedTime);
    return std::nullopt;
  }
  notes.warn(told_of(only));
  notes.timed_by(only.rule.empty() ? "when the file was modified" : only.rule);
  return only.time;
}

}  // namespace kmem::history
