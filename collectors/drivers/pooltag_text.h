// pooltag.txt, the list that comes with the Windows debuggers and the WDK: text -> rows, found by tag. A line is
// "TAG - binary - description"; a tag has four columns, blanks included, and '?' stands for any one character.
// Thread: immutable once made. Failure: none; lines that are no rows are counted and passed over.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace kmem::drivers {

class PoolTagText {
 public:
  static constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
  static constexpr std::size_t kMaxRows = 65'536;
  static constexpr std::size_t kMostLinesTold = 10;

  struct Row {
    std::array<char, 4> tag{};
    std::string_view driver;  // as written: "ntfs.sys", "nt!mm"; empty for <unknown>
    std::string_view description;
    std::uint32_t line = 0;  // of the text, from 1

    [[nodiscard]] bool matches(std::string_view of) const;
  };

  explicit PoolTagText(std::string text);
  PoolTagText(const PoolTagText&) = delete;
  PoolTagText& operator=(const PoolTagText&) = delete;

  /// All exact rows in the file's order; else those with '?' that match and have the fewest of it.
  [[nodiscard]] std::vector<Row> find(std::string_view tag) const;
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::size_t skipped() const { return skipped_; }
  /// Where they stand, kMostLinesTold at most.
  [[nodiscard]] const std::vector<std::uint32_t>& skipped_lines() const { return skipped_lines_; }

 private:
  void take(std::string_view line, std::uint32_t number);

  std::string text_;  // what the rows point into
  std::vector<Row> rows_;
  std::unordered_multimap<std::uint32_t, std::size_t> exact_;
  std::vector<std::size_t> patterns_;
  std::size_t skipped_ = 0;
  std::vector<std::uint32_t> skipped_lines_;
};

}  // namespace kmem::drivers
