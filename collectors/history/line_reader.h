// A file's lines, one in memory: LF or CRLF, without a byte order mark; UTF-16LE (PowerShell's redirection) becomes
// single bytes, so that a tag's high bytes come out as they were. Thread: one.
// Failure: a line over the bound is kTooLong and gives its beginning; an Error is the file's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"

namespace kmem::history {

inline constexpr std::size_t kMaxLineBytes = std::size_t{64} << 10;
inline constexpr std::size_t kMaxPerfmonLineBytes = std::size_t{4} << 20;  // thousands of counters a line are usual

enum class LineState { kLine, kTooLong, kEnd };

class LineReader {
 public:
  explicit LineReader(std::unique_ptr<base::File> file, std::size_t max_line_bytes = kMaxLineBytes)
      : file_(std::move(file)), max_line_bytes_(max_line_bytes) {}

  base::Result<LineState> next();
  /// Until the next one.
  [[nodiscard]] std::string_view line() const { return line_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }

 private:
  base::Result<void> fill();
  void narrow();

  std::unique_ptr<base::File> file_;
  std::size_t max_line_bytes_;
  std::string chunk_;
  std::size_t at_ = 0;
  std::string line_;
  std::uint64_t number_ = 0;
  bool begun_ = false;
  bool utf16_ = false;
  std::string half_;  // of a UTF-16 unit, between chunks
};

}  // namespace kmem::history
