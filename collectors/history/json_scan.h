// A JSON text of any length -> its tokens, one after the other; only one chunk and one string are in memory. UTF-16 of
// plain ASCII (PowerShell's redirection) is read too; several documents may follow one another. Thread: one.
// Failure: kBroken, with why() and line(); an Error is the file's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/base/file_io.h"
#include "collectors/base/result.h"

namespace kmem::history {

class JsonScan {
 public:
  static constexpr const char* kNoComma = "a comma is missing";  // why()
  static constexpr std::size_t kMaxDepth = 32;
  static constexpr std::size_t kMaxTextBytes = std::size_t{64} << 10;

  enum class Token : std::uint8_t { kObject, kObjectEnd, kArray, kArrayEnd, kKey, kText, kNumber, kWord, kEnd, kBroken };

  explicit JsonScan(std::unique_ptr<base::File> file) : file_(std::move(file)) {}

  base::Result<Token> next();
  /// Of a key, text, number or word; until the next token.
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view why() const { return why_; }
  [[nodiscard]] std::uint64_t line() const { return line_; }
  [[nodiscard]] std::size_t depth() const { return depth_; }

 private:
  static constexpr int kNoMore = -1;

  int peek();
  int take();
  int take_solid();  // behind blanks
  Token broken(const char* why);
  Token value(int first);
  Token read_text(Token kind);
  bool read_escape();
  void put_code_point(std::uint32_t code);
  bool fill();

  std::unique_ptr<base::File> file_;
  std::string chunk_;
  std::size_t at_ = 0;
  bool ended_ = false;
  base::Result<void> failure_;
  std::string text_;
  const char* why_ = "";
  std::uint64_t line_ = 1;
  std::size_t depth_ = 0;
  char open_[kMaxDepth] = {};
  bool first_ = true;         // nothing of this container is read yet
  bool wants_value_ = false;  // behind a key
  bool is_broken_ = false;
};

}  // namespace kmem::history
