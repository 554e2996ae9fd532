#include "exporter/status_page.h"

#include <cstdint>
#include <cstdio>

namespace kmem {
namespace {

std::string human_bytes(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

void row(std::string& page, std::string_view name, std::uint64_t bytes) {
  page.append("<tr><th scope=\"row\">").append(html_text(name)).append("</th><td title=\"");
  page.append(std::to_string(bytes)).append(" bytes\">").append(human_bytes(bytes)).append("</td></tr>\n");
}

std::string_view state_text(PartState state) {
  switch (state) {
    case PartState::kOk: return "ok";
    case PartState::kPartial: return "partial";
    case PartState::kFailed: return "failed";
    case PartState::kUnsupported: break;
  }
  return "not on this system";
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      case '\'': safe += "&#39;"; break;
      default: safe += c;
    }
  }
  return safe;
}

std::string status_page(const Snapshot& snapshot, std::span<const std::string> verdict, std::string_view version,
                        std::string_view telemetry_path) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>kmem_exporter</title>\n<style>\n"
      ":root { color-scheme: light dark; }\n"
      "body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 48rem; padding: 0 1rem; }\n"
      "table { border-collapse: collapse; margin-bottom: 1.5rem; }\n"
      "th, td { padding: .2rem 1rem .2rem 0; text-align: left; vertical-align: top; }\n"
      "td { font-variant-numeric: tabular-nums; }\n.verdict, .failed, .partial { font-weight: 600; }\n"
      "</style>\n</head>\n<body>\n<h1>kmem_exporter</h1>\n";
  for (const std::string& line : verdict)
    page.append("<p class=\"verdict\">").append(html_text(line)).append("</p>\n");
  page.append("<p>Version ");
  page.append(html_text(version)).append(". Metrics for Prometheus: <a href=\"");
  page.append(html_text(telemetry_path)).append("\">").append(html_text(telemetry_path));
  page.append("</a>. Health: <a href=\"/-/healthy\">/-/healthy</a>, <a href=\"/-/ready\">/-/ready</a>.</p>\n");

  page.append("<h2>Kernel memory now</h2>\n<table>\n");
  for (const PoolTotals& pool : snapshot.pools)
    if (pool.bytes) row(page, pool_name(pool.pool), *pool.bytes);
  if (snapshot.commit_bytes) row(page, "commit", *snapshot.commit_bytes);
  if (snapshot.commit_limit_bytes) row(page, "commit limit", *snapshot.commit_limit_bytes);
  if (snapshot.available_bytes) row(page, "available", *snapshot.available_bytes);
  if (snapshot.physical_memory_bytes) row(page, "installed", *snapshot.physical_memory_bytes);
  page.append("</table>\n<p>").append(std::to_string(snapshot.tags.size())).append(" tags are alive.</p>\n");

  page.append("<h2>Collectors</h2>\n<table>\n");
  for (const PartStatus& part : snapshot.parts) {
    const std::string_view state = state_text(part.state);
    page.append("<tr><th scope=\"row\">").append(html_text(part.collector)).append("</th><td class=\"").append(state);
    page.append("\">").append(state).append("</td><td>").append(html_text(part.reason)).append("</td></tr>\n");
  }
  return page.append("</table>\n</body>\n</html>\n");
}

}  // namespace kmem
