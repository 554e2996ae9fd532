#include "collectors/history/text_decoder.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace kmem::history {
namespace {

constexpr std::size_t kHeld = 3;  // of a mark and the first byte behind it
constexpr std::size_t kLookAhead = 16;
constexpr std::size_t kPieceAhead = 32;  // a short plain piece, and what tells that UTF-16 goes on behind it

bool is_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte < 0x7f) || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\x1b';
}

/// Whether every second byte from `at` on is 0, as far as there are some: at least two, or one at the end.
bool is_wide(std::string_view raw, std::size_t at, bool little, bool is_end) {
  std::size_t units = 0;
  for (; units < 4 && at + 1 < raw.size(); ++units, at += 2) {
    const char high = raw[at + (little ? 1 : 0)];
    const char low = raw[at + (little ? 0 : 1)];
    if (high != '\0' || low == '\0') break;
  }
  return units >= 2 || (units == 1 && is_end && at >= raw.size());
}

/// A short plain piece that stands at `at` in UTF-16, behind which UTF-16 goes on: where, and in which order. An odd one turns
/// all behind it round; an even one may be letters of UTF-16, unless it ends a line. nullopt: there is none.
struct Behind {
  std::size_t at = 0;
  bool little = false;
};
std::optional<Behind> behind_piece(std::string_view raw, std::size_t at, bool little, bool is_end) {
  std::size_t end = at;
  while (end < raw.size() && end - at < kLookAhead && is_text(raw[end])) ++end;
  const std::string_view mark = raw.substr(end, 2);
  if (mark == "\xff\xfe" && is_wide(raw, end + 2, true, is_end)) return Behind{end + 2, true};
  if (mark == "\xfe\xff" && is_wide(raw, end + 2, false, is_end)) return Behind{end + 2, false};
  if (end == at || end >= raw.size() || raw[end] != '\0') return std::nullopt;
  const std::size_t next = little ? end - 1 : end;
  if (next == at || !is_wide(raw, next, little, is_end)) return std::nullopt;
  const bool is_piece = (next - at) % 2 != 0 || raw[next - 1] == '\n';
  return is_piece ? std::optional(Behind{next, little}) : std::nullopt;
}

void append_utf8(std::string& text, std::uint32_t code) {
  if (code >= 0xd800 && code < 0xe000) {
    text.push_back('?');
  } else if (code < 0x800) {
    text.push_back(static_cast<char>(0xc0U | code >> 6));
    text.push_back(static_cast<char>(0x80U | (code & 0x3fU)));
  } else {
    text.push_back(static_cast<char>(0xe0U | code >> 12));
    text.push_back(static_cast<char>(0x80U | (code >> 6 & 0x3fU)));
    text.push_back(static_cast<char>(0x80U | (code & 0x3fU)));
  }
}

}  // namespace

void TextDecoder::decode(std::string& raw, bool is_end, std::string& text) {
  text.clear();
  if (!held_.empty()) {
    raw.insert(0, held_);
    held_.clear();
  }
  std::size_t at = 0;
  if (!begun_ && (raw.size() >= 3 || is_end)) {
    begun_ = true;
    const std::string_view view = raw;
    if (view.starts_with("\xff\xfe")) form_ = Form::kLittle, at = 2;
    else if (view.starts_with("\xfe\xff")) form_ = Form::kBig, at = 2;
    else if (view.starts_with("\xef\xbb\xbf")) at = 3;
  }
  if (form_ == Form::kBytes && raw.find('\0', at) == std::string::npos) {
    if (!is_end) {
      const std::size_t keep = std::max(at, raw.size() - std::min(kHeld, raw.size()));
      held_.assign(raw, keep);
      raw.resize(keep);
    }
    raw.erase(0, at);
    text.swap(raw);
    return;
  }
  stuck_ = false;
  while (at < raw.size() && !stuck_)
    at = form_ == Form::kBytes ? take_bytes(raw, at, is_end, text) : take_units(raw, at, is_end, text);
  held_.assign(raw, at);
}

std::size_t TextDecoder::take_bytes(std::string_view raw, std::size_t at, bool is_end, std::string& text) {
  const std::size_t zero = raw.find('\0', at);
  const bool near_end = !is_end && (zero == std::string_view::npos || zero + 8 > raw.size());
  if (near_end) {
    const std::size_t from = zero == std::string_view::npos ? raw.size() : zero;
    const std::size_t keep = std::max(at, from - std::min(kHeld, from));
    text.append(raw.substr(at, keep - at));
    stuck_ = true;
    return keep;
  }
  if (zero == std::string_view::npos) {
    text.append(raw.substr(at));
    return raw.size();
  }
  const auto switch_to = [&](Form form, std::size_t begin, std::string_view mark) {
    std::string_view before = raw.substr(at, begin - at);
    if (before.ends_with(mark)) before.remove_suffix(mark.size());
    text.append(before);
    form_ = form;
    return begin;
  };
  if (zero > at + 1 && raw.substr(zero - 2, 2) == "\xfe\xff" && is_wide(raw, zero, false, is_end))
    return switch_to(Form::kBig, zero, "\xfe\xff");
  if (zero > at && raw[zero - 1] != '\0' && is_wide(raw, zero - 1, true, is_end))
    return switch_to(Form::kLittle, zero - 1, "\xff\xfe");
  if (is_wide(raw, zero, false, is_end)) return switch_to(Form::kBig, zero, "\xfe\xff");
  text.append(raw.substr(at, zero + 1 - at));
  return zero + 1;
}

std::size_t TextDecoder::take_units(std::string_view raw, std::size_t at, bool is_end, std::string& text) {
  for (; at + 1 < raw.size(); at += 2) {
    const std::uint32_t first = static_cast<unsigned char>(raw[at]);
    const std::uint32_t second = static_cast<unsigned char>(raw[at + 1]);
    const std::uint32_t code = form_ == Form::kLittle ? first | second << 8U : second | first << 8U;
    if (code < 0x100) {
      text.push_back(static_cast<char>(code));
      continue;
    }
    if (!is_end && raw.size() - at < kPieceAhead) break;
    if (const auto behind = behind_piece(raw, at, form_ == Form::kLittle, is_end)) {
      std::string_view piece = raw.substr(at, behind->at - at);
      if (piece.ends_with("\xff\xfe") || piece.ends_with("\xfe\xff")) piece.remove_suffix(2);
      text.append(piece);
      form_ = behind->little ? Form::kLittle : Form::kBig;
      return behind->at;
    }
    if (code == 0xfeff) continue;
    if (is_text(raw[at]) && is_text(raw[at + 1])) {
      // Ideographs, or somebody's plain bytes.
      if (!is_end && raw.size() - at < kLookAhead) break;
      const std::string_view ahead = raw.substr(at, kLookAhead);
      if (std::all_of(ahead.begin(), ahead.end(), is_text) &&
          (ahead.size() == kLookAhead || ahead.find('\n') != std::string_view::npos)) {
        form_ = Form::kBytes;
        return at;
      }
    }
    append_utf8(text, code);
  }
  stuck_ = !is_end;
  return is_end ? raw.size() : at;
}

}  // namespace kmem::history
