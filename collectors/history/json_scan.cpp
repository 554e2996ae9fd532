#include "collectors/history/json_scan.h"

#include <span>

namespace kmem::history {
namespace {

constexpr std::size_t kJsonChunkBytes = std::size_t{64} << 10;

bool is_digit(int c) { return c >= '0' && c <= '9'; }
bool is_letter(int c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

bool JsonScan::fill() {
  if (ended_) return false;
  chunk_.resize(kJsonChunkBytes);
  const auto got = file_->read(std::as_writable_bytes(std::span(chunk_)));
  if (!got) failure_ = got.error();
  chunk_.resize(got ? *got : 0);
  at_ = 0;
  ended_ = chunk_.empty();
  return !ended_;
}

int JsonScan::peek() {
  for (;;) {
    if (at_ == chunk_.size() && !fill()) return kNoMore;
    const auto c = static_cast<unsigned char>(chunk_[at_]);
    // UTF-16's other half; JSON has no such bytes itself.
    if (c != 0) return c;
    ++at_;
  }
}

int JsonScan::take() {
  const int c = peek();
  if (c == kNoMore) return c;
  ++at_;
  if (c == '\n') ++line_;
  return c;
}

int JsonScan::take_solid() {
  for (;;) {
    const int c = take();
    const bool is_order_mark = depth_ == 0 && (c == 0xFF || c == 0xFE || c == 0xEF || c == 0xBB || c == 0xBF);
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && !is_order_mark) return c;
  }
}

JsonScan::Token JsonScan::broken(const char* why) {
  why_ = why;
  is_broken_ = true;
  return Token::kBroken;
}

base::Result<JsonScan::Token> JsonScan::next() {
  if (is_broken_) return Token::kBroken;
  text_.clear();
  int c = take_solid();
  const char container = depth_ > 0 ? open_[depth_ - 1] : '\0';
  Token token = Token::kBroken;
  if (c == kNoMore) {
    if (!failure_) return failure_.error();
    return depth_ == 0 ? Token::kEnd : broken("the text ends in the middle");
  }
  if (container != '\0' && c == (container == '{' ? '}' : ']') && !wants_value_) {
    --depth_;
    first_ = false;
    return container == '{' ? Token::kObjectEnd : Token::kArrayEnd;
  }
  if (container != '\0' && !wants_value_ && !first_) {
    if (c != ',') return broken(kNoComma);
    c = take_solid();
  }
  if (container == '{' && !wants_value_) {
    if (c != '"') return broken("a key is missing");
    token = read_text(Token::kKey);
    if (token == Token::kKey && take_solid() != ':') return broken("a colon is missing behind a key");
    wants_value_ = true;
    return token;
  }
  wants_value_ = false;
  token = value(c);
  if (!failure_) return failure_.error();
  return token;
}

JsonScan::Token JsonScan::value(int first) {
  if (first == '{' || first == '[') {
    if (depth_ == kMaxDepth) return broken("nested too deep");
    open_[depth_++] = static_cast<char>(first);
    first_ = true;
    return first == '{' ? Token::kObject : Token::kArray;
  }
  first_ = false;
  if (first == '"') return read_text(Token::kText);
  const bool is_number = first == '-' || is_digit(first);
  if (!is_number && !is_letter(first)) return broken("no JSON value");
  text_.push_back(static_cast<char>(first));
  for (;;) {
    const int c = peek();
    if (!is_digit(c) && !is_letter(c) && c != '.' && c != '+' && c != '-') break;
    if (text_.size() >= kMaxTextBytes) return broken("a value is too long");
    text_.push_back(static_cast<char>(take()));
  }
  if (depth_ > 0 && peek() == kNoMore) return broken("the text ends in the middle");  // perhaps of this value
  return is_number ? Token::kNumber : Token::kWord;
}

JsonScan::Token JsonScan::read_text(Token kind) {
  for (;;) {
    const int c = take();
    if (c == kNoMore) return broken("the text ends in the middle");
    if (c == '"') return kind;
    if (c == '\n') return broken("a line ends within quotes");
    if (text_.size() >= kMaxTextBytes) return broken("a text is too long");
    if (c != '\\') text_.push_back(static_cast<char>(c));
    else if (!read_escape()) return broken("an escape that JSON does not know");
  }
}

bool JsonScan::read_escape() {
  const int c = take();
  constexpr std::string_view kKnown = "\"\\/bfnrt";
  constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  if (const std::size_t at = c > 0 ? kKnown.find(static_cast<char>(c)) : std::string_view::npos; at != std::string_view::npos) {
    text_.push_back(kMeant[at]);
    return true;
  }
  if (c != 'u') return false;
  std::uint32_t code = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = take();
    if (!is_digit(digit) && !(digit >= 'a' && digit <= 'f') && !(digit >= 'A' && digit <= 'F')) return false;
    code = code * 16 + static_cast<std::uint32_t>(is_digit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10);
  }
  put_code_point(code);
  return true;
}

// Halves of a pair come out one by one: such names are only shown.
void JsonScan::put_code_point(std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text_.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

}  // namespace kmem::history
