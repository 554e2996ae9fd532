#include "collectors/history/notes.h"

#include <algorithm>

#include "collectors/base/label_text.h"
#include "collectors/base/utf8.h"

namespace kmem::history {

FileReading& Notes::begin(const std::string& file) {
  const auto known = by_file_.find(file);
  if (known == by_file_.end() && readings_.size() >= kMaxReadings) return rest_;
  FileReading& reading = known != by_file_.end() ? *known->second : readings_.emplace_back();
  lost_subjects_ -= reading.lost.size();
  reading = {};
  reading.file = file;
  by_file_[file] = &reading;
  return reading;
}

FileReading& Notes::of(const std::string& file) {
  const auto known = by_file_.find(file);
  return known != by_file_.end() ? *known->second : rest_;
}

void Notes::skip(const std::string& file, std::uint64_t line, const std::string& reason) {
  ++skipped_count_;
  ++of(file).skipped;
  if (skipped_.size() < kMaxSkippedListed) skipped_.push_back({file, line, reason});
}

void Notes::lose(FileReading& reading, RowSubject of, std::uint64_t rows) {
  while (of.tag.ends_with(' ')) of.tag.pop_back();
  const auto known = reading.lost.find(of);
  if (known != reading.lost.end()) {
    known->second += rows;
  } else if (lost_subjects_ < kMaxLostSubjects) {
    reading.lost.emplace(std::move(of), rows);
    ++lost_subjects_;
  }
}

void Notes::warn(const std::string& file, const std::string& text) {
  if (warnings_.size() < kMaxWarnings) warnings_.push_back(file + ": " + text);
}

void Notes::back_to(const Mark& mark) {
  skipped_.resize(mark.listed);
  skipped_count_ = mark.count;
  warnings_.resize(mark.warnings);
}

void FileNotes::timed_by(std::string_view rule) {
  constexpr std::size_t kMostRules = 8;
  std::vector<std::string>& rules = reading_->rules;
  if (rules.size() < kMostRules && std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.emplace_back(rule);
}

namespace {

/// Bytes of the letter beyond ASCII with which the text begins; 0: none, or a control or a mark that moves what stands beside it.
std::size_t letter_length(std::string_view text) {
  const std::size_t length = base::utf8_length(text);
  if (length < 2) return 0;
  const auto begins = [&](std::string_view bytes) { return text.starts_with(bytes); };
  const bool is_control = begins("\xc2") && static_cast<unsigned char>(text[1]) <= 0xA0;  // U+0080 to U+00A0
  const bool is_mark =
      begins("\xd8\x9c") || begins("\xe2\x80") || begins("\xe2\x81") || begins("\xef\xbb\xbf");  // U+2000 to U+207F
  return is_control || is_mark ? 0 : length;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMostBytes = 40;
  std::string words = "\"";
  std::size_t at = 0;
  while (at < std::min(text.size(), kMostBytes)) {
    const std::size_t letter = letter_length(text.substr(at));
    words += letter > 0 ? std::string(text.substr(at, letter)) : base::label_text(text.substr(at, 1));
    at += std::max<std::size_t>(letter, 1);
  }
  return words + (at < text.size() ? "...\"" : "\"");
}

}  // namespace kmem::history
