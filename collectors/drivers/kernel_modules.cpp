#include "collectors/drivers/kernel_modules.h"

#include <algorithm>

namespace kmem::drivers {
namespace {

/// Module names are told with '_' or '-' as they please.
std::string normal(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

}  // namespace

std::vector<std::string> parse_proc_modules(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty() && names.size() < kMaxModules) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view name = line.substr(0, line.find_first_of(" \t"));
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

std::string_view module_of_symbol(std::string_view symbol) {
  while (symbol.ends_with('\n') || symbol.ends_with(' ')) symbol.remove_suffix(1);
  const std::size_t open = symbol.rfind(" [");
  if (!symbol.ends_with(']') || open == std::string_view::npos) return {};
  const std::string_view inside = symbol.substr(open + 2, symbol.size() - open - 3);
  return inside.substr(0, inside.find(' '));  // newer kernels add a build id
}

std::string_view module_of_site(std::string_view site) {
  const std::string_view module = site.substr(0, site.find(':'));
  return module == site || module == "kernel" ? std::string_view() : module;
}

void KernelModules::add_module(std::string_view name) {
  // What every kernel has under these names are parameters of the kernel itself.
  if (name.empty() || name == "kernel" || modules_.size() >= kMaxModules) return;
  modules_.insert(normal(name));
}

void KernelModules::add_constructor(std::string_view cache, std::string_view symbol) {
  const std::string_view module = module_of_symbol(symbol);
  if (!module.empty() && constructors_.size() < kMaxModules) constructors_.insert_or_assign(std::string(cache), module);
}

std::string_view KernelModules::module_of_cache(std::string_view cache) const {
  if (const auto found = constructors_.find(std::string(cache)); found != constructors_.end()) return found->second;
  const std::string name = normal(cache);
  for (std::size_t length = name.size(); length > 0 && length != std::string::npos; length = name.rfind('_', length - 1))
    if (const auto found = modules_.find(name.substr(0, length)); found != modules_.end()) return *found;
  return {};
}

}  // namespace kmem::drivers
