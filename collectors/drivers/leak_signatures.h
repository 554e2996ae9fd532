// Leaks that somebody has found already: a table in the style of pooltag.txt, which a user writes:
//   TAG - driver - versions - words
// Versions: any; 5.1.3; 5.0..5.1.3; ..5.1.3; 5.2.. (both ends belong to it; 5.1 as an end means all of 5.1). Comments, blanks and
// '?' in a tag as in pooltag.txt. A row is no proof: it says something only of a suspect tag and a driver that is there.
// Thread: immutable once made. Failure: none; lines that are no rows are counted, told and passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/drivers/image_version.h"
#include "collectors/drivers/pooltag_text.h"
#include "collectors/snapshot.h"

namespace kmem::drivers {

class LeakSignatures {
 public:
  struct Row {
    std::string_view driver;
    bool any_version = false;
    FileVersion first = 0, last = 0;
    std::string_view words;

    /// `version` 0: not known, which only `any` has.
    [[nodiscard]] bool has(FileVersion version) const {
      return any_version || (version != 0 && version >= first && version <= last);
    }
  };

  explicit LeakSignatures(std::string text);

  /// Every row that matches, exact or with '?', in the file's order: unlike owners, leaks do not rule each other out.
  [[nodiscard]] std::vector<Row> find(std::string_view tag) const;
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::size_t skipped() const { return text_.skipped() + text_.size() - rows_.size(); }
  /// "line 3", "lines 1, 2, 3 and 17 more"; empty when all were rows.
  [[nodiscard]] std::string skipped_lines() const;

 private:
  PoolTagText text_;  // what the rows point into
  std::vector<std::pair<PoolTagText::Row, Row>> rows_;
  std::vector<std::uint32_t> no_signatures_;  // lines that are rows of pooltag.txt alone, kMostLinesTold at most
};

/// A leak that is known, with its evidence found on this host.
struct KnownLeak {
  Pool pool = Pool::kPaged;
  std::string tag, driver;
  std::string version;  // "5.1.3.0"; empty: not known, and the row has any
  std::string words;
};

}  // namespace kmem::drivers
