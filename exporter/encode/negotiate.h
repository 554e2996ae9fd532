// STAGE 5: request headers -> what form the page takes. Takes header values of any length and content; several header
// lines of one name are joined by ", " before. Pure; any thread. Failure: whatever cannot be understood counts as not
// written, and what is left over is answered by text 0.0.4 without compression.
#pragma once

#include <string_view>

namespace kmem::encode {

enum class Format { kText004, kOpenMetrics100 };

struct Negotiated {
  Format format = Format::kText004;
  std::string_view content_type;  // of static storage
};

/// By highest q; among equals the type named outright, then the one named first, and text for a bare wildcard.
[[nodiscard]] Negotiated negotiate(std::string_view accept);

/// The Content-Type where no escaping scheme was asked for.
[[nodiscard]] std::string_view content_type(Format format);

/// False also where gzip is allowed but the plain form is preferred.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

}  // namespace kmem::encode
