#include "config/load.h"

#include <optional>
#include <string>

#include "collectors/base/suggest.h"
#include "config/knobs.h"
#include "config/text.h"
#include "config/yaml_document.h"

namespace kmem::config {
namespace {

using Kind = YamlNode::Kind;

class Loader {
 public:
  Loader(std::string_view file_name, LoadResult& out) : file_name_(file_name), out_(out) {}

  /// `prefix` is "" or "web.".
  void section(const YamlNode& node, const std::string& prefix) {
    if (node.kind == Kind::kRefused || node.kind == Kind::kNull) return;
    if (node.kind != Kind::kMap) {
      const std::string where = prefix.empty() ? "the file" : prefix.substr(0, prefix.size() - 1);
      fault(node.place, where + ": expected sections and keys, got " + describe(node));
      return;
    }
    for (const YamlEntry& entry : node.entries) {
      if (out_.faults.size() > kMaxFaults) return;
      const std::string name = prefix + entry.key;
      const KnobInfo* knob = find_knob(name);
      const bool is_path = entry.key.find('.') != std::string::npos;  // as no key is written
      if (!is_path && knob != nullptr) value(*knob, entry.value);
      else if (!is_path && !children(name + ".").empty()) section(entry.value, name + ".");
      else unknown(entry, prefix);
    }
  }

 private:
  void fault(Place place, std::string message) { out_.faults.push_back({std::string(file_name_), place, std::move(message)}); }

  static std::vector<std::string_view> children(std::string_view prefix) {
    std::vector<std::string_view> names;
    for (const KnobInfo& knob : knobs()) {
      if (!knob.name.starts_with(prefix)) continue;
      const std::string_view child = knob.name.substr(prefix.size(), knob.name.find('.', prefix.size()) - prefix.size());
      if (names.empty() || names.back() != child) names.push_back(child);
    }
    return names;
  }

  void unknown(const YamlEntry& entry, const std::string& prefix) {
    const std::string where = prefix.empty() ? "" : " in " + prefix.substr(0, prefix.size() - 1);
    std::string message = "unknown key " + in_quotes(entry.key) + where;
    if (find_knob(prefix + entry.key) != nullptr) {
      message += ": expected a section for each part of the name";
    } else if (const auto meant = base::nearest(entry.key, children(prefix))) {
      message += "; did you mean " + in_quotes(*meant) + "?";
    } else {
      // The right word in the wrong section.
      for (const KnobInfo& knob : knobs())
        if (knob.name.ends_with("." + entry.key)) {
          message += "; did you mean " + in_quotes(knob.name) + "?";
          break;
        }
    }
    fault(entry.place, std::move(message));
  }

  void value(const KnobInfo& knob, const YamlNode& node) {
    const bool is_list = knob.type == KnobType::kList;
    if (is_list && node.kind != Kind::kList) {
      if (node.kind != Kind::kRefused)
        fault(node.place, std::string(knob.name) + ": expected a list, each " + knob.expected + ", got " + describe(node));
      return;
    }
    std::vector<std::string> values;
    std::vector<Place> places;
    const auto take = [&](const YamlNode& item) {
      const bool needs_plain = knob.type == KnobType::kBool || knob.type == KnobType::kCount;
      if (item.kind == Kind::kText && !(item.is_quoted && needs_plain)) {
        values.push_back(item.text);
        if (const std::size_t at = path_at(knob, item.text); at != std::string::npos)
          values.back().replace(at, std::string::npos, relative_to_file(item.text.substr(at), file_name_));
        places.push_back(item.place);
      } else if (item.kind != Kind::kRefused) {
        fault(item.place, std::string(knob.name) + ": expected " + knob.expected + ", got " +
                              (item.is_quoted ? "text in quotes" : describe(item)));
      }
    };
    if (is_list)
      for (const YamlNode& item : node.items) take(item);
    else take(node);
    if (values.size() < node.items.size() || (!is_list && values.empty())) return;
    for (const ValueFault& wrong : set_knob(out_.config, knob, values))
      fault(wrong.index < places.size() ? places[wrong.index] : node.place, std::string(knob.name) + ": " + wrong.message);
  }

  std::string_view file_name_;
  LoadResult& out_;
};

}  // namespace

LoadResult load(std::string_view text, std::string_view file_name, const Config& base) {
  LoadResult out;
  out.config = base;
  YamlDocument document = parse_yaml(text, file_name);
  out.faults = std::move(document.faults);
  Loader(file_name, out).section(document.root, "");
  finish_faults(out.faults);
  return out;
}

}  // namespace kmem::config
