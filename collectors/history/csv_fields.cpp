#include "collectors/history/csv_fields.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "collectors/history/date_words.h"

namespace kmem::history {

const char* CsvFields::split(std::string_view line) {
  size_ = 0;
  for (std::size_t at = 0;; ++at) {
    if (size_ == kMaxFields) return "too many fields";
    if (size_ == fields_.size()) fields_.emplace_back();
    std::string& field = fields_[size_++];
    field.clear();
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        const std::size_t quote = line.find('"', at);
        if (quote == std::string_view::npos) return "a quote is not closed on its line";
        field.append(line.substr(at, quote - at));
        at = quote + 1;
        if (at == line.size() || line[at] != '"') break;
        field.push_back('"');
      }
      while (at < line.size() && line[at] == ' ') ++at;
      if (at < line.size() && line[at] != separator_) return "text follows a closing quote";
    } else {
      // Fields are short: a call that scans wide costs more than it saves.
      const std::size_t begin = at;
      while (at < line.size() && line[at] != separator_) ++at;
      field.assign(line.data() + begin, at - begin);
    }
    if (at >= line.size()) return nullptr;
  }
}

namespace {

bool begins_tag(std::string_view text, std::string_view name) {
  if (text.size() <= name.size() || text.front() != '<' || !same_word(text.substr(1, name.size()), name)) return false;
  const std::size_t behind = name.size() + 1;
  return behind == text.size() || std::string_view(" >/").find(text[behind]) != std::string_view::npos;
}

bool begins_cell(std::string_view text) { return begins_tag(text, "td") || begins_tag(text, "th"); }

/// Of a page: "<table>", "<tr><td>", "</tr>".
bool is_of_page(std::string_view text) {
  if (text.starts_with("</") && text.ends_with('>')) return true;
  for (const std::string_view name : {"table", "tr", "td", "th", "thead", "tbody", "colgroup", "col"})
    if (begins_tag(text, name)) return true;
  return false;
}

/// What a page shows of a cell.
std::string shown_of_cell(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"&nbsp;", " "}, {"&#160;", " "}, {"&quot;", "\""}, {"&#39;", "'"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}};
  std::string all;
  while (!text.empty()) {
    const auto* const name =
        std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& one) { return text.starts_with(one.first); });
    if (name != std::end(kNames)) {
      all.append(name->second);
      text.remove_prefix(name->first.size());
    } else if (const std::size_t close = text.find('>');
               text.front() == '<' && text.size() > 1 && text[1] != ' ' && close != std::string_view::npos) {
      text.remove_prefix(close + 1);
    } else {
      all.push_back(text.front() == '\t' ? ' ' : text.front());
      text.remove_prefix(1);
    }
  }
  return all;
}

/// A row of a page's table, with tabs; empty: it has no cells, or those of several rows.
std::string cells_of_page(std::string_view text) {
  std::string cells;
  bool any = false, any_row = false;
  for (std::size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1)) {
    if (begins_tag(text.substr(at), "tr") && std::exchange(any_row, true)) return {};
    if (!begins_cell(text.substr(at))) continue;
    const std::size_t open = std::min(text.find('>', at), text.size() - 1);
    std::size_t end = open + 1;
    while ((end = text.find('<', end)) != std::string_view::npos && !begins_cell(text.substr(end)) &&
           !begins_tag(text.substr(end), "/td") && !begins_tag(text.substr(end), "/th") && !begins_tag(text.substr(end), "/tr"))
      ++end;
    if (std::exchange(any, true)) cells.push_back('\t');
    cells.append(shown_of_cell(text.substr(open + 1, std::min(end, text.size()) - open - 1)));
  }
  return cells;
}

}  // namespace

bool is_wrapped(std::string_view line) {
  line = trimmed(line);
  if (is_of_page(line)) return true;
  return line.starts_with('>') || line.starts_with('|') || line.starts_with("```") || line.starts_with("~~~");
}

bool has_web_blanks(std::string_view text) {
  return text.find("\xc2\xa0") != std::string_view::npos || text.find("&nbsp;") != std::string_view::npos;
}

bool take_unwrapped(std::string& line) {
  if (has_web_blanks(line) && !is_of_page(trimmed(line))) line = with_plain_blanks(line);
  std::string_view text = trimmed(line);
  while (text.starts_with('>')) text = trimmed(text.substr(1));
  if (text.starts_with("```") || text.starts_with("~~~")) return false;
  if (is_of_page(text)) {
    std::string cells = cells_of_page(text);
    if (cells.empty()) return false;
    line = std::move(cells);
    return true;
  }
  if (!text.starts_with('|')) {
    if (text.size() != line.size()) line = std::string(text);
    return true;
  }
  if (text.find_first_not_of("|-: ") == std::string_view::npos) return false;
  text.remove_prefix(1);
  if (text.ends_with('|')) text.remove_suffix(1);
  std::string cells;
  for (;;) {
    const std::size_t bar = std::min(text.find('|'), text.size());
    std::string_view cell = trimmed(text.substr(0, bar));
    if (cell.size() > 1 && cell.starts_with('`') && cell.ends_with('`')) cell = cell.substr(1, cell.size() - 2);
    cells.append(cell);
    if (bar == text.size()) break;
    cells.push_back('\t');
    text.remove_prefix(bar + 1);
  }
  line = std::move(cells);
  return true;
}

base::Result<void> read_header_row(LineReader& lines, const FileNotes& notes, const std::function<std::string()>& take) {
  for (;;) {
    const auto state = lines.next();
    if (!state) return state.error();
    if (*state == LineState::kEnd) return base::Error{base::ErrorCode::kMalformed, notes.path() + ": no header row"};
    if (trimmed(lines.line()).empty() || names_separator(lines.line())) continue;
    const std::string why = *state == LineState::kTooLong ? "the header row is too long" : take();
    if (why.empty()) return {};
    return base::Error{base::ErrorCode::kMalformed, notes.path() + ":" + std::to_string(lines.number()) + ": " + why};
  }
}

bool names_separator(std::string_view line) {
  line = trimmed(line);
  if (line.starts_with('"') && line.ends_with('"') && line.size() > 1) line = line.substr(1, line.size() - 2);
  return line.size() == 5 && same_word(line.substr(0, 4), "sep=");
}

}  // namespace kmem::history
