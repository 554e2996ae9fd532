#include "exporter/page/html.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "collectors/base/time_words.h"

namespace kmem::page {

std::string html_text(std::string_view text) { return Html().text(text).take(); }

Html& Html::text(std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out_ += "&amp;"; break;
      case '<': out_ += "&lt;"; break;
      case '>': out_ += "&gt;"; break;
      case '"': out_ += "&quot;"; break;
      case '\'': out_ += "&#39;"; break;
      default:
        // What other parts of the program say is legal text; a control byte or a stray one of theirs still ends here.
        if (const auto byte = static_cast<unsigned char>(c); byte < 0x20 || byte == 0x7f) {
          out_ += ' ';
        } else {
          out_ += c;
        }
    }
  }
  return *this;
}

Html& Html::number(double value) {
  // A page of 1,000 small lines has 100,000 of these, for which printf takes half of the page's time.
  const long long tenths = std::llround(std::clamp(value, -1e15, 1e15) * 10);
  std::array<char, 24> text{};
  char* end = std::to_chars(text.data() + (tenths < 0 ? 1 : 0), text.data() + text.size() - 2, std::abs(tenths) / 10).ptr;
  if (tenths < 0) text[0] = '-';
  if (const auto tenth = static_cast<char>(std::abs(tenths) % 10); tenth != 0)
    *end++ = '.', *end++ = static_cast<char>('0' + tenth);
  out_.append(text.data(), end);
  return *this;
}

Html& Html::time(base::UnixMillis at, std::string_view words, std::string_view form) {
  const std::string machine = base::rfc3339(at);
  return raw("<time datetime=\"")
      .raw(machine)
      .raw("\" data-form=\"")
      .raw(form)
      .raw("\" title=\"")
      .raw(machine)
      .raw("\">")
      .text(words)
      .raw("</time>");
}

Html& Html::exact(std::string_view words, std::string_view title) {
  return raw("<span title=\"").text(title).raw("\">").text(words).raw("</span>");
}

}  // namespace kmem::page
