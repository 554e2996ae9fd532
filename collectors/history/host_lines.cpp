#include "collectors/history/host_lines.h"

#include <algorithm>

#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/row_text.h"

namespace kmem::history {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::size_t kMostNames = 1000;

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

/// A heading of what stands below it, and no host's.
bool names_tool(std::string_view text) {
  constexpr std::string_view kTools[] = {"poolmon", "poolsnap", "memsnap",     "poolused",  "pool", "memory", "slabinfo",
                                         "slabtop", "meminfo",  "vmallocinfo", "allocinfo", "sar",  "uptime", "vmstat"};
  return std::any_of(std::begin(kTools), std::end(kTools), [&](std::string_view tool) { return same_word(text, tool); });
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
  if (!is_name(text) || names_tool(text) || (!is_marked && std::none_of(text.begin(), text.end(), base::is_digit))) return {};
  return std::string(text);
}

void HostLines::see(std::string_view line, std::optional<base::UnixMillis> time) {
  bool is_named = false;
  std::string name = host_in_line(line, is_named);
  const bool falls = time && last_ && *time <= *last_;
  if (time) last_ = time;
  if (name.empty()) return;
  ++seen_;
  is_named_ |= is_named;
  const bool is_new = !names_.contains(name);
  if (is_new && !names_.empty()) falls_ += falls ? 1 : 0;
  if (names_.size() < kMostNames || names_.contains(name)) ++names_[name];
}

}  // namespace kmem::history
