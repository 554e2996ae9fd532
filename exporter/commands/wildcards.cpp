#include "exporter/commands/wildcards.h"

#include <algorithm>
#include <utility>

#include "collectors/base/ascii_case.h"
#include "collectors/base/utf8.h"

namespace kmem {
namespace {

constexpr std::string_view kWildcards = "*?";

std::size_t character_at(std::string_view text) { return std::max<std::size_t>(base::utf8_length(text), 1); }

/// `folder`: "pm\", "C:", "" or the like. One that ends there is a name for the folder itself only with a dot behind it.
std::string listable(std::string_view folder) {
  const bool is_root =
      folder == "\\" || folder == "/" || folder.ends_with(':') || folder.ends_with(":\\") || folder.ends_with(":/");
  if (folder.empty() || is_root) return std::string(folder) + ".";
  return std::string(folder.substr(0, folder.size() - 1));
}

base::Result<void> add_matches(const std::string& path, base::FileSystem& files, std::vector<std::string>& out) {
  const std::size_t last = path.find_last_of("/\\:");
  const std::size_t name_at = last == std::string::npos ? 0 : last + 1;
  const std::string folder = path.substr(0, name_at), pattern = path.substr(name_at);
  // \\?\ begins a path that is taken literally.
  if (folder.find_first_of(kWildcards, folder.starts_with("\\\\?\\") ? 4 : 0) != std::string::npos)
    return base::Error{base::ErrorCode::kInvalid, path + ": * and ? may stand in the last part of a path only"};
  if (pattern.find_first_of(kWildcards) == std::string::npos) {
    out.push_back(path);
    return {};
  }
  auto names = files.names(listable(folder), "");
  if (!names) return names.error();
  if (names->size() >= base::kMaxNames)
    return base::Error{base::ErrorCode::kInvalid, path + ": the folder has " + std::to_string(base::kMaxNames) +
                                                      " files or more, too many to choose from; name them"};
  std::sort(names->begin(), names->end());
  const std::size_t before = out.size();
  for (const std::string& name : *names)
    if (matches_wildcards(name, pattern)) out.push_back(folder + name);
  if (out.size() == before) return base::Error{base::ErrorCode::kAbsent, path + ": no file has such a name"};
  return {};
}

}  // namespace

bool matches_wildcards(std::string_view name, std::string_view pattern) {
  if (pattern == "*.*") return true;
  std::size_t at = 0, wanted = 0, star = std::string_view::npos, star_at = 0;
  while (at < name.size()) {
    const std::size_t length = character_at(name.substr(at));
    if (wanted < pattern.size() && pattern[wanted] == '*') {
      star = wanted++;
      star_at = at;
    } else if (wanted < pattern.size() && pattern[wanted] == '?') {
      at += length;
      ++wanted;
    } else if (wanted < pattern.size() && base::ascii_lower(pattern[wanted]) == base::ascii_lower(name[at])) {
      ++at;
      ++wanted;
    } else if (star != std::string_view::npos) {
      // The last * takes one character more.
      star_at += character_at(name.substr(star_at));
      at = star_at;
      wanted = star + 1;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', wanted) == std::string_view::npos;
}

base::Result<std::vector<std::string>> expand_wildcards(const std::vector<std::string>& paths, base::FileSystem& files) {
  std::vector<std::string> out;
  for (const std::string& path : paths)
    if (const auto added = add_matches(path, files, out); !added) return added.error();
  return out;
}

}  // namespace kmem
