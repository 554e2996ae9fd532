#include "collectors/history/hosts_by_name.h"

#include <algorithm>
#include <array>

#include "collectors/base/ascii_case.h"
#include "collectors/base/digit.h"
#include "collectors/base/fnv.h"
#include "collectors/history/date_words.h"

namespace kmem::history {
namespace {

using base::is_digit;

constexpr std::size_t kMostGroups = 256;    // that are compared
constexpr std::size_t kMostSubjects = 256;  // of each, those of the least keys: of all the same ones
constexpr std::size_t kFewestProofs = 2;    // one value may be a slip
constexpr std::size_t kFewOf = 5;           // a fifth of the values
constexpr std::array<std::string_view, 8> kEndings = {"log", "txt", "csv", "tsv", "out", "dat", "prn", "json"};
constexpr std::string_view kBetweenWords = "_-. ()[]{},+=@#~&";

struct Word {
  std::string_view text;
  char mark = 0;  // before it
};

std::vector<Word> words_of(std::string_view name) {
  std::vector<Word> words;
  char mark = 0;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find_first_of(kBetweenWords), name.size());
    if (end > 0) words.push_back({name.substr(0, end), mark});
    if (end == name.size()) break;
    mark = name[end];
    name.remove_prefix(end + 1);
  }
  return words;
}

bool is_number(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

/// "20260901", "2026", "0600", "01T00", "00Z", "08Nov2026": of a date or time whatever stands beside it.
bool is_of_date(std::string_view text) {
  if (is_number(text)) return text.size() >= 4;
  if (!is_digit(text.front())) return false;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string_view rest = text.substr(digits);
  const std::size_t letters = std::min(rest.find_first_of("0123456789"), rest.size());
  const std::string_view word = rest.substr(0, letters);
  rest.remove_prefix(letters);
  if (word == "Z" || base::equal_ignoring_case(word, "am") || base::equal_ignoring_case(word, "pm")) return rest.empty();
  const bool parts_time = word == "T" || word == "t" || base::equal_ignoring_case(word, "h") || month_of(word) != 0;
  return parts_time && (rest.empty() || is_number(rest) || (rest.back() == 'Z' && is_number(rest.substr(0, rest.size() - 1))));
}

/// How many words from `at` are a date or a time in short numbers that one mark parts: 05-09-2026, 12.30, 2026-09-01.
std::size_t numbers_of_date(const std::vector<Word>& words, std::size_t at) {
  std::size_t end = at;
  while (end < words.size() && is_number(words[end].text) && words[end].text.size() <= 4 &&
         (end <= at + 1 || words[end].mark == words[at + 1].mark))
    ++end;
  const std::size_t length = end - at;
  return length < 2 ? 0 : length;
}

/// "08-Nov-2026", "Nov-08": a month's name and a number beside it.
bool is_month_beside_number(const std::vector<Word>& words, std::size_t at) {
  const auto is_day = [&](std::size_t i) { return i < words.size() && is_number(words[i].text); };
  const auto is_month = [&](std::size_t i) {
    return i < words.size() && words[i].text.size() >= 3 && month_of(words[i].text) != 0;
  };
  return (is_day(at) && is_month(at + 1)) || (is_month(at) && (is_day(at + 1) || (at > 0 && is_day(at - 1))));
}

bool is_address(const std::vector<Word>& words, std::size_t at) {
  for (std::size_t i = at; i < at + 4; ++i)
    if (i >= words.size() || !is_number(words[i].text) || words[i].text.size() > 3 || (i > at && words[i].mark != '.'))
      return false;
  return at + 4 == words.size() || words[at + 4].mark != '.' || !is_number(words[at + 4].text);
}

void add_parts(std::string_view name, bool is_last, std::vector<std::string>& parts) {
  std::vector<Word> words = words_of(name);
  const auto is_ending = [](std::string_view text) {
    return std::any_of(kEndings.begin(), kEndings.end(),
                       [&](std::string_view one) { return base::equal_ignoring_case(one, text); });
  };
  // A counter stands last, or last before the ending.
  const auto take_counter = [&] {
    const auto is_counter = [&](const Word& word) { return is_number(word.text) && word.text.size() < 4; };
    if (words.size() < 2 || !is_counter(words.back())) return;
    const Word& above = words[words.size() - 2];
    if (is_number(above.text) && above.text.size() <= 4 && words.back().mark != '(') return;  // of a date
    words.pop_back();
  };
  if (is_last) {
    take_counter();
    if (words.size() > 1 && words.back().mark == '.' && is_ending(words.back().text)) words.pop_back();
    take_counter();
  }
  bool is_behind_date = false;
  for (std::size_t i = 0; i < words.size();) {
    const std::string_view word = words[i].text;
    if (is_address(words, i)) {
      const std::string_view last = words[i + 3].text;
      parts.emplace_back(word.data(), static_cast<std::size_t>(last.data() + last.size() - word.data()));
      is_behind_date = false;
      i += 4;
      continue;
    }
    std::size_t numbers = numbers_of_date(words, i);
    // "SRV-01-2026-09-01": the number before the year is none of the date's.
    if (numbers == 4 && words[i + 1].text.size() == 4 && !is_behind_date) numbers = 0;
    else if (numbers == 0 && (is_of_date(word) || is_month_beside_number(words, i) || (is_behind_date && is_number(word))))
      numbers = 1;
    is_behind_date = numbers > 0;
    if (numbers == 0) parts.emplace_back(word);
    i += std::max<std::size_t>(numbers, 1);
  }
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : " ") + part;
  return text;
}

}  // namespace

std::vector<std::string> parts_of_name(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t slash = path.find_first_of("/\\");
    add_parts(path.substr(0, slash), slash == std::string_view::npos, parts);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return parts;
}

HostsByName::HostsByName(const std::vector<std::string>& paths) : paths_(paths) {
  std::map<std::string, std::size_t> known;
  for (const std::string& path : paths) {
    std::vector<std::string> parts = parts_of_name(path);
    std::string key = joined(parts);
    for (char& c : key) c = base::ascii_lower(c);
    if (known.size() >= kMostGroups && !known.contains(key)) continue;
    const auto [found, is_new] = known.try_emplace(std::move(key), groups_.size());
    if (is_new) groups_.push_back({std::move(parts), {}, {}, 0});
    group_of_[path] = found->second;
  }
}

HostsByName::Reading HostsByName::reading_of(const Snapshot& look) {
  Reading reading;
  reading.time = look.time;
  std::vector<Value>& values = reading.values;
  for (const TagUsage& tag : look.tags)
    values.push_back({tag.key, tag.counter_bits != 0 ? tag.allocations : tag.bytes, tag.counter_bits != 0, tag.bytes});
  reading.kind = values.empty() ? 0 : 1;
  if (reading.kind == 0) {
    for (const ProcessUsage& process : look.processes)
      values.push_back(
          {base::fnv1a(process.name) ^ process.pid,
           process.handles.value_or(0) + process.paged_pool_bytes.value_or(0) + process.nonpaged_pool_bytes.value_or(0), false,
           0});
    reading.kind = values.empty() ? 0 : 2;
  }
  if (reading.kind == 0) {
    for (const PoolTotals& pool : look.pools)
      if (pool.bytes) values.push_back({static_cast<std::uint64_t>(pool.pool), *pool.bytes, false, 0});
    reading.kind = values.empty() ? 0 : 3;
  }
  std::sort(values.begin(), values.end(), [](const Value& a, const Value& b) { return a.key < b.key; });
  if (values.size() > kMostSubjects) {
    values.resize(kMostSubjects);
    values.shrink_to_fit();
  }
  return reading;
}

namespace {

/// Calls `each` with the values of all subjects that both have.
template <class Values, class Each>
void for_each_shared(const Values& one, const Values& other, Each each) {
  for (auto a = one.begin(), b = other.begin(); a != one.end() && b != other.end();) {
    if (a->key == b->key) each(*a++, *b++);
    else if (a->key < b->key) ++a;
    else ++b;
  }
}

}  // namespace

std::size_t HostsByName::differing(const Reading& one, const Reading& other) {
  // What neither has tells nothing. Two looks at one host within a second may differ, but of few values by much.
  std::size_t shared = 0, other_values = 0, far = 0;
  for_each_shared(one.values, other.values, [&](const Value& a, const Value& b) {
    if (a.amount == 0 && b.amount == 0 && a.bytes == 0 && b.bytes == 0) return;
    ++shared;
    other_values += a.amount != b.amount || a.bytes != b.bytes ? 1 : 0;
    const auto [low, high] = std::minmax(a.amount, b.amount);
    far += high - low > high / 10 ? 1 : 0;
  });
  return other_values * 2 > shared || far * kFewOf > shared ? other_values : 0;
}

std::size_t HostsByName::standing_out(const Reading& before, const Reading& between, const Reading& after) {
  // Of a host that was restarted counters fall, which tells nothing.
  std::size_t shared = 0, outside = 0;
  auto first = before.values.begin();
  for_each_shared(between.values, after.values, [&](const Value& mid, const Value& last) {
    while (first != before.values.end() && first->key < mid.key) ++first;
    if (first == before.values.end() || first->key != mid.key || (mid.is_counter && last.amount < first->amount)) return;
    // What never moves may be the same on twins.
    if (first->amount == mid.amount && mid.amount == last.amount && first->bytes == mid.bytes && mid.bytes == last.bytes)
      return;
    ++shared;
    const auto is_outside = [](std::uint64_t one, std::uint64_t value, std::uint64_t other) {
      return value < std::min(one, other) || value > std::max(one, other);
    };
    const bool stands_still = first->amount == last.amount;  // of a counter: then bytes do, too
    if (is_outside(first->amount, mid.amount, last.amount) || (stands_still && is_outside(first->bytes, mid.bytes, last.bytes)))
      ++outside;
  });
  return outside * 2 > shared ? outside : 0;
}

void HostsByName::see(const std::string& path, const Snapshot& look) {
  const auto found = group_of_.find(path);
  if (groups_.size() < 2 || found == group_of_.end()) return;
  const std::size_t own = found->second;
  Group& group = groups_[own];
  Reading now = reading_of(look);
  if (now.kind == 0 || now.time < group.last.time) return;
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    const Reading& other = groups_[i].last;
    if (i == own || other.kind != now.kind || other.time < group.last.time) continue;
    const bool is_same_time = other.time == now.time;
    if (!is_same_time && (group.last.kind != now.kind || other.time == group.last.time)) continue;
    const std::size_t proofs = is_same_time ? differing(now, other) : standing_out(group.last, other, now);
    if (proofs > 0) apart_[std::minmax(i, own)] += proofs;
  }
  group.last = std::move(now);
  if (group.readings++ == 0) group.path = path;
}

std::optional<std::pair<std::string, std::string>> HostsByName::doubtful() const {
  const Group* first = nullptr;
  for (const Group& group : groups_) {
    if (group.readings != 1) continue;
    if (first != nullptr && first->last.kind == group.last.kind && first->last.time != group.last.time &&
        differing(first->last, group.last) > 0)
      return std::pair{first->path, group.path};
    if (first == nullptr) first = &group;
  }
  return std::nullopt;
}

std::map<std::string, std::string> HostsByName::hosts() const {
  using Parts = std::vector<std::string>;
  std::map<std::string, std::string> hosts;
  std::vector<std::pair<const Parts*, const Parts*>> apart;
  for (const auto& [both, proofs] : apart_)
    if (proofs >= kFewestProofs) apart.emplace_back(&groups_[both.first].parts, &groups_[both.second].parts);
  if (apart.empty()) return hosts;
  // One word that tells all of them apart, counted from the left or from the right; else all words.
  std::size_t words = std::string::npos;
  for (const auto& [a, b] : apart) words = std::min({words, a->size(), b->size()});
  const auto word = [](const Parts& parts, std::size_t at, bool from_right) -> std::string {
    return at >= parts.size() ? std::string() : parts[from_right ? parts.size() - 1 - at : at];
  };
  std::optional<std::pair<std::size_t, bool>> where;
  for (const bool from_right : {false, true})
    for (std::size_t at = 0; at < words && !where; ++at)
      if (std::all_of(apart.begin(), apart.end(), [&](const auto& both) {
            return !base::equal_ignoring_case(word(*both.first, at, from_right), word(*both.second, at, from_right));
          }))
        where = {at, from_right};
  for (const std::string& path : paths_) {
    const std::vector<std::string> parts = parts_of_name(path);
    std::string host = where ? word(parts, where->first, where->second) : joined(parts);
    if (!host.empty()) hosts[path] = std::move(host);
  }
  return hosts;
}

}  // namespace kmem::history
