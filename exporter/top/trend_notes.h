// What a running agent's trend.state says of each tag, for people: "LEAK +431K/d 94%". Reads the file when it has
// changed and writes nothing. Thread: one. Failure: problem() says why there is nothing; no file yet is none.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "collectors/base/file_io.h"
#include "collectors/snapshot.h"
#include "exporter/top/usage_table.h"

namespace kmem::top {

class TrendNotes {
 public:
  /// `folder` is storage.path; empty: there is nothing. A state of another host is refused.
  TrendNotes(base::FileSystem& files, const std::string& folder, std::string host_identity);

  void refresh();
  void note(UsageRow& row) const;
  /// What runs out, of pools, commit and free PTEs, one line each; before them, what is missing to tell a leak.
  [[nodiscard]] const std::vector<std::string>& ends() const { return ends_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  struct Note {
    std::string text;
    Mark mark = Mark::kNone;
  };

  base::FileSystem& files_;
  std::string path_;  // empty = nothing is kept
  std::string host_identity_;
  base::UnixMillis modified_ = 0;
  std::uint64_t size_bytes_ = 0;
  std::unordered_map<std::uint64_t, Note> notes_;  // by tag_key
  std::vector<std::string> ends_;
  std::string problem_;
};

}  // namespace kmem::top
