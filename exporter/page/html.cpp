#include "exporter/page/html.h"

#include <array>
#include <cmath>
#include <cstdio>

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
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  std::string_view shortened(text.data());
  if (shortened.ends_with(".0")) shortened.remove_suffix(2);
  return raw(shortened == "-0" ? "0" : shortened);
}

Html& Html::time(base::UnixMillis at, std::string_view words, std::string_view form) {
  const std::string machine = base::rfc3339(at);
  return raw("<time datetime=\"").raw(machine).raw("\" data-form=\"").raw(form).raw("\" title=\"").raw(machine)
      .raw("\">").text(words).raw("</time>");
}

Html& Html::exact(std::string_view words, std::string_view title) {
  return raw("<span title=\"").text(title).raw("\">").text(words).raw("</span>");
}

}  // namespace kmem::page
