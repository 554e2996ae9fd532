#include "collectors/history/decimal_marks.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "collectors/history/csv_fields.h"
#include "collectors/history/number_text.h"

namespace kmem::history {
namespace {

constexpr std::string_view kPartingMarks = ".,";

std::optional<std::uint64_t> rounded_bytes(std::optional<double> value, double unit) {
  if (!value || !(*value >= 0)) return std::nullopt;
  const double bytes = std::round(*value * unit);
  return bytes < 0x1p63 ? std::optional(static_cast<std::uint64_t>(bytes)) : std::nullopt;
}

}  // namespace

void DecimalMarks::see(std::size_t column, std::string_view cell, bool is_whole) {
  const std::size_t last = cell.find_last_of(kPartingMarks);
  if (last == std::string_view::npos) return;
  const NumberFault fault = parse_number(cell, false).fault;
  if (fault == NumberFault::kNoNumber || (fault == NumberFault::kTwoValues && !is_whole)) return;
  const char mark = cell[last];
  const bool parts_thousands = fault == NumberFault::kTwoValues || std::count(cell.begin(), cell.end(), mark) > 1;
  const bool is_point = (mark == '.') != parts_thousands;
  Proofs& proofs = proofs_[column];
  (is_point ? proofs.point : proofs.comma) = true;
  (is_point ? all_.point : all_.comma) = true;
}

DecimalMarks::Amount DecimalMarks::amount(std::size_t column, std::string_view cell, double unit, char separator) const {
  cell = trimmed(cell);
  const std::size_t last = cell.find_last_of(kPartingMarks);
  const auto whole = [&]() -> Amount {
    const auto amount = parse_amount(cell);
    if (unit == 1 || !amount) return {amount};
    return {rounded_bytes(static_cast<double>(*amount), unit)};
  };
  if (last == std::string_view::npos) return whole();
  if (last + 1 == cell.size()) return {};
  const NumberText number = parse_number(cell, false);
  const auto of = proofs_.find(column);
  const Proofs proofs = of == proofs_.end() ? Proofs{} : of->second;
  const char mark = cell[last], other = mark == '.' ? ',' : '.';
  if (unit == 1) {
    if (number.fault == NumberFault::kTwoValues && proofs.of(mark)) return {};  // a fraction of a byte
    // "512000.0": tables that have room for fractions write counts so.
    const bool is_count = number.value && std::count(cell.begin(), cell.end(), mark) == 1 &&
                          cell.find_first_not_of('0', last + 1) == std::string_view::npos;
    return is_count ? Amount{rounded_bytes(number.value, 1)} : whole();
  }
  if (number.fault != NumberFault::kTwoValues) return {rounded_bytes(number.value, unit)};
  if (proofs.of(mark) && proofs.of(other)) return {std::nullopt, true};
  if (proofs.of(other)) return whole();
  if (!proofs.of(mark)) {
    const bool is_usual = mark == (separator == ';' ? ',' : '.');
    if (!is_usual || all_.of(other)) return {std::nullopt, true};
  }
  std::string plain(cell);
  std::replace(plain.begin(), plain.end(), ',', '.');
  return {rounded_bytes(parse_number(plain, true).value, unit), !proofs.of(mark), true};
}

}  // namespace kmem::history
