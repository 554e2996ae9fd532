#include "collectors/history/host_lines.h"

#include <algorithm>

#include "collectors/base/ascii_case.h"
#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_words.h"
#include "collectors/history/row_text.h"

namespace kmem::history {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::size_t kMostNames = 1000, kMostLevels = 64, kFewestLevels = 2;
constexpr std::uint64_t kFewestBytesThatCount = 4096;

bool is_name(std::string_view word) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto may_be = [&](char c) { return is_letter(c) || base::is_digit(c) || c == '-' || c == '_' || c == '.'; };
  return word.size() > 1 && word.size() <= kLongestName && std::all_of(word.begin(), word.end(), may_be) &&
         std::any_of(word.begin(), word.end(), is_letter);
}

/// Of a line that a tool or a shell writes before what comes of a host: "SRV1 | CHANGED | rc=0 >>" (Ansible),
/// "[SRV1]: PS C:\\>", "SRV1\\admin> poolmon", "root@srv1:~# cat ...". Empty: it is none of them.
std::string_view told_by_tool(std::string_view text) {
  if (const std::size_t bar = text.find(" | ");
      bar != std::string_view::npos && text.find("rc=", bar) != std::string_view::npos)
    for (const std::string_view state : {"CHANGED", "SUCCESS", "FAILED"})
      if (text.substr(bar + 3).starts_with(state)) return text.substr(0, bar);
  if (const std::size_t end = text.find("]: PS "); text.starts_with('[') && end != std::string_view::npos)
    return text.substr(1, end - 1);
  const std::size_t prompt = text.find_first_of(" >$#|");
  if (prompt == std::string_view::npos || text[prompt] == ' ' || text[prompt] == '|') return {};
  const std::string_view before = text.substr(0, prompt);
  if (const std::size_t slash = before.find('\\'); text[prompt] == '>' && slash != std::string_view::npos)
    return is_name(before.substr(slash + 1)) ? before.substr(0, slash) : std::string_view();
  const std::size_t at = before.find('@'), colon = before.find(':');
  if (text[prompt] == '>' || at == std::string_view::npos || colon == std::string_view::npos || colon < at) return {};
  return before.substr(at + 1, colon - at - 1);
}

template <std::size_t kWords>
bool is_any_of(std::string_view text, const std::string_view (&words)[kWords]) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) { return same_word(text, word); });
}

/// A heading of what stands below it, or of when, and no host's: "poolmon", "before", "run1", "v1.2", "Mon".
bool names_no_host(std::string_view text) {
  constexpr std::string_view kNumbered[] = {
      "poolmon", "poolsnap", "memsnap",     "poolused",  "pool",    "memory", "mem",      "slabinfo", "slabtop",
      "slab",    "meminfo",  "vmallocinfo", "allocinfo", "sar",     "sadf",   "uptime",   "vmstat",   "run",
      "lauf",    "day",      "tag",         "week",      "woche",   "kw",     "w",        "cw",       "month",
      "hour",    "version",  "ver",         "v",         "r",       "rev",    "build",    "phase",    "step",
      "part",    "try",      "attempt",     "round",     "cycle",   "sample", "snapshot", "snap",     "dump",
      "look",    "capture",  "log",         "file",      "reading", "no",     "nr",       "q"};
  constexpr std::string_view kAlone[] = {
      "before",   "after",     "later",     "vorher",  "nachher",   "night",    "nacht",     "noon",     "am",       "pm",
      "morning",  "evening",   "afternoon", "today",   "yesterday", "now",      "idle",      "busy",     "load",     "loaded",
      "unloaded", "peak",      "quiet",     "rest",    "high",      "low",      "start",     "started",  "stop",     "end",
      "begin",    "continued", "again",     "restart", "reboot",    "rebooted", "on",        "off",      "old",      "new",
      "alt",      "neu",       "first",     "second",  "third",     "last",     "next",      "previous", "baseline", "test",
      "prod",     "backup",    "normal",    "good",    "bad",       "patched",  "unpatched", "weekend",  "weekday",  "output",
      "data",     "results",   "result",    "update",  "updated"};
  bool is_word = false;
  while (!text.empty()) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto end = std::find_if_not(text.begin(), text.end(), is_letter);
    const std::string_view word = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    const bool is_alone = end == text.end() || !base::is_digit(*end);
    if (word.empty()) {
      text.remove_prefix(1);
      continue;
    }
    if (!is_any_of(word, kNumbered) && !(is_alone && is_any_of(word, kAlone)) && month_of(word) == 0 && !weekday_of(word, true))
      return false;
    is_word = true;
    text.remove_prefix(word.size());
  }
  return is_word;
}

}  // namespace

std::string host_in_line(std::string_view line, bool& is_named) {
  is_named = false;
  std::string_view text = trimmed(line);
  if (const std::string_view told = told_by_tool(text); is_name(told)) {
    is_named = true;
    return std::string(told);
  }
  const std::size_t begin = text.find_first_not_of("=-#*[<> "), end = text.find_last_not_of("=-#*]<> :");
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return {};
  const bool is_marked = begin > 1 || (begin == 1 && text.front() == '[');
  const bool is_of_file = text.starts_with("==> ") && text.ends_with(" <==");
  text = text.substr(begin, end - begin + 1);
  if (is_of_file) text = text.substr(0, text.find('.'));  // head -v, tail -v
  for (const std::string_view word : {"Computer", "ComputerName", "Computer name", "PSComputerName", "Host", "Hostname",
                                      "Host name", "Server", "Node", "Rechner", "Ordinateur", "Equipo"})
    if (text.size() > word.size() && same_word(text.substr(0, word.size()), word)) {
      std::string_view behind = trimmed(text.substr(word.size()));
      if (behind.empty() || (behind.front() != ':' && behind.front() != '=')) continue;
      text = trimmed(behind.substr(1));
      is_named = is_name(text);
      return is_named ? std::string(text) : std::string();
    }
  if (!is_name(text) || names_no_host(text) || (!is_marked && std::none_of(text.begin(), text.end(), base::is_digit)))
    return {};
  return std::string(text);
}

void HostLines::see(std::string_view line, std::optional<base::UnixMillis> time) {
  bool is_named = false;
  std::string name = host_in_line(line, is_named);
  const bool falls = time && last_ && *time <= *last_;
  if (time) last_ = time;
  if (name.empty()) return;
  name_ = name;
  ++seen_;
  is_named_ |= is_named;
  const bool is_new = !names_.contains(name);
  if (is_new && !names_.empty()) falls_ += falls ? 1 : 0;
  if (names_.size() < kMostNames || names_.contains(name)) ++names_[name];
}

void HostLines::compare(const Levels& one, const Levels& other, Steps& steps) {
  const Levels &first = one.time <= other.time ? one : other, &second = one.time <= other.time ? other : one;
  std::size_t shared = 0, far = 0, counted = 0, fallen = 0;
  for (auto a = first.values.begin(), b = second.values.begin(); a != first.values.end() && b != second.values.end();) {
    if (a->key != b->key) {
      a->key < b->key ? ++a : ++b;
      continue;
    }
    const auto [least, most] = std::minmax(a->bytes, b->bytes);
    if (most >= kFewestBytesThatCount) {
      ++shared;
      far += most - least > most / 4 ? 1 : 0;
      counted += a->is_counted && b->is_counted ? 1 : 0;
      fallen += a->is_counted && b->is_counted && b->allocations < a->allocations ? 1 : 0;
    }
    ++a, ++b;
  }
  if (shared < kFewestLevels) return;
  ++steps.all;
  steps.far += far * 10 > shared * 6 ? 1 : 0;
  if (counted * 2 < shared) return;
  ++steps.counted;
  steps.fallen += fallen * 4 > counted ? 1 : 0;
  steps.mixed += fallen * 4 > counted && fallen * 10 < counted * 9 ? 1 : 0;
}

void HostLines::take(const Snapshot& look) {
  if (name_.empty()) is_any_above_ = true;
  Levels now;
  now.time = look.time;
  for (const TagUsage& tag : look.tags) now.values.push_back({tag.key, tag.bytes, tag.allocations, tag.counter_bits != 0});
  for (const PoolTotals& pool : look.pools)
    if (look.tags.empty() && pool.bytes) now.values.push_back({static_cast<std::uint64_t>(pool.pool), *pool.bytes, 0, false});
  if (name_.empty() || now.values.empty()) return;
  std::sort(now.values.begin(), now.values.end(), [](const Level& a, const Level& b) { return a.key < b.key; });
  if (now.values.size() > kMostLevels) now.values.resize(kMostLevels);
  now.values.shrink_to_fit();
  const auto known = known_.find(name_);
  if (known != known_.end()) compare(known->second, now, within_);
  if (!above_last_.empty() && above_last_ != name_) {
    compare(levels_, now, between_);
    returns_ += known != known_.end() ? 1 : 0;
  }
  above_last_ = name_;
  if (known != known_.end() || known_.size() < kMostNames) known_.insert_or_assign(name_, now);
  levels_ = std::move(now);
}

bool HostLines::are_hosts() const {
  if (names_.size() < 2) return false;
  if (is_named_ || falls_ + 1 == names_.size()) return true;
  const bool come_again = seen_ >= 2 * names_.size();
  if (between_.all == 0) return come_again;
  const bool are_numbered = std::all_of(names_.begin(), names_.end(), [](const auto& one) {
    return std::any_of(one.first.begin(), one.first.end(), base::is_digit);
  });
  // What is others within one name all the time tells nothing between two.
  const bool are_levels = between_.far * 2 > between_.all && within_.far * 2 <= within_.all;
  if (between_.counted * 2 > between_.all) {
    if (returns_ > 0) return between_.fallen * 3 >= between_.counted;
    if (are_numbered) return between_.fallen * 2 > between_.counted || are_levels;
    return between_.mixed * 2 > between_.counted;
  }
  if (are_levels) return returns_ > 0 || are_numbered;
  return come_again && are_numbered;
}

}  // namespace kmem::history
