#include "config/knobs.h"
#include "exporter/commands/options.h"

namespace kmem {

std::vector<std::string> common_arguments(const Options& options) {
  std::vector<std::string> out;
  if (!options.config_file.empty()) out.push_back("--config.file=" + options.config_file);
  if (options.disable_default_collectors) out.emplace_back("--collector.disable-defaults");
  for (const Override& change : options.overrides) {
    const config::KnobInfo& knob = *change.knob;
    for (const std::string& value : change.values) {
      if (knob.type != config::KnobType::kBool) out.push_back(knob.flag + "=" + value);
      else out.push_back(value == "true" ? knob.flag : "--no-" + knob.flag.substr(2));
    }
  }
  return out;
}

}  // namespace kmem
