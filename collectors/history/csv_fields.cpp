#include "collectors/history/csv_fields.h"

#include <algorithm>

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

bool is_wrapped(std::string_view line) {
  line = trimmed(line);
  return line.starts_with('>') || line.starts_with('|') || line.starts_with("```") || line.starts_with("~~~");
}

bool take_unwrapped(std::string& line) {
  std::string_view text = trimmed(line);
  while (text.starts_with('>')) text = trimmed(text.substr(1));
  if (text.starts_with("```") || text.starts_with("~~~")) return false;
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
