// "did you mean": the candidate that a mistyped word most likely stands for. Thread: pure.
// Failure: nullopt when nothing is near enough to be worth a hint.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kmem::base {

/// By edits (insert, drop, change, swap of neighbours, letter case ignored): at most a third of the word's length.
/// Failing that, the only candidate that begins with the word. Of equals the first wins.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace kmem::base
