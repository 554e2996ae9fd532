// Linux: slab cache or allocation caller -> module. Names come from /proc/modules and /sys/module, and a cache's
// constructor (/sys/kernel/slab/NAME/ctor) names its module outright: "init_once+0x0/0x10 [ext4]".
// Thread: immutable once made; the parsers are pure. Failure: none; an empty text is "not known".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace kmem::drivers {

inline constexpr std::size_t kMaxModules = 10'000;

/// First words of the lines.
[[nodiscard]] std::vector<std::string> parse_proc_modules(std::string_view text);

/// "ext4" of "init_once+0x0/0x10 [ext4]", "module_alloc [ext4]"; empty without such a suffix.
[[nodiscard]] std::string_view module_of_symbol(std::string_view symbol);

/// Of an allocation site "module:function:file"; empty for the kernel proper.
[[nodiscard]] std::string_view module_of_site(std::string_view site);

class KernelModules {
 public:
  void add_module(std::string_view name);
  /// `symbol` as sysfs shows a cache's constructor.
  void add_constructor(std::string_view cache, std::string_view symbol);

  /// By constructor, else the longest module name that the cache's begins with: nf_conntrack of nf_conntrack_expect.
  [[nodiscard]] std::string_view module_of_cache(std::string_view cache) const;

  bool operator==(const KernelModules&) const = default;

 private:
  std::unordered_set<std::string> modules_;
  std::unordered_map<std::string, std::string> constructors_;  // cache -> module
};

}  // namespace kmem::drivers
