#include "exporter/kept_state.h"

#include "collectors/base/log.h"
#include "collectors/base/state_file.h"

namespace kmem {
namespace {

KeptState::Failure reason_of(base::ErrorCode code) {
  switch (code) {
    case base::ErrorCode::kMalformed: return KeptState::kDamaged;
    case base::ErrorCode::kUnsupported: return KeptState::kOtherVersion;
    case base::ErrorCode::kInvalid: return KeptState::kOtherHost;
    default: return KeptState::kUnreadable;
  }
}

}  // namespace

void KeptState::load(const std::function<base::Result<void>(std::string_view payload)>& take) {
  base::Error fault;
  if (const auto loaded = base::load_state(files_, path_, kind_); !loaded) {
    if (loaded.error().code == base::ErrorCode::kAbsent) return;
    fault = loaded.error();
  } else if (loaded->version > version_) {
    fault = {base::ErrorCode::kUnsupported, "version " + std::to_string(loaded->version) + " is not of this program"};
  } else if (const auto taken = take(loaded->payload); !taken) {
    if (taken.error().code == base::ErrorCode::kBusy) return;
    fault = taken.error();
  } else {
    return;
  }
  ++failures_[reason_of(fault.code)];
  const auto aside = base::set_aside(files_, path_, clock_.wall());
  base::log_warn("state file cannot be used; starting afresh",
                 {{"path", path_}, {"error", fault.message}, {"kept_as", aside ? *aside : aside.error().message}});
}

void KeptState::save(std::string_view payload) {
  const auto saved = base::save_state(files_, path_, kind_, version_, payload);
  if (saved) last_save_ = clock_.wall();
  if (!saved) ++failures_[kUnwritable];
  say(saved ? std::string() : saved.error().message);
}

void KeptState::note_hang() {
  ++failures_[kUnwritable];
  say(path_ + ": storage does not answer");
}

void KeptState::say(const std::string& error) {
  const std::scoped_lock lock(saying_);
  const auto now = clock_.steady();
  const bool changed = error != last_error_;
  last_error_ = error;
  if (const auto often = flapping_.told_late(now))
    base::log_warn("keeping state fails now and then",
                   {{"path", path_}, {"changes", std::to_string(*often)}, {"error", error}});
  if (!changed || !flapping_.changed(now)) return;
  if (error.empty()) {
    base::log_info("state is kept again", {{"path", path_}});
  } else {
    base::log_error("state cannot be kept", {{"error", error}});
  }
}

std::optional<base::UnixMillis> KeptState::last_save() const {
  const base::UnixMillis at = last_save_;
  if (at == 0) return std::nullopt;
  return at;
}

}  // namespace kmem
