// What was left out of a history and what had to be assumed, over all its files. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kmem::history {

inline constexpr std::size_t kMaxSkippedListed = 1000;
inline constexpr std::size_t kMaxWarnings = 1000;

struct Skipped {
  std::string file;
  std::uint64_t line = 0;  // from 1; 0: the file as a whole
  std::string reason;
};

class Notes {
 public:
  void skip(const std::string& file, std::uint64_t line, const std::string& reason);
  void warn(const std::string& file, const std::string& text);

  [[nodiscard]] const std::vector<Skipped>& skipped() const { return skipped_; }
  [[nodiscard]] std::uint64_t skipped_count() const { return skipped_count_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  /// For a file that will be read again: back to how it was at the mark.
  struct Mark {
    std::size_t listed = 0;
    std::uint64_t count = 0;
    std::size_t warnings = 0;
  };
  [[nodiscard]] Mark mark() const { return {skipped_.size(), skipped_count_, warnings_.size()}; }
  void back_to(const Mark& mark);

 private:
  std::vector<Skipped> skipped_;
  std::uint64_t skipped_count_ = 0;
  std::vector<std::string> warnings_;
};

/// The notes of one file.
class FileNotes {
 public:
  FileNotes(Notes& notes, std::string path) : notes_(&notes), path_(std::move(path)) {}
  void skip(std::uint64_t line, const std::string& reason) { notes_->skip(path_, line, reason); }
  void warn(const std::string& text) { notes_->warn(path_, text); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Notes* notes_;
  std::string path_;
};

/// Somebody else's text for a message: in quotes, legal everywhere, cut when long.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace kmem::history
