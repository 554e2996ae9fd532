// What was left out of a history, what had to be assumed, and how each file was read, over all its files. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/snapshot.h"

namespace kmem::history {

inline constexpr std::size_t kMaxSkippedListed = 1000;
inline constexpr std::size_t kMaxWarnings = 1000;
inline constexpr std::size_t kMaxReadings = 10'000;
inline constexpr std::size_t kMaxLostSubjects = 16'384;  // of all files

struct Skipped {
  std::string file;
  std::uint64_t line = 0;  // from 1; 0: the file as a whole
  std::string reason;
};

/// What a row is of, as far as it can be told.
struct RowSubject {
  enum class Kind : std::uint8_t { kTag, kProcess, kValue };

  std::string host;          // empty: not told
  std::optional<Pool> pool;  // of tags
  std::string tag;           // empty: the pool itself; "svc.exe (420)"; a counter as its source names it
  Kind kind = Kind::kTag;    // kTag: or a pool

  auto operator<=>(const RowSubject&) const = default;
};

/// How one file was read.
struct FileReading {
  std::string file;
  std::string format;              // "poolmon text"
  std::vector<std::string> rules;  // by which its times were read, each once
  std::uint64_t snapshots = 0;
  std::uint64_t rows = 0;                         // tags, processes and pools in them
  std::uint64_t skipped = 0;                      // pieces passed over
  std::map<RowSubject, std::uint64_t> lost = {};  // rows among them, of the first kMaxLostSubjects
  base::UnixMillis first = 0, last = 0;
};

class Notes {
 public:
  /// Its reading begins, or begins anew.
  FileReading& begin(const std::string& file);
  [[nodiscard]] FileReading& of(const std::string& file);
  void skip(const std::string& file, std::uint64_t line, const std::string& reason);
  /// A row that skip() was told of is this one's.
  void lose(FileReading& reading, RowSubject of, std::uint64_t rows = 1);
  void warn(const std::string& file, const std::string& text);

  [[nodiscard]] const std::vector<Skipped>& skipped() const { return skipped_; }
  [[nodiscard]] std::uint64_t skipped_count() const { return skipped_count_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  /// The first kMaxReadings files, as they were opened.
  [[nodiscard]] const std::deque<FileReading>& readings() const { return readings_; }

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
  std::deque<FileReading> readings_;  // addresses stay
  std::map<std::string, FileReading*, std::less<>> by_file_;
  FileReading rest_;  // of files beyond the bound
  std::size_t lost_subjects_ = 0;
};

/// The notes of one file.
class FileNotes {
 public:
  FileNotes(Notes& notes, std::string path) : notes_(&notes), path_(std::move(path)), reading_(&notes.begin(path_)) {}
  /// What the file turned out to be.
  void read_as(std::string_view format) { reading_->format = format; }
  /// By which rule a time in it was read: "month first, as a day over 12 says (line 7)". Each rule is kept once.
  void timed_by(std::string_view rule);
  void skip(std::uint64_t line, const std::string& reason) { notes_->skip(path_, line, reason); }
  void skip(std::uint64_t line, const std::string& reason, RowSubject of) {
    skip(line, reason);
    notes_->lose(*reading_, std::move(of));
  }
  /// Rows that skip() was told of.
  void lose(RowSubject of, std::uint64_t rows = 1) { notes_->lose(*reading_, std::move(of), rows); }
  void warn(const std::string& text) { notes_->warn(path_, text); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Notes* notes_;
  std::string path_;
  FileReading* reading_;
};

/// Somebody else's text for a message: in quotes, cut when long; letters of UTF-8 as they are, all else that is not ASCII as
/// \xNN.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace kmem::history
