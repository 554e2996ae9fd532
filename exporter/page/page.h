// STAGE 6: View -> the page behind "/": one HTML document, whole without a script; assets/page.js only keeps it fresh.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "exporter/page/query.h"
#include "exporter/page/view.h"

namespace kmem::page {

/// How the page reads when its address has no query.
[[nodiscard]] TagQuery page_defaults();
/// The parameters that the page's address may have.
[[nodiscard]] const std::vector<std::string_view>& page_parameters();

[[nodiscard]] std::string page_html(const View& view, const TagQuery& query);

/// Allows its own files and nothing else, not even style or script within the document.
inline constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

}  // namespace kmem::page
