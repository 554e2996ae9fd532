// A file's lines, one in memory: ended by LF, CRLF or a lone CR, decoded by text_decoder.h, without
// what text_header.h takes off each. Thread: one.
// Failure: a line over the bound is kTooLong and gives its beginning; an Error is the file's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"
#include "collectors/history/text_decoder.h"

namespace kmem::history {

inline constexpr std::size_t kMaxLineBytes = std::size_t{64} << 10;
inline constexpr std::size_t kMaxPerfmonLineBytes = std::size_t{4} << 20;  // thousands of counters a line are usual

enum class LineState { kLine, kTooLong, kEnd };

class LineReader {
 public:
  explicit LineReader(std::unique_ptr<base::File> file, std::size_t max_line_bytes = kMaxLineBytes)
      : file_(std::move(file)), max_line_bytes_(max_line_bytes) {}

  base::Result<LineState> next();
  /// Every line goes through it; false: it is passed over. It may change it, and give one that comes before it. At the end it is
  /// asked for what it holds back, with an empty line of number 0.
  using Filter = std::function<bool(std::string& line, std::string& above, std::uint64_t number)>;
  void set_filter(Filter filter) { filter_ = std::move(filter); }
  /// Until the next one.
  [[nodiscard]] std::string_view line() const { return line_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  /// The file ends without an end of this line.
  [[nodiscard]] bool is_open_ended() const { return open_ended_; }
  /// Of the file, where it is known.
  void set_size(std::uint64_t bytes) { size_bytes_ = bytes; }
  /// Whether this may be one of the last lines.
  [[nodiscard]] bool nears_end() const { return bytes_read_ + kNearEndBytes >= size_bytes_; }

 private:
  base::Result<LineState> read_line();
  base::Result<void> fill();

  std::unique_ptr<base::File> file_;
  Filter filter_;
  std::size_t max_line_bytes_;
  TextDecoder decoder_;
  static constexpr std::uint64_t kNearEndBytes = std::uint64_t{1} << 20;
  std::uint64_t size_bytes_ = 0, bytes_read_ = 0;
  std::string raw_;
  std::string chunk_;
  std::size_t at_ = 0;
  std::string line_;
  std::string above_, below_;  // of the filter: before the line in hand, and that line
  bool has_below_ = false, is_below_open_ = false;
  std::uint64_t number_ = 0;
  bool ended_ = false;
  bool asked_for_rest_ = false;
  bool open_ended_ = false;
};

}  // namespace kmem::history
