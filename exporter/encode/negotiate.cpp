#include "exporter/encode/negotiate.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "collectors/base/ascii_case.h"

namespace kmem::encode {
namespace {

constexpr std::string_view kText = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kOpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";

// Our names need no escaping under any scheme, so every known one can be promised.
struct Escaping {
  std::string_view name, content_type;
};
constexpr std::array<Escaping, 4> kEscapings = {{
    {"allow-utf-8", "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"},
    {"underscores", "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"},
    {"dots", "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=dots"},
    {"values", "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=values"},
}};

constexpr std::uint32_t kFullWeight = 1'000'000;  // q=1

bool same(std::string_view a, std::string_view lower_case) {
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(),
                    [](char x, char y) { return base::ascii_lower(x) == y; });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Cuts `rest` at the next delimiter outside quotes.
std::string_view take(std::string_view& rest, char delimiter) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < rest.size() && (quoted || rest[at] != delimiter); ++at) {
    if (rest[at] == '"') quoted = !quoted;
    if (quoted && rest[at] == '\\') ++at;
  }
  at = std::min(at, rest.size());
  const std::string_view part = rest.substr(0, at);
  rest.remove_prefix(std::min(at + 1, rest.size()));
  return trim(part);
}

std::optional<std::uint32_t> parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 32 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  std::uint32_t weight = text[0] == '1' ? kFullWeight : 0;
  if (text.size() == 1) return weight;
  if (text[1] != '.') return std::nullopt;
  std::uint32_t digit_worth = kFullWeight / 10;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') return std::nullopt;
    weight += static_cast<std::uint32_t>(c - '0') * digit_worth;
    digit_worth /= 10;
  }
  return weight <= kFullWeight ? std::optional(weight) : std::nullopt;
}

/// One comma-separated element: "type/subtype; version=1.0.0; q=0.5" or "gzip;q=0".
struct Element {
  std::string_view name;
  std::string_view version;
  std::string_view escaping;
  std::uint32_t weight = kFullWeight;
};

std::optional<Element> parse_element(std::string_view text) {
  Element element;
  element.name = take(text, ';');
  if (element.name.empty()) return std::nullopt;
  while (!text.empty()) {
    std::string_view value = take(text, ';');
    const std::string_view key = take(value, '=');
    value = trim(value);
    if (!value.empty() && value.front() == '"') {
      if (value.size() < 2 || value.back() != '"') return std::nullopt;
      value = value.substr(1, value.size() - 2);
    }
    if (same(key, "q")) {
      const auto weight = parse_weight(value);
      if (!weight) return std::nullopt;
      element.weight = *weight;
    } else if (same(key, "version")) {
      element.version = value;
    } else if (same(key, "escaping")) {
      element.escaping = value;
    }
  }
  return element;
}

/// What the header says about one of our types, by its most specific element.
struct Verdict {
  int specificity = 0;  // 0 = not named, 1 = */*, 2 = type/*, 3 = type/subtype, 4 = and its version
  std::uint32_t weight = 0;
  std::size_t order = 0;
  std::string_view escaping;

  void consider(const Element& element, std::string_view media_type, std::string_view version, std::size_t position) {
    const std::string_view range = element.name;
    const auto slash = media_type.find('/');
    int match = 0;
    if (range == "*/*") {
      match = 1;
    } else if (range.size() == slash + 2 && range.ends_with("/*") &&
               same(range.substr(0, slash), media_type.substr(0, slash))) {
      match = 2;
    } else if (same(range, media_type) && (element.version.empty() || element.version == version)) {
      match = element.version.empty() ? 3 : 4;
    }
    if (match > specificity || (match > 0 && match == specificity && element.weight > weight))
      *this = {match, element.weight, position, element.escaping};
  }
};

bool openmetrics_wins(const Verdict& openmetrics, const Verdict& text) {
  if (openmetrics.weight != text.weight) return openmetrics.weight > text.weight;
  if (openmetrics.weight == 0) return false;
  const int named_openmetrics = std::min(openmetrics.specificity, 3);
  const int named_text = std::min(text.specificity, 3);
  if (named_openmetrics != named_text) return named_openmetrics > named_text;
  return openmetrics.order < text.order;
}

}  // namespace

std::string_view content_type(Format format) { return format == Format::kOpenMetrics100 ? kOpenMetrics : kText; }

Negotiated negotiate(std::string_view accept) {
  Verdict text;
  Verdict openmetrics;
  for (std::size_t position = 1; !accept.empty(); ++position) {
    const auto element = parse_element(take(accept, ','));
    if (!element) continue;
    text.consider(*element, "text/plain", "0.0.4", position);
    openmetrics.consider(*element, "application/openmetrics-text", "1.0.0", position);
  }
  if (!openmetrics_wins(openmetrics, text)) return {Format::kText004, kText};
  for (const Escaping& escaping : kEscapings)
    if (same(openmetrics.escaping, escaping.name)) return {Format::kOpenMetrics100, escaping.content_type};
  return {Format::kOpenMetrics100, kOpenMetrics};
}

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<std::uint32_t> gzip;
  std::optional<std::uint32_t> any;
  std::uint32_t identity = 0;
  while (!accept_encoding.empty()) {
    const auto element = parse_element(take(accept_encoding, ','));
    if (!element) continue;
    if (same(element->name, "gzip") || same(element->name, "x-gzip")) {
      gzip = std::min(gzip.value_or(kFullWeight), element->weight);  // a refusal anywhere stands
    } else if (element->name == "*") {
      any = std::min(any.value_or(kFullWeight), element->weight);
    } else if (same(element->name, "identity")) {
      identity = element->weight;
    }
  }
  const std::uint32_t weight = gzip.value_or(any.value_or(0));
  return weight > 0 && weight >= identity;
}

}  // namespace kmem::encode
