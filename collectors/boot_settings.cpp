#include "collectors/boot_settings.h"

#include <algorithm>

#include "collectors/base/host_key.h"
#include "collectors/base/label_text.h"
#include "collectors/base/wire.h"
#include "collectors/source.h"

namespace kmem {
namespace {

constexpr std::size_t kMaxSettings = 256, kMaxSettingName = 256, kMaxHostBytes = 256;

bool are_settings_read(const Snapshot& snapshot) {
  return std::any_of(snapshot.parts.begin(), snapshot.parts.end(),
                     [](const PartStatus& part) { return part.collector == "settings" && part.state == PartState::kOk; });
}

}  // namespace

/// Without boot times nobody knows whether it is the same boot: then it is none.
void BootSettings::take_up_kept(const Boot& boot) {
  const Kept kept = std::move(*kept_);
  kept_.reset();
  if (!kept.reading.boot_time || !boot.reading.boot_time) return;
  if (base::BootClock(kept.reading).advance({boot.reading.time, boot.reading.boot_time, 0}).new_boot) return;
  boot_ = boot.reading.number;
  at_boot_ = kept.settings;
}

void BootSettings::note(Snapshot& snapshot, const Boot& boot) {
  if (snapshot.system != System::kWindows) return;  // Linux takes a sysctl up at once
  if (kept_) take_up_kept(boot);
  last_ = boot.reading;
  if (boot_ && boot_ != boot.reading.number) boot_.reset(), changes_.clear();
  if (are_settings_read(snapshot)) {
    if (!boot_) {
      boot_ = boot.reading.number;
      at_boot_ = snapshot.settings;
      unsaved_ = true;
    }
    changes_.clear();
    for (const Setting& now : snapshot.settings)
      if (const auto before = setting_in(at_boot_, now.name); before != now.value)
        changes_.push_back({now.name, before, now.value});
    for (const Setting& before : at_boot_)
      if (!setting_in(snapshot.settings, before.name)) changes_.push_back({before.name, before.value, std::nullopt});
  }
  apply(snapshot);
}

void BootSettings::apply(Snapshot& snapshot) const {
  if (snapshot.system != System::kWindows || !boot_) return;
  // A registry that cannot be read just now has changed nothing either.
  if (changes_.empty() && are_settings_read(snapshot)) return;
  limit_by_settings(snapshot, at_boot_);
}

std::string BootSettings::save() {
  std::string payload;
  base::WireWriter out(payload);
  out.string(host_identity_);
  out.fixed(last_.time);
  out.fixed(static_cast<std::uint8_t>(last_.boot_time.has_value()));
  out.fixed(last_.boot_time.value_or(0));
  out.varint(at_boot_.size());
  for (const Setting& one : at_boot_) {
    out.string(one.name);
    out.varint(static_cast<std::uint64_t>(one.value));
  }
  unsaved_ = false;
  return payload;
}

base::Result<void> BootSettings::load(std::string_view payload) {
  base::WireReader in(payload);
  const std::string host(in.string(kMaxHostBytes));
  Kept kept;
  kept.reading.time = in.fixed<base::UnixMillis>();
  const bool has_boot = in.fixed<std::uint8_t>() != 0;
  const auto boot_time = in.fixed<base::UnixMillis>();
  if (has_boot) kept.reading.boot_time = boot_time;
  for (std::size_t left = in.count(2, kMaxSettings); left > 0; --left) {
    std::string name(in.string(kMaxSettingName));
    const std::uint64_t value = in.varint();
    if (value > UINT32_MAX || base::label_text(name) != name) in.fail();  // they are REG_DWORD
    kept.settings.push_back({std::move(name), static_cast<double>(value)});
  }
  if (const auto whole = in.finish(); !whole) return whole.error();
  if (!host.empty() && !base::is_host(host, host_identity_))
    return base::Error{base::ErrorCode::kInvalid, "the settings are of another host"};
  kept_ = std::move(kept);
  return {};
}

}  // namespace kmem
