// All amounts of a table -> whether the marks in a column part decimals or thousands. A column's own cells prove it: decimals
// of other than three places, "0.488", more than three digits before the mark, both marks in one cell, one that stands twice.
// Thread: value type. Failure: no bytes, where nothing proves it or cells of the column prove both.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace kmem::history {

class DecimalMarks {
 public:
  /// `is_whole`: of bytes or counts, whose marks can but part thousands.
  void see(std::size_t column, std::string_view cell, bool is_whole);

  struct Amount {
    std::optional<std::uint64_t> bytes;
    bool is_doubtful = false;   // its mark may part thousands or decimals, and nothing proves which
    bool has_decimals = false;  // which is assumed, where there are bytes
  };
  /// A cell of a column of that unit. What nothing proves has decimals where its mark is the decimal point of those who part
  /// columns so: the comma where a semicolon parts them, else the point.
  [[nodiscard]] Amount amount(std::size_t column, std::string_view cell, double unit, char separator) const;

 private:
  struct Proofs {
    bool point = false, comma = false;  // that it is the decimal point
    [[nodiscard]] bool of(char mark) const { return mark == '.' ? point : comma; }
  };
  std::map<std::size_t, Proofs> proofs_;
  Proofs all_;
};

}  // namespace kmem::history
