// YAML text -> a tree of plain nodes with places, and every fault of the text itself. The one door to yaml-cpp.
// Refused here, for all our files: over 256 KiB, not UTF-8, control characters, tabs as indentation, bad syntax,
// duplicate keys, keys that are not plain text, anchors, aliases, tags, depth over 16, several documents.
// Thread: pure. Failure: faults; the tree then holds what was understood, so that its faults can be told as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/fault.h"

namespace kmem::config {

inline constexpr std::size_t kMaxFileBytes = std::size_t{256} * 1024;
inline constexpr std::size_t kMaxDepth = 16;
/// One file's faults; more are not told.
inline constexpr std::size_t kMaxFaults = 100;

struct YamlEntry;

struct YamlNode {
  enum class Kind : std::uint8_t {
    kNull,  // nothing, ~ or null
    kText,
    kList,
    kMap,
    kRefused,  // alias, tag: a fault was told already
  };
  Kind kind = Kind::kNull;
  bool is_quoted = false;
  Place place;
  std::string text;
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;
};

struct YamlEntry {
  std::string key;
  Place place;
  YamlNode value;
};

struct YamlDocument {
  YamlNode root;              // kNull for an empty document
  std::vector<Fault> faults;  // in reading order
};

[[nodiscard]] YamlDocument parse_yaml(std::string_view text, std::string_view file_name);

/// "a list", "text", ...: for "expected X, got Y".
[[nodiscard]] std::string describe(const YamlNode& node);

/// In order of place, at most kMaxFaults, the last one then saying so.
void finish_faults(std::vector<Fault>& faults);

}  // namespace kmem::config
