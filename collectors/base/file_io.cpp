#include "collectors/base/file_io.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace kmem::base {
namespace {

constexpr std::size_t kBadFilesKept = 3;
// Smaller sizes are not believed: /sys tells a page for every file.
constexpr std::size_t kBelievedBytes = std::size_t{1} << 20;

struct SplitPath {
  std::string folder;
  std::string name;
};

SplitPath split(const std::string& path) {
  const std::size_t slash = path.find_last_of("/\\");
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

std::uint64_t number_after(std::string_view text, std::size_t prefix) {
  std::uint64_t number = 0;
  std::from_chars(text.data() + prefix, text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string in_folder(const std::string& folder, std::string_view name) {
  const std::string_view separators = path_separators();
  if (!folder.empty() && separators.find(folder.back()) != std::string_view::npos) return folder + std::string(name);
  const std::size_t first = folder.find_first_of(separators);
  return folder + (first == std::string::npos ? '/' : folder[first]) + std::string(name);
}

Result<void> make_folders(FileSystem& files, const std::string& path) {
  auto made = files.make_folder(path);
  if (made || made.error().code != ErrorCode::kAbsent) return made;
  const std::size_t name_end = path.find_last_not_of(path_separators());
  const std::size_t name_begin = path.find_last_of(path_separators(), name_end);
  if (name_end == std::string::npos || name_begin == std::string::npos || name_begin == 0) return made;
  auto parent = make_folders(files, path.substr(0, name_begin));
  if (parent) return files.make_folder(path);
  return parent.error().code == ErrorCode::kAbsent ? made : parent;
}

Result<std::string> read_file(FileSystem& files, const std::string& path, std::size_t max_bytes) {
  auto file = files.open(path, OpenMode::kRead);
  if (!file) return file.error();
  const Error too_long{ErrorCode::kInvalid, path + ": longer than the " + std::to_string(max_bytes) + " bytes allowed"};
  std::string content;
  // What is too long is not taken into memory first, and what is not is there only once.
  if (const auto info = files.info(path)) {
    if (info->size_bytes > std::max(max_bytes, kBelievedBytes)) return too_long;
    content.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(info->size_bytes, max_bytes)));
  }
  std::array<std::byte, std::size_t{16} * 1024> chunk;
  for (;;) {
    const auto got = (*file)->read(chunk);
    if (!got) return got.error();
    if (*got == 0) return content;
    if (max_bytes - content.size() < *got) return too_long;
    content.append(reinterpret_cast<const char*>(chunk.data()), *got);
  }
}

Result<void> replace_file(FileSystem& files, const std::string& path, std::string_view content) {
  return replace_file(files, path, [content](File& file) { return file.append(content); });
}

Result<void> replace_file(FileSystem& files, const std::string& path, const std::function<Result<void>(File&)>& write,
                          OpenMode mode) {
  const auto place = files.place_of(path);
  if (!place) return place.error();
  if (!place->is_replaceable) return Error{ErrorCode::kInvalid, path + ": is not a regular file and is not replaced"};
  const std::string temporary = place->path + ".tmp";
  auto file = files.open(temporary, mode);
  if (!file) return file.error();
  const auto discard = [&](const Error& why) -> Result<void> {
    file = std::unique_ptr<File>();
    (void)files.remove(temporary);  // a full disk needs the space; if that fails, the next time rewrites it
    return why;
  };
  if (mode == OpenMode::kRewrite)
    if (auto taken = (*file)->take_access_of(place->path); !taken) return discard(taken.error());
  if (auto written = write(**file); !written) return discard(written.error());
  if (auto synced = (*file)->sync(); !synced) return discard(synced.error());
  // Renamed while still open, so that its lock keeps a second writer from the temporary file's name until then.
  if (auto renamed = files.rename(temporary, place->path); !renamed) return discard(renamed.error());
  return {};
}

Result<void> write_output(FileSystem& files, const std::string& path, std::string_view content) {
  const auto place = files.place_of(path);
  if (!place) return place.error();
  if (place->is_replaceable) return replace_file(files, path, content);
  auto file = files.open(path, OpenMode::kWrite);
  if (!file) return file.error();
  if (auto written = (*file)->append(content); !written) return written;
  return (*file)->sync();
}

Result<std::string> set_aside(FileSystem& files, const std::string& path, UnixMillis now) {
  const auto [folder, name] = split(path);
  const std::string prefix = name + ".bad-";
  const std::string aside = path + ".bad-" + std::to_string(now / 1000);
  if (auto renamed = files.rename(path, aside); !renamed) return renamed.error();
  auto bad = files.names(folder, prefix);
  if (bad && bad->size() > kBadFilesKept) {
    std::sort(bad->begin(), bad->end(), [&](const std::string& a, const std::string& b) {
      return number_after(a, prefix.size()) > number_after(b, prefix.size());
    });
    const std::string beside = path.substr(0, path.size() - name.size());
    // One that cannot be removed is tried again the next time.
    for (auto old = bad->begin() + kBadFilesKept; old != bad->end(); ++old) (void)files.remove(beside + *old);
  }
  return aside;
}

}  // namespace kmem::base
