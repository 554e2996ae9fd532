// STAGE 6, the page: text -> HTML that it cannot break out of. Pure.
#pragma once

#include <string>
#include <string_view>

#include "collectors/base/clock.h"

namespace kmem::page {

/// Text -> text that is harmless inside an HTML element or a quoted attribute.
[[nodiscard]] std::string html_text(std::string_view text);

/// Appends to one document. raw() is for markup written in this room only; everything that comes from outside goes
/// through text().
class Html {
 public:
  Html& raw(std::string_view markup) {
    out_.append(markup);
    return *this;
  }
  Html& text(std::string_view text);
  /// Coordinates of drawings, short.
  Html& number(double value);
  /// <time>, in UTC until the reader's script says it in the reader's zone; `form`: how (day or minute).
  Html& time(base::UnixMillis at, std::string_view words, std::string_view form);
  /// <span title="EXACT">WORDS</span>
  Html& exact(std::string_view words, std::string_view title);

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace kmem::page
