// What Windows' shells leave to the program: names for the * and ? of FILE and PATH arguments. Thread: as `files`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/file_io.h"

namespace kmem {

/// As in cmd: * is any text, ? one character, *.* everything, and case (of ASCII letters) does not count.
[[nodiscard]] bool matches_wildcards(std::string_view name, std::string_view pattern);

/// Each path whose last part has * or ? becomes the names that match it, sorted; the others stay. Failure: kAbsent when
/// none matches, kInvalid for a folder with wildcards or with more files than are listed.
[[nodiscard]] base::Result<std::vector<std::string>> expand_wildcards(const std::vector<std::string>& paths,
                                                                      base::FileSystem& files);

}  // namespace kmem
