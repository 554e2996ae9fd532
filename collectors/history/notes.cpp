#include "collectors/history/notes.h"

#include "collectors/base/label_text.h"

namespace kmem::history {

void Notes::skip(const std::string& file, std::uint64_t line, const std::string& reason) {
  ++skipped_count_;
  if (skipped_.size() < kMaxSkippedListed) skipped_.push_back({file, line, reason});
}

void Notes::warn(const std::string& file, const std::string& text) {
  if (warnings_.size() < kMaxWarnings) warnings_.push_back(file + ": " + text);
}

void Notes::back_to(const Mark& mark) {
  skipped_.resize(mark.listed);
  skipped_count_ = mark.count;
  warnings_.resize(mark.warnings);
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMostBytes = 40;
  return '"' + base::label_text(text.substr(0, kMostBytes)) + (text.size() > kMostBytes ? "...\"" : "\"");
}

}  // namespace kmem::history
