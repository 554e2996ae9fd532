#include "exporter/page/files.h"

#include <algorithm>

namespace kmem::page {

const File* find_file(std::span<const File> files, std::string_view name) {
  const auto found = std::find_if(files.begin(), files.end(), [name](const File& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

std::string_view content_type_of(const File& file) {
  if (file.name.ends_with(".css")) return "text/css; charset=utf-8";
  if (file.name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (file.name.ends_with(".svg")) return "image/svg+xml";
  return "text/plain; charset=utf-8";
}

}  // namespace kmem::page
