#include "collectors/history/csv_fields.h"

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

base::Result<void> read_header_row(LineReader& lines, const FileNotes& notes,
                                   const std::function<std::string()>& take) {
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
