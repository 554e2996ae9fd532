// STAGE 6 in the agent: what it knows -> what the page and the JSON API show. Called under the agent's lock and quick:
// texts are made later and outside of it. Thread: the caller serialises. Failure: none; what is unknown stays empty.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "collectors/snapshot.h"
#include "exporter/agent/trend_watch.h"
#include "exporter/page/query.h"
#include "exporter/page/rates.h"
#include "exporter/page/view.h"
#include "exporter/select/selection.h"

namespace kmem {

/// Everything but the tags' rows and what a query chooses. `trend` may be null: it is switched off.
void gather_view(const Snapshot& snapshot, const select::Selection& selection, const TrendWatch* trend, page::View& view);
/// Every live tag, without its course and drivers.
[[nodiscard]] std::vector<page::TagRow> gather_tags(const Snapshot& snapshot, const select::Selection& selection,
                                                    const TrendWatch* trend, const page::Rates& rates);
void add_courses(const TrendWatch* trend, std::vector<page::TagRow>& rows);

/// By its address below the API: "nonpaged/Thre", "nonpaged", "commit", "handles/NAME (PID)"; with its course.
[[nodiscard]] std::optional<page::Subject> find_subject(const TrendWatch& trend, std::string_view path);
/// The wanted subjects, worst first; `matched`: of how many.
[[nodiscard]] std::vector<page::Subject> find_subjects(const TrendWatch& trend, const page::TagQuery& query,
                                                       std::size_t& matched);

}  // namespace kmem
