#include "collectors/history/line_prefix.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/date_line.h"
#include "collectors/history/linux_text.h"
#include "collectors/history/notes.h"
#include "collectors/history/recognise.h"
#include "collectors/history/text_header.h"
#include "collectors/history/zone_names.h"

namespace kmem::history {
namespace {

using base::is_digit;

constexpr std::size_t kFewestLines = 3;
constexpr std::size_t kMostLayers = 3;
constexpr std::size_t kLongestBefore = 255;
constexpr std::int64_t kPauseSeconds = 2, kDaySeconds = 86'400;
constexpr std::string_view kNoLine = "\n";
/// Behind the time in a log of a container's runtime: a whole line of that stream.
bool is_stream(std::string_view name) { return name == "stdout F" || name == "stderr F"; }

std::vector<std::string_view> lines_of(std::string_view head) {
  std::vector<std::string_view> lines;
  while (!head.empty()) {
    const std::size_t end = head.find_first_of("\r\n");
    if (end == std::string_view::npos && !lines.empty()) break;  // it may be cut
    lines.push_back(head.substr(0, end));
    if (end == std::string_view::npos) break;
    head.remove_prefix(end + (head.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return lines;
}

/// Of `!vm`, which has no heading of its own.
bool is_of_debugger(std::string_view text) {
  return text.starts_with("Debug session time:") || ((text.starts_with("NonPagedPool") || text.starts_with("PagedPool")) &&
                                                     text.find(" Usage:") != std::string_view::npos);
}

bool begins_something(std::string_view line) {
  std::string written;
  const std::string_view text = trimmed(as_written(line, written));
  return is_of_debugger(text) || !begins_other(text).empty();
}

/// "  12:", how far; 0: no number stands there.
std::size_t number_end(std::string_view line, std::uint64_t& number) {
  std::size_t at = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t begin = at;
  for (number = 0; at < line.size() && is_digit(line[at]) && at - begin < 9; ++at)
    number = number * 10 + static_cast<std::uint64_t>(line[at] - '0');
  return at == begin || (at < line.size() && is_digit(line[at])) ? 0 : at;
}

std::size_t blanks_at(std::string_view text) { return std::min(text.find_first_not_of(' '), text.size()); }

/// "pool.log" of "pool.log:...", of "C:\pool.log:..."; empty: none.
std::string_view name_before(std::string_view line, char mark) {
  const std::size_t drive = line.size() > 3 && line[1] == ':' && (line[2] == '\\' || line[2] == '/') ? 2 : 0;
  const std::size_t end = line.find(mark, drive);
  if (end == std::string_view::npos || end == 0 || end > kLongestBefore) return {};
  std::string_view name = line.substr(0, end);
  if (mark == '|') name = trimmed(name);
  // "18:10:01", also behind a mark of the direction of writing, or a line's number.
  const bool is_number =
      std::all_of(name.begin(), name.end(), [](char c) { return is_digit(c) || static_cast<unsigned char>(c) >= 0x80; });
  if (mark == ':' && is_number) return {};
  // "[2026-11-05T18": a time that is none that is known, and no file's name.
  const std::string_view stamp = name.substr(name.starts_with('[') ? 1 : 0);
  constexpr std::size_t kDay = 10;
  if (stamp.size() > kDay && stamp[kDay] == 'T' &&
      stamp.substr(0, kDay).find_first_not_of("0123456789-") == std::string_view::npos &&
      stamp.find(".log") == std::string_view::npos)
    return {};
  return name.find_first_of(" \t\"'<>,;={}()#") == std::string_view::npos ? name : std::string_view();
}

bool is_file(std::string_view name) {
  if (name.find_first_of("/\\") != std::string_view::npos) return true;
  for (const std::string_view end : {".log", ".txt", ".csv", ".out", ".dat", ".old", ".1"})
    if (name.size() > end.size() && same_word(name.substr(name.size() - end.size()), end)) return true;
  return false;
}

bool is_proc(std::string_view name) { return name.starts_with("/proc/"); }

/// "18:00:01" in it: where, and the second of the day; npos: none.
std::size_t clock_in(std::string_view text, std::int64_t& second) {
  for (std::size_t at = 0; at + 4 <= text.size(); ++at) {
    if (!is_digit(text[at]) || (at > 0 && (is_digit(text[at - 1]) || text[at - 1] == ':'))) continue;
    std::string_view rest = text.substr(at);
    std::array<std::int64_t, 3> parts{};
    std::size_t count = 0;
    while (count < parts.size()) {
      const bool has_two = rest.size() > 1 && is_digit(rest[1]);
      if (rest.empty() || !is_digit(rest[0]) || (!has_two && count > 0)) break;
      parts[count++] = has_two ? (rest[0] - '0') * 10 + (rest[1] - '0') : rest[0] - '0';
      rest.remove_prefix(has_two ? 2 : 1);
      if (rest.empty() || rest.front() != ':') break;
      rest.remove_prefix(1);
    }
    if (count < 2 || (at > 0 && is_digit(text[at - 1])) || parts[0] > 24 || parts[1] > 59 || parts[2] > 60) continue;
    second = parts[0] * 3600 + parts[1] * 60 + parts[2];
    return at;
  }
  return std::string_view::npos;
}

/// A time with its day at the beginning of a line, a blank behind it.
struct TimeBefore {
  std::string_view text;
  std::size_t end = 0;  // of it and one blank; 0: none
};
TimeBefore time_before(std::string_view line) {
  constexpr std::size_t kMostWords = 6, kLongest = 60;
  if (line.empty()) return {};
  const bool is_in_brackets = line.front() == '[' || line.front() == '(';
  if (is_in_brackets) {
    const std::size_t close = line.find(line.front() == '[' ? ']' : ')');
    if (close == std::string_view::npos || close > kLongest) return {};
    const std::string_view text = line.substr(1, close - 1);
    const DateLine found = parse_date_line(text);
    if (!parse_unix_line(text) && (!found.time_of_day || (!found.midnight && !found.numeric && !found.yearless))) return {};
    std::size_t end = close + 1;
    if (end < line.size() && line[end] == ':') ++end;
    if (end < line.size() && line[end] != ' ' && line[end] != '\t') return {};
    return {text, std::min(end + 1, line.size())};
  }
  if (!is_digit(line.front()) && !(line.front() >= 'A' && line.front() <= 'Z')) return {};
  // The fewest words that are a date with its time; behind them its half of the day, zone and year.
  TimeBefore found;
  std::size_t at = 0;
  bool is_yearless = false;
  for (std::size_t words = 0; words < kMostWords && at < line.size() && at < kLongest; ++words) {
    const std::size_t begin = at;
    at = std::min(line.find_first_of(" \t", at), line.size());
    std::string_view text = line.substr(0, at);
    const std::size_t end = std::min(at + 1, line.size());
    at = std::min(line.find_first_not_of(" \t", at), line.size());
    if (text.ends_with(':')) text.remove_suffix(1);
    if (text.size() > kLongest) break;
    if (found.end != 0) {
      const std::string_view word = text.substr(begin);
      const bool is_year = is_yearless && begin == found.end && word.size() == 4 && word >= "1993" && word <= "2099";
      if (!is_year && !zone_named(word) && !same_word(word, "AM") && !same_word(word, "PM")) break;
      found = {text, end};
      continue;
    }
    std::int64_t second = 0;
    if (words == 0 && parse_unix_line(text) && text.find_first_not_of("0123456789.") == std::string_view::npos)
      return {text, end};
    if (clock_in(text, second) == std::string_view::npos) continue;
    const DateLine date = parse_date_line(text);
    if (date.problem.empty() && date.time_of_day && (date.midnight || date.numeric || date.yearless)) found = {text, end};
    is_yearless = date.yearless.has_value();
  }
  return found;
}

/// "srv1 mon[12]: " behind syslog's time: "srv1 mon", and how far.
std::string syslog_words(std::string_view rest, std::size_t& end) {
  if (constexpr std::size_t kStream = 8; is_stream(rest.substr(0, kStream))) {
    end = std::min(kStream + 1, rest.size());
    return std::string(rest.substr(0, kStream));
  }
  const std::size_t blank = rest.find(' ');
  if (blank == 0 || blank == std::string_view::npos || blank > kLongestBefore) return {};
  const std::string_view host = rest.substr(0, blank);
  if (host.find_first_of(":,;=#\"()|") != std::string_view::npos) return {};
  const std::string_view behind = rest.substr(blank + 1);
  const std::size_t colon = behind.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon > kLongestBefore) return {};
  std::string_view program = behind.substr(0, colon);
  if (program.ends_with(']')) {
    const std::size_t open = program.find('[');
    if (open == std::string_view::npos || program.substr(open + 1).find_first_not_of("0123456789]") != std::string_view::npos)
      return {};
    program = program.substr(0, open);
  }
  if (program.empty() || program.find_first_of(" \t[]\"'<>") != std::string_view::npos) return {};
  end = blank + 1 + colon + 1;
  if (end < rest.size() && rest[end] == ' ') ++end;
  return std::string(host) + " " + std::string(program);
}

bool is_upper_hex(char c) { return is_digit(c) || (c >= 'A' && c <= 'F'); }
int hex_of(char c) { return is_digit(c) ? c - '0' : c - 'A' + 10; }

void decode_printable(std::string& line) {
  std::size_t to = 0;
  for (std::size_t at = 0; at < line.size(); ++at, ++to) {
    if (line[at] == '=' && at + 2 < line.size() && is_upper_hex(line[at + 1]) && is_upper_hex(line[at + 2])) {
      line[to] = static_cast<char>(hex_of(line[at + 1]) * 16 + hex_of(line[at + 2]));
      at += 2;
    } else {
      line[to] = line[at];
    }
  }
  line.resize(to);
}

}  // namespace

std::optional<LinePrefix> LinePrefix::of(std::string_view head) {
  LinePrefix found;
  std::vector<std::string> storage;
  std::vector<std::string_view> lines = lines_of(head);
  std::string taken;
  // As `cat -A` and a shell's own lines end.
  for (const char mark : {'$', '\\'}) {
    const auto ends_so = [&](std::string_view line) { return line.ends_with(mark) || line.empty(); };
    if (lines.size() < 2 || lines.front().empty() || !std::all_of(lines.begin(), lines.end(), ends_so)) continue;
    found.layers_.push_back({.kind = Kind::kEnds, .mark = mark});
    taken = found.taken_off(head);
    lines = lines_of(taken);
    break;
  }
  const std::size_t ends = found.layers_.size();
  const bool are_quoted = !lines.empty() && std::all_of(lines.begin(), lines.end(), [](std::string_view line) {
    return line.starts_with('>') || trimmed(line).empty();
  });
  if (are_quoted) {
    found.layers_.push_back({.kind = Kind::kQuotes});
    taken = found.taken_off(head);
    lines = lines_of(taken);
  }
  const bool are_added = lines.size() >= kFewestLines && std::all_of(lines.begin(), lines.end(), [](std::string_view line) {
                           return line.starts_with('+') || line.empty();
                         });
  if (are_added) {
    found.layers_.push_back({.kind = Kind::kAdded});
    taken = found.taken_off(head);
    lines = lines_of(taken);
  }
  while (found.layers_.size() < kMostLayers && found.problem_.empty()) {
    if (lines.size() < kFewestLines) break;
    std::optional<Layer> layer = found.layers_.empty() ? find_soft_ends(lines) : std::nullopt;
    if (!layer) layer = find_number(lines);
    if (!layer) layer = found.find_stamp(lines);
    if (!layer) layer = found.find_name(lines);
    if (!layer) break;
    found.layers_.push_back(std::move(*layer));
    found.leave_times();
    taken = found.taken_off(head);
    found.leaves_times_ = false;
    lines = lines_of(taken);
  }
  // Quotes alone are the readers' own.
  if (ends == 0 && found.layers_.size() == (are_quoted ? 1U : 0U) && found.problem_.empty()) return std::nullopt;
  // It is nothing where what stands behind it is nothing.
  if (found.problem_.empty() && std::none_of(lines.begin(), lines.end(), begins_something)) return std::nullopt;
  return found;
}

std::string LinePrefix::words() const {
  std::string all;
  for (const Layer& layer : layers_) {
    if (layer.kind == Kind::kQuotes || layer.kind == Kind::kAdded || layer.kind == Kind::kEnds) continue;
    const char* const one = layer.kind == Kind::kSoftEnds ? "lines joined that quoted-printable parts"
                            : layer.kind == Kind::kNumber ? "without the number before each line"
                            : layer.kind == Kind::kName   ? "without the name before each line"
                                                          : "times before each line";
    all.append(all.empty() ? "" : ", ").append(one);
  }
  return all;
}

std::optional<LinePrefix::Layer> LinePrefix::find_soft_ends(const std::vector<std::string_view>& lines) {
  constexpr std::size_t kLongest = 76, kLong = 60;
  bool any = false;
  for (const std::string_view line : lines) {
    if (line.size() > kLongest) return std::nullopt;
    any |= line.size() >= kLong && line.ends_with('=');
  }
  return any ? std::optional(Layer{.kind = Kind::kSoftEnds}) : std::nullopt;
}

std::optional<LinePrefix::Layer> LinePrefix::find_number(const std::vector<std::string_view>& lines) {
  Layer layer{.kind = Kind::kNumber, .mark = '\0', .blanks = SIZE_MAX};
  std::uint64_t before = 0;
  bool is_each = true, any = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::uint64_t number = 0;
    if (trimmed(lines[i]).empty()) continue;  // nl numbers no blank lines
    const std::size_t end = number_end(lines[i], number);
    if (end == 0) return std::nullopt;
    const bool is_first = !std::exchange(any, true);
    if (!is_first && number <= before) return std::nullopt;
    is_each = is_each && (is_first || number == before + 1);
    before = number;
    const std::string_view rest = lines[i].substr(end);
    if (rest.empty()) continue;
    const char mark = rest.front();
    // grep marks what is beside a match by '-'.
    const bool is_mark = mark == ':' || mark == '\t' || mark == ' ' || mark == '-' || mark == '|' || mark == '.' || mark == ')';
    if (!is_mark) return std::nullopt;
    if (layer.mark == '\0' || (layer.mark == '-' && mark == ':')) layer.mark = mark;
    if (layer.mark != mark && !(layer.mark == ':' && mark == '-')) return std::nullopt;
    if (mark == ' ' || mark == '.' || mark == ')' || mark == '|') {
      const std::string_view behind = rest.substr(mark == ' ' ? 0 : 1);
      if (blanks_at(behind) < behind.size()) layer.blanks = std::min(layer.blanks, blanks_at(behind));
    }
  }
  if (layer.mark == '\0' || (layer.mark != ':' && !is_each)) return std::nullopt;
  if (layer.blanks == SIZE_MAX) layer.blanks = 0;
  constexpr std::size_t kMostBlanks = 2;
  layer.blanks = std::min(layer.blanks, kMostBlanks);
  return layer;
}

std::optional<LinePrefix::Layer> LinePrefix::find_name(const std::vector<std::string_view>& lines) {
  struct Count {
    std::size_t lines = 0, without_blank = 0;
    bool begins = false;
  };
  std::size_t written = 0;
  for (const std::string_view line : lines) written += trimmed(line).empty() ? 0 : 1;
  for (const char mark : {':', '|', ']'}) {
    std::map<std::string, Count, std::less<>> counts;
    for (std::string_view line : lines) {
      if (mark == ']' && !line.starts_with('[')) continue;
      if (mark == ']') line.remove_prefix(1);
      const std::string_view name = name_before(line, mark);
      if (name.empty()) continue;
      const std::string_view behind = line.substr(line.find(mark, name.size()) + 1);
      Count& count = counts[std::string(is_proc(name) ? "/proc/" : name)];
      ++count.lines;
      count.without_blank += !behind.empty() && behind.front() != ' ' ? 1 : 0;
      std::uint64_t number = 0;
      const std::size_t digits = number_end(behind, number);  // grep -Hn
      const bool is_numbered = digits > 0 && digits < behind.size() && behind[digits] == ':';
      count.begins = count.begins || begins_something(behind) || (is_numbered && begins_something(behind.substr(digits + 1))) ||
                     !parse_date_line(behind).empty() || time_before(behind.substr(blanks_at(behind))).end != 0;
    }
    std::size_t all = 0;
    std::vector<std::pair<std::string, Count>> names;
    for (const auto& [name, count] : counts)
      if (count.begins && count.lines >= 2) all += count.lines, names.emplace_back(name, count);
    if (names.empty() || all * 2 < written || all < kFewestLines) continue;
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.second.lines > b.second.lines; });
    const auto& [name, count] = names.front();
    if (names.size() > 1) say_several(name, names[1].first, mark == ']' ? "]" : std::string(1, mark));
    Layer layer{.kind = Kind::kName, .mark = mark, .blanks = count.without_blank == 0 ? 1U : 0U, .name = name};
    if (!is_file(name)) host_ = name;
    return layer;
  }
  return std::nullopt;
}

std::optional<LinePrefix::Layer> LinePrefix::find_stamp(const std::vector<std::string_view>& lines) {
  std::size_t written = 0, stamped = 0;
  std::map<std::string, std::pair<std::size_t, bool>> programs;
  bool any_plain = false;
  std::vector<std::string_view> rests;
  for (const std::string_view line : lines) {
    if (trimmed(line).empty()) continue;
    const TimeBefore stamp = time_before(line);
    if (stamp.end != 0 && stamp.end + 1 >= line.size()) continue;  // above nothing
    ++written;
    if (stamp.end == 0) continue;
    ++stamped;
    const std::string_view behind = line.substr(stamp.end);
    rests.push_back(behind);
    std::size_t end = 0;
    const std::string words = syslog_words(behind, end);
    if (words.empty() || (begins_something(behind) && !begins_something(behind.substr(end)))) {
      any_plain = any_plain || begins_something(behind);
      continue;
    }
    auto& [count, begins] = programs[words];
    ++count;
    begins = begins || begins_something(behind.substr(end));
  }
  if (stamped < kFewestLines || stamped * 5 < written * 4) return std::nullopt;
  if (any_plain) return Layer{.kind = Kind::kStamp};
  std::vector<std::string> names;
  for (const auto& [words, count] : programs)
    if (count.second) names.push_back(words);
  // A name may follow: the next layer.
  if (names.empty()) return LinePrefix().find_name(rests) ? std::optional(Layer{.kind = Kind::kStamp}) : std::nullopt;
  if (names.size() > 1) say_several(names[0], names[1], " ");
  if (!is_stream(names[0])) host_ = names[0].substr(0, names[0].find(' '));
  return Layer{.kind = Kind::kStamp, .name = names[0]};
}

void LinePrefix::say_several(const std::string& first, const std::string& other, std::string_view mark) {
  problem_ = "its lines stand behind the names of several, " + in_quotes(first) + " and " + in_quotes(other) +
             "; part it into a file for each: grep -F '" + first + std::string(mark) + "' FILE";
}

bool LinePrefix::take(std::string& line, std::string& above, std::uint64_t number,
                      const std::function<void(std::uint64_t, const std::string&)>& skip) {
  for (const Layer& layer : layers_) {
    switch (layer.kind) {
      case Kind::kQuotes: {
        std::string_view text = line;
        while (text.starts_with('>')) {
          text.remove_prefix(1);
          if (text.starts_with(" >")) text.remove_prefix(1);
        }
        if (text.starts_with(' ')) text.remove_prefix(1);
        line.erase(0, line.size() - text.size());
        break;
      }
      case Kind::kEnds:
        if (line.ends_with(layer.mark)) line.pop_back();
        break;
      case Kind::kAdded:
        if (line.starts_with('+')) line.erase(0, 1);
        break;
      case Kind::kSoftEnds:
        if (!held_.empty()) line.insert(0, std::exchange(held_, {}));
        if (line.ends_with('=') && number != 0) {
          line.pop_back();
          held_ = std::move(line);
          return false;
        }
        decode_printable(line);
        break;
      case Kind::kNumber: {
        std::uint64_t value = 0;
        std::size_t end = number_end(line, value);
        if (end == 0) break;
        if (end < line.size() && line[end] != ' ') ++end;
        for (std::size_t blanks = 0; blanks < layer.blanks && end < line.size() && line[end] == ' '; ++blanks) ++end;
        line.erase(0, end);
        break;
      }
      case Kind::kName:
        if (!take_name(layer, line, number, skip)) return false;
        break;
      case Kind::kStamp:
        if (!take_stamp(layer, line, above, number, skip)) return false;
        break;
    }
  }
  return true;
}

bool LinePrefix::take_name(const Layer& layer, std::string& line, std::uint64_t number,
                           const std::function<void(std::uint64_t, const std::string&)>& skip) {
  std::string_view text = line;
  if (layer.mark == ']' && !text.starts_with('[')) return true;
  if (layer.mark == ']') text.remove_prefix(1);
  const std::string_view name = name_before(text, layer.mark);
  if (name.empty()) return true;
  std::string_view behind = text.substr(text.find(layer.mark, name.size()) + 1);
  if (name != layer.name && !(is_proc(name) && is_proc(layer.name))) {
    // A row that has a colon of its own, or another's.
    if (!others_.contains(name) && !begins_something(behind) && parse_date_line(behind).empty()) return true;
    if (constexpr std::size_t kMostOthers = 1000; others_.size() < kMostOthers) others_.insert(std::string(name));
    if (!std::exchange(told_of_others_, true))
      skip(number, "it stands behind " + in_quotes(name) + ", and those above behind " + in_quotes(layer.name) +
                       "; part the file into one for each; such tables are passed over");
    return false;
  }
  for (std::size_t blanks = 0; blanks < layer.blanks && behind.starts_with(' '); ++blanks) behind.remove_prefix(1);
  line.erase(0, line.size() - behind.size());
  return true;
}

bool LinePrefix::take_stamp(const Layer& layer, std::string& line, std::string& above, std::uint64_t number,
                            const std::function<void(std::uint64_t, const std::string&)>& skip) {
  const TimeBefore stamp = time_before(line);
  if (stamp.end == 0) return true;
  if (stamp.end == line.size()) {  // above nothing
    line.clear();
    return true;
  }
  std::string_view behind = std::string_view(line).substr(stamp.end);
  if (!layer.name.empty()) {
    std::size_t end = 0;
    const std::string words = syslog_words(behind, end);
    if (words != layer.name) {
      if (!std::exchange(told_of_others_, true))
        skip(number, "it is a line of " + in_quotes(words.empty() ? behind : std::string_view(words)) +
                         ", and those above of " + in_quotes(layer.name) + "; such lines are passed over");
      return false;
    }
    behind.remove_prefix(end);
  }
  if (!leaves_times_) {
    std::int64_t second = -1;
    const std::size_t clock = clock_in(stamp.text, second);
    std::string date;
    if (clock == std::string_view::npos) {
      if (const auto unix_time = parse_unix_line(stamp.text))
        second = *unix_time / 1000 % kDaySeconds, date = std::to_string(*unix_time / 1000 / kDaySeconds);
    } else {
      date = stamp.text.substr(0, clock);
    }
    const std::string_view content = trimmed(behind);
    const std::string_view word = content.substr(0, content.find_first_of(" \t"));
    const bool is_near = date == date_
                             ? second >= second_ && second - second_ <= kPauseSeconds
                             : second_ >= kDaySeconds - kPauseSeconds && second <= second_ + kPauseSeconds - kDaySeconds;
    if (!word.empty() && (second_ < 0 || !is_near || (word == first_word_ && stamp.text != given_))) {
      above = stamp.text;
      given_ = above;
      first_word_ = word;
    }
    date_ = std::move(date);
    second_ = second;
  }
  line.erase(0, line.size() - behind.size());
  return true;
}

std::string LinePrefix::taken_off(std::string_view head) const {
  LinePrefix copy = *this;
  std::string all;
  std::uint64_t number = 0;
  for (const std::string_view one : lines_of(head)) {
    std::string line(one), above;
    if (!copy.take(line, above, ++number, [](std::uint64_t, const std::string&) {})) continue;
    if (!above.empty()) all.append(above).append(kNoLine);
    all.append(line).append(kNoLine);
  }
  return all;
}

}  // namespace kmem::history
