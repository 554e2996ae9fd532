#include "exporter/page/query.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <tuple>

#include "collectors/base/ascii_case.h"
#include "collectors/base/query_text.h"

namespace kmem::page {
namespace {

constexpr std::size_t kMaxFilterBytes = 256;
constexpr std::size_t kMaxOffset = 1'000'000;

bool contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return base::ascii_lower(a) == base::ascii_lower(b); }) != text.end();
}

template <std::size_t kCount>
std::optional<std::size_t> index_of(const std::array<std::string_view, kCount>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

/// The worst first.
std::vector<std::string_view> verdict_names() {
  std::vector<std::string_view> names;
  for (std::size_t i = trend::kVerdictCount; i-- > 0;) names.push_back(trend::verdict_name(static_cast<trend::Verdict>(i)));
  return names;
}

std::string listed(const auto& names) {
  std::string text;
  for (const std::string_view name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

base::Error wrong(std::string_view name, const std::string& want) {
  return {base::ErrorCode::kInvalid, "parameter " + std::string(name) + ": want " + want};
}

base::Result<void> take_number(std::string_view name, std::string_view value, std::size_t least, std::size_t most,
                               std::size_t& out) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < least || number > most)
    return wrong(name, "a number from " + std::to_string(least) + " to " + std::to_string(most));
  out = number;
  return {};
}

base::Result<void> take(TagQuery& query, std::string_view name, const std::string& value) {
  if (name == "limit") return take_number(name, value, 1, kMaxRows, query.limit);
  if (name == "offset") return take_number(name, value, 0, kMaxOffset, query.offset);
  if (name == "filter" || name == "chart") {
    if (value.size() > kMaxFilterBytes) return wrong(name, "at most " + std::to_string(kMaxFilterBytes) + " bytes");
    (name == "filter" ? query.filter : query.chart) = value;
    return {};
  }
  if (name == "pool") {
    const auto pool = index_of(kPoolNames, value);
    if (!pool && !value.empty()) return wrong(name, "one of " + listed(kPoolNames));
    query.pool = pool ? std::optional(static_cast<Pool>(*pool)) : std::nullopt;
  } else if (name == "sort") {
    const auto column = index_of(kColumnNames, value);
    if (!column) return wrong(name, "one of " + listed(kColumnNames));
    query.sort = static_cast<Column>(*column);
  } else if (name == "order") {
    if (value != "asc" && value != "desc") return wrong(name, "asc or desc");
    query.descending = value == "desc";
  } else if (name == "course") {
    if (value != "0" && value != "1") return wrong(name, "0 or 1");
    query.course = value == "1";
  } else {
    query.verdict = trend::parse_verdict(value);
    if (!value.empty() && !query.verdict) return wrong(name, "one of " + listed(verdict_names()));
  }
  return {};
}

template <typename OnFault>
TagQuery parse(std::string_view text, const std::vector<std::string_view>& allowed, TagQuery query, OnFault on_fault) {
  bool ordered = false;
  std::vector<std::string_view> seen;
  base::for_each_parameter(text, [&](std::string_view name, std::string_view value) {
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      on_fault({base::ErrorCode::kInvalid, "unknown parameter " + std::string(name) + "; known are " + listed(allowed)});
    } else if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      on_fault({base::ErrorCode::kInvalid, "parameter " + std::string(name) + " is given twice"});
    } else {
      seen.push_back(name);
      if (const auto taken = take(query, name, base::percent_decoded(value)); !taken) on_fault(taken.error());
    }
    ordered = ordered || name == "order";
  });
  // Names read from A to Z, amounts from the largest.
  const bool by_name = query.sort == Column::kTag || query.sort == Column::kPool || query.sort == Column::kDriver;
  if (!ordered) query.descending = !by_name;
  return query;
}

/// What is not known comes last in either order.
double number_of(const TagRow& row, Column column, bool descending) {
  std::optional<double> number;
  switch (column) {
    case Column::kBytes: number = static_cast<double>(row.bytes); break;
    case Column::kOutstanding:
      if (row.outstanding) number = static_cast<double>(*row.outstanding);
      break;
    case Column::kPerAllocation: number = row.bytes_per_allocation(); break;
    case Column::kRate: number = row.allocations_per_second; break;
    default: number = row.growth_per_second;
  }
  const double infinity = std::numeric_limits<double>::infinity();
  return number.value_or(descending ? -infinity : infinity);
}

std::string_view text_of(const TagRow& row, Column column) {
  if (column == Column::kTag) return row.tag;
  if (column == Column::kPool) return pool_name(row.pool);
  if (row.drivers.empty()) return "\x7f";  // after every name
  return row.drivers[0].driver.empty() ? row.drivers[0].description : row.drivers[0].driver;
}

bool before(const TagRow& a, const TagRow& b, const TagQuery& query) {
  const bool by_name = query.sort == Column::kTag || query.sort == Column::kPool || query.sort == Column::kDriver;
  if (by_name) {
    const int order = text_of(a, query.sort).compare(text_of(b, query.sort));
    if (order != 0) return query.descending ? order > 0 : order < 0;
  } else {
    const double left = number_of(a, query.sort, query.descending), right = number_of(b, query.sort, query.descending);
    if (left != right) return query.descending ? left > right : left < right;
  }
  return std::tie(b.bytes, a.pool, a.tag) < std::tie(a.bytes, b.pool, b.tag);
}

bool matches(const TagRow& row, const TagQuery& query) {
  if (query.pool && row.pool != *query.pool) return false;
  if (query.filter.empty() || contains(row.tag, query.filter)) return true;
  return std::any_of(row.drivers.begin(), row.drivers.end(), [&query](const Driver& driver) {
    return contains(driver.driver, query.filter) || contains(driver.description, query.filter);
  });
}

}  // namespace

base::Result<TagQuery> parse_query(std::string_view query, const std::vector<std::string_view>& allowed,
                                   const TagQuery& defaults) {
  std::optional<base::Error> fault;
  TagQuery parsed = parse(query, allowed, defaults, [&fault](base::Error error) {
    if (!fault) fault = std::move(error);
  });
  if (fault) return *fault;
  return parsed;
}

TagQuery parse_query_leniently(std::string_view query, const std::vector<std::string_view>& allowed, const TagQuery& defaults) {
  return parse(query, allowed, defaults, [](const base::Error&) {});
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                       c == '_' || c == '~';
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      out += c;
    } else {
      out.append("%") += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

std::string query_link(const TagQuery& query, const TagQuery& defaults) {
  std::string link;
  const auto add = [&link](std::string_view name, std::string_view value) {
    link.append(link.empty() ? "?" : "&").append(name).append("=").append(percent_encoded(value));
  };
  if (query.sort != defaults.sort || query.descending != defaults.descending) {
    add("sort", kColumnNames[static_cast<std::size_t>(query.sort)]);
    add("order", query.descending ? "desc" : "asc");
  }
  if (query.pool != defaults.pool) add("pool", query.pool ? pool_name(*query.pool) : std::string_view());
  if (query.filter != defaults.filter) add("filter", query.filter);
  if (query.limit != defaults.limit) add("limit", std::to_string(query.limit));
  if (query.chart != defaults.chart) add("chart", query.chart);
  return link.empty() ? "./" : link;
}

std::size_t choose(std::vector<TagRow>& rows, const TagQuery& query) {
  std::erase_if(rows, [&query](const TagRow& row) { return !matches(row, query); });
  const std::size_t matched = rows.size();
  const std::size_t end = std::min(matched, query.offset + query.limit), begin = std::min(matched, query.offset);
  const auto at = [&rows](std::size_t index) { return rows.begin() + static_cast<std::ptrdiff_t>(index); };
  std::partial_sort(rows.begin(), at(end), rows.end(),
                    [&query](const TagRow& a, const TagRow& b) { return before(a, b, query); });
  rows.erase(at(end), rows.end());
  rows.erase(rows.begin(), at(begin));
  return matched;
}

}  // namespace kmem::page
