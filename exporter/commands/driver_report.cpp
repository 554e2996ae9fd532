#include "exporter/commands/driver_report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <tuple>
#include <utility>

#include "collectors/base/label_text.h"

namespace kmem {
namespace {

using drivers::Candidate;
using drivers::ImageTags;
using nlohmann::ordered_json;

constexpr std::size_t kMostSkippedShown = 10;
constexpr std::string_view kImageScan = "image_scan";

/// Kernels pad a pool tag with blanks; people do not.
std::string padded(std::string tag) {
  if (!tag.empty() && tag.size() < 4) tag.resize(4, ' ');
  return tag;
}

bool is_wanted(const std::string& asked, const std::string& tag) { return tag == asked || tag == padded(asked); }

/// Of a tag that is asked for and not on this system: it may be another one's.
std::vector<Candidate> known_anywhere(const drivers::Attribution& known, const std::string& tag) {
  for (const auto& [pool, name] :
       {std::pair(Pool::kNonpaged, padded(tag)), std::pair(Pool::kSlabUnreclaimable, tag), std::pair(Pool::kVmalloc, tag)})
    if (auto candidates = known.candidates(pool, name); !candidates.empty()) return candidates;
  return {};
}

std::string shown_name(const drivers::ImageFile& image) { return base::label_text(image.name()); }

std::vector<Candidate> all_candidates(const DriverReport::Row& row) {
  std::vector<Candidate> all;
  for (const ImageTags::Holder& holder : row.holders) all.push_back({shown_name(*holder.image), {}, std::string(kImageScan)});
  all.insert(all.end(), row.known.begin(), row.known.end());
  return all;
}

ordered_json row_json(const DriverReport::Row& row) {
  const std::vector<Candidate> all = all_candidates(row);
  ordered_json out;
  if (row.pool) out["pool"] = pool_name(*row.pool);
  out["tag"] = row.tag;
  out["driver"] = drivers::joined_drivers(all);
  out["description"] = drivers::best_description(all);
  out["candidates"] = ordered_json::array();
  for (const ImageTags::Holder& holder : row.holders)
    out["candidates"].push_back({{"driver", shown_name(*holder.image)},
                                 {"source", kImageScan},
                                 {"path", base::label_text(holder.image->path)},
                                 {"evidence", drivers::evidence_name(holder.tag.evidence)},
                                 {"places", holder.tag.places}});
  for (const Candidate& one : row.known)
    out["candidates"].push_back({{"driver", one.driver}, {"source", one.source}, {"description", one.description}});
  return out;
}

constexpr std::size_t kColumns = 5;
using Line = std::array<std::string, kColumns>;

void add_lines(std::vector<Line>& lines, const DriverReport::Row& row) {
  std::string tag = row.tag, pool = row.pool ? std::string(pool_name(*row.pool)) : std::string();
  const std::string_view described = drivers::best_description(row.known);
  const auto add = [&](const std::string& driver, std::string evidence, std::string_view remark) {
    lines.push_back({tag, pool, driver.empty() ? "-" : driver, std::move(evidence), std::string(remark)});
    tag.clear();
    pool.clear();
  };
  for (const ImageTags::Holder& holder : row.holders)
    add(shown_name(*holder.image),
        std::string(drivers::evidence_name(holder.tag.evidence)) + " x" + std::to_string(holder.tag.places),
        row.known.empty() || &holder != &row.holders.front() ? std::string_view() : described);
  for (const Candidate& one : row.known) {
    const bool is_shown = std::any_of(row.holders.begin(), row.holders.end(), [&one](const ImageTags::Holder& holder) {
      return shown_name(*holder.image) == one.driver;
    });
    if (!is_shown) add(one.driver, one.source, one.description);
  }
  if (row.holders.empty() && row.known.empty()) add({}, "nothing known", {});
}

std::string table_text(const std::vector<Line>& lines) {
  std::array<std::size_t, kColumns> widths{};
  for (const Line& line : lines)
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], line[i].size());
  bool has_pools = false;
  for (std::size_t i = 1; i < lines.size(); ++i) has_pools = has_pools || !lines[i][1].empty();
  std::string out;
  for (const Line& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < kColumns; ++i)
      if (i != 1 || has_pools) text += line[i] + std::string(widths[i] - line[i].size() + 2, ' ');
    out += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

}  // namespace

DriverReport report_on_images(const ImageTags& images, const drivers::Attribution& known,
                              const std::vector<std::string>& only_tags) {
  DriverReport report;
  std::vector<std::string> tags;
  if (only_tags.empty()) {
    for (const std::uint32_t tag : images.tags()) tags.push_back(drivers::text_of_tag(tag));
  } else {
    for (const std::string& tag : only_tags) tags.push_back(padded(tag));
  }
  for (const std::string& tag : tags) {
    DriverReport::Row row{tag, {}, {}, known.candidates(Pool::kNonpaged, tag)};
    std::uint32_t number = 0;
    if (drivers::tag_of_text(tag, number)) row.holders = images.find(number);
    report.rows.push_back(std::move(row));
  }
  report.images = images.images().size();
  for (const drivers::ImageFile& image : images.images()) report.image_bytes += image.size_bytes;
  return report;
}

DriverReport report_on_tags(const Snapshot& snapshot, const drivers::Attribution& known,
                            const std::vector<std::string>& only_tags) {
  DriverReport report;
  for (const TagUsage& usage : snapshot.tags) {
    const auto asked_for = [&usage](const std::string& asked) { return is_wanted(asked, usage.tag); };
    if (!only_tags.empty() && std::none_of(only_tags.begin(), only_tags.end(), asked_for)) continue;
    DriverReport::Row row{usage.tag, usage.pool, {}, known.candidates(usage.pool, usage.tag)};
    if (!row.known.empty() || !only_tags.empty()) report.rows.push_back(std::move(row));
  }
  std::sort(report.rows.begin(), report.rows.end(), [](const DriverReport::Row& a, const DriverReport::Row& b) {
    return std::tie(a.pool, a.tag) < std::tie(b.pool, b.tag);
  });
  for (const std::string& tag : only_tags)
    if (std::none_of(report.rows.begin(), report.rows.end(), [&tag](const auto& row) { return is_wanted(tag, row.tag); }))
      report.rows.push_back({tag, {}, {}, known_anywhere(known, tag)});
  return report;
}

std::string driver_report_text(const DriverReport& report) {
  std::string out;
  if (report.images) {
    std::array<char, 64> size{};
    std::snprintf(size.data(), size.size(), "%.1f MiB", static_cast<double>(report.image_bytes) / (1024.0 * 1024));
    out += std::to_string(*report.images) + (*report.images == 1 ? " image, " : " images, ") + size.data() + "\n\n";
  }
  std::vector<Line> lines = {{"TAG", "POOL", "DRIVER", "FROM", "KNOWN AS"}};
  for (const DriverReport::Row& row : report.rows) add_lines(lines, row);
  if (lines.size() > 1) {
    out += table_text(lines);
  } else {
    out += "No tag that somebody is known to use.\n";
  }
  if (!report.skipped.empty()) {
    out += "\nNot usable\n";
    for (std::size_t i = 0; i < std::min(report.skipped.size(), kMostSkippedShown); ++i)
      out += "  " + base::label_text(report.skipped[i].path) + ": " + report.skipped[i].reason + "\n";
    if (report.skipped.size() > kMostSkippedShown)
      out += "  and " + std::to_string(report.skipped.size() - kMostSkippedShown) + " more\n";
  }
  return out;
}

std::string driver_report_json(const DriverReport& report) {
  ordered_json out;
  if (report.images) out["searched"] = {{"images", *report.images}, {"bytes", report.image_bytes}};
  out["tags"] = ordered_json::array();
  for (const DriverReport::Row& row : report.rows) out["tags"].push_back(row_json(row));
  out["skipped"] = ordered_json::array();
  for (const drivers::SkippedImage& skipped : report.skipped)
    out["skipped"].push_back({{"file", base::label_text(skipped.path)}, {"reason", skipped.reason}});
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kmem
