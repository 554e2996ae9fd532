// STAGE 6: View -> the documents of the JSON API, /api/v1 (exporter/page/README.md). Keys are the public
// interface: add freely, rename never. What is not known is null; so is a number that would be infinite. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "exporter/page/query.h"
#include "exporter/page/view.h"

namespace kmem::page {

[[nodiscard]] std::string status_json(const View& view);
[[nodiscard]] std::string tags_json(const View& view, const TagQuery& query);
/// `subjects`: the wanted ones of `matched`.
[[nodiscard]] std::string trends_json(const View& view, const std::vector<Subject>& subjects, std::size_t matched,
                                      const TagQuery& query);
/// view.chosen with its history.
[[nodiscard]] std::string trend_json(const View& view);
[[nodiscard]] std::string error_json(int status, std::string_view message);

}  // namespace kmem::page
