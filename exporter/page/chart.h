// STAGE 6, the page: a subject's history -> drawings: the chart over the weeks and the small line in a table. SVG
// without style of its own (the page's Content-Security-Policy allows none); texts keep their size at any width. Pure.
#pragma once

#include <array>
#include <vector>

#include "exporter/page/html.h"
#include "exporter/page/view.h"

namespace kmem::page {

/// <figure>: floor, trend line, steps and boots, and in words what they show. Nothing where there is no history.
void add_chart(Html& html, const Subject& subject, const std::vector<base::UnixMillis>& boots, base::UnixMillis now);
/// <figure> of hours. What surges: the last 6 hours by five minutes, with its pace. What has grown for longer, and all
/// else: the last 4 days by the hour. Nothing where fewer than three of these values were seen.
void add_hours_chart(Html& html, const Subject& subject, base::UnixMillis now);
/// 56 days, or a dash where fewer than two were seen.
void add_sparkline(Html& html, const std::array<float, trend::kHistoryDays>& course);
/// The history's address below the API: "nonpaged/Thre", "commit".
[[nodiscard]] std::string subject_path(trend::Kind kind, Pool pool, std::string_view text);
/// "tag Thre (nonpaged)", "free system PTEs"
[[nodiscard]] std::string subject_words(const trend::SubjectReport& report);

}  // namespace kmem::page
