// Words of dates in the languages that Windows and Unix write them in: months, weekdays, halves of the day. Bytes may be
// UTF-8 or of a console's code page; accents and case do not matter. Thread: pure.
// Failure: 0 or nullopt for any other word.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kmem::history {

/// A byte of an unknown code page in what folded_word() gives: any letter.
inline constexpr char kHiddenLetter = '?';
/// Small letters without accents.
[[nodiscard]] std::string folded_word(std::string_view word);

/// The line with blanks and digits that are none in ASCII as such: U+00A0, U+202F, U+2009, U+3000, those of Arabic; without
/// marks of writing direction.
[[nodiscard]] std::string with_plain_blanks(std::string_view line);

/// "2026년 11월 5일" without the blanks between the parts of one date.
[[nodiscard]] std::string with_joined_date(std::string_view line);
/// Without what stands before a date and counts or names it: "Run 1 of 5 - ", OSWatcher's "zzz ", wmic's "LocalDateTime=".
[[nodiscard]] std::string_view without_title(std::string_view line);

/// 1 to 12; 0: none. "mar" is March here, and Tuesday below.
[[nodiscard]] int month_of(std::string_view word);

/// Of another language's words, too, or of products: "out", "Windows 10 Pro". Only with what else makes it a date.
[[nodiscard]] bool is_weak_month(std::string_view word);

/// 0 is Sunday. Two letters are too few to tell unless they stand first on the line.
[[nodiscard]] std::optional<int> weekday_of(std::string_view word, bool is_first);
/// What weekday_of() says is Sunday, and Saturday in other languages.
[[nodiscard]] bool means_saturday_too(std::string_view word);

/// True: after noon. Directly behind a time; elsewhere "am" is German.
[[nodiscard]] std::optional<bool> half_of_day(std::string_view word);
/// One that may stand directly before its time.
[[nodiscard]] bool stands_ahead(std::string_view half);

/// Whether it stands behind times as a remark, and is no zone: "INFO", "before".
[[nodiscard]] bool is_remark(std::string_view word);

/// "INFO": what is behind it is prose.
[[nodiscard]] bool is_log_level(std::string_view word);

/// Whether it often stands beside a date and says nothing: "date:", "um", "current".
[[nodiscard]] bool is_filler(std::string_view word);

}  // namespace kmem::history
