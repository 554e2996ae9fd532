// Numbers as programs and spreadsheets of any country write them -> a value. Thread: pure.
// Failure: nothing, and kTwoValues when a mark may part thousands as well as decimals: "1.234".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kmem::history {

enum class NumberFault : std::uint8_t { kNone, kNoNumber, kTwoValues };

struct NumberText {
  std::optional<double> value;
  NumberFault fault = NumberFault::kNone;
};

/// `point_is_decimal`: of a file whose fields are parted by commas, a lone point is.
[[nodiscard]] NumberText parse_number(std::string_view text, bool point_is_decimal);

/// What the last digit of "5,12E+06" is worth, 10000, where that is more than 1 and few digits are left: those
/// behind it are lost. Else 1.
[[nodiscard]] double worth_of_last_digit(std::string_view number);

/// Of such a number, what is said of it; empty: nothing is lost.
[[nodiscard]] std::string words_of_lost_digits(std::string_view number);

/// "1,234,567" and "1 234 567" as scripts format numbers, where all groups have three digits.
[[nodiscard]] std::optional<std::uint64_t> parse_amount(std::string_view text);

}  // namespace kmem::history
