// STAGE 1: which Windows this is, and the text in which that travels in a RawFrame ("kmem/system"): `name=value` lines,
// version=5.2.3790, machine=x86|x64|arm64|ia64, product=ProductName, service_pack=CSDVersion, wine=1 where it is Wine.
// Thread: pure.
// Failure: kMalformed without a version; an unknown machine is Machine::kOther; other lines are for later readers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "collectors/base/result.h"

namespace kmem::windows {

/// Of the kernel, not of the program that asks. kX64: ARM64 lays its memory out by the same rules.
enum class Machine : std::uint8_t { kOther, kX86, kX64 };

struct SystemFacts {
  std::uint32_t major = 0, minor = 0, build = 0;
  Machine machine = Machine::kOther;
  bool wine = false;
  std::string product = {};       // legal label text, with the service pack; empty in recordings made before it was read
  std::string architecture = {};  // the machine by its name

  /// 502 for 5.2, 1000 for 10.0.
  [[nodiscard]] std::uint32_t version() const { return major * 100 + minor; }
};

[[nodiscard]] base::Result<SystemFacts> parse_system_facts(std::string_view text);

/// The seam: the text of this machine, which does not change while it runs.
class SystemProbe {
 public:
  virtual ~SystemProbe() = default;
  virtual std::string facts() = 0;
};

}  // namespace kmem::windows
