#include "exporter/agent/kept_state.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "collectors/base/clock.h"
#include "collectors/base/log.h"

namespace kmem {
namespace {

constexpr int kTries = 3;
constexpr std::chrono::milliseconds kPause{200};
constexpr base::UnixMillis kStaleMs = 28 * base::kDayMillis;  // half of what a history holds
constexpr int kMostUnreadSaves = 12;  // an hour of the usual interval: the disk is not going to give it back

/// The file may be sound; it is the reading that fails.
bool is_transient(base::ErrorCode code) { return code == base::ErrorCode::kIo || code == base::ErrorCode::kPermission; }

KeptState::Failure reason_of(base::ErrorCode code) {
  switch (code) {
    case base::ErrorCode::kMalformed: return KeptState::kDamaged;
    case base::ErrorCode::kUnsupported: return KeptState::kOtherVersion;
    case base::ErrorCode::kInvalid: return KeptState::kOtherHost;
    default: return KeptState::kUnreadable;
  }
}

}  // namespace

/// kBusy is take's alone: nobody wants it any more.
base::Result<void> KeptState::read(const std::string& path) {
  found_version_.reset();
  const auto loaded = base::load_state(files_, path, kind_);
  if (!loaded && loaded.error().code == base::ErrorCode::kBusy)
    return base::Error{base::ErrorCode::kIo, loaded.error().message};
  if (!loaded) return loaded.error();
  if (loaded->version <= version_) {  // what is too old, take_ refuses
    auto taken = take_(loaded->payload);
    if (!taken && taken.error().code == base::ErrorCode::kUnsupported) found_version_ = loaded->version;
    return taken;
  }
  found_version_ = loaded->version;
  return base::Error{base::ErrorCode::kUnsupported, "version " + std::to_string(loaded->version) +
                                                        " of the state, this "
                                                        "program reads up to version " +
                                                        std::to_string(version_)};
}

std::string KeptState::name_of_version(std::uint32_t version) const { return path_ + ".version-" + std::to_string(version); }

/// After a downgrade and the way back the newer program's file has all that was before, the older's only what was since.
void KeptState::prefer_own_version() {
  const std::string own = name_of_version(version_);
  const auto kept = base::load_state(files_, own, kind_);
  if (!kept || kept->version != version_) return;
  if (const auto info = files_.info(own); info && clock_.wall() - info->modified > kStaleMs) return;
  const auto found = base::load_state(files_, path_, kind_);
  if (!found || found->version >= version_) return;
  const std::string older = name_of_version(found->version);
  if (!files_.rename(path_, older)) return;
  if (!files_.rename(own, path_)) return;
  base::log_info("state of this version, which an older program had set aside, is taken up again",
                 {{"path", path_}, {"older_kept_as", older}});
}

void KeptState::load(Take take) {
  take_ = std::move(take);
  prefer_own_version();
  auto done = read(path_);
  for (int tries = 1; tries < kTries && !done && is_transient(done.error().code); ++tries) {
    std::this_thread::sleep_for(kPause);
    done = read(path_);
  }
  if (done || done.error().code == base::ErrorCode::kBusy) return;
  if (done.error().code == base::ErrorCode::kAbsent) return take_up_again();
  if (is_transient(done.error().code)) {
    ++failures_[kUnreadable];
    unread_saves_ = 1;
    base::log_error("state file cannot be read now; it stays, and is tried again when state is saved",
                    {{"path", path_}, {"error", done.error().message}});
    return;
  }
  set_aside(done.error());
  take_up_again();
}

/// A newer program finds its own again: that name is no longer touched by this one.
void KeptState::set_aside(const base::Error& fault) {
  ++failures_[reason_of(fault.code)];
  base::Result<std::string> aside = std::string();
  if (found_version_) {
    aside = name_of_version(*found_version_);
    if (const auto renamed = files_.rename(path_, *aside); !renamed) aside = renamed.error();
  } else {
    aside = base::set_aside(files_, path_, clock_.wall());
  }
  base::log_warn("state file cannot be used; starting afresh",
                 {{"path", path_}, {"error", fault.message}, {"kept_as", aside ? *aside : aside.error().message}});
}

/// What an earlier start has set aside, if it is sound and this host's after all.
void KeptState::take_up_again() {
  const std::size_t slash = path_.find_last_of("/\\");
  const std::string folder = slash == std::string::npos ? std::string() : path_.substr(0, slash + 1);
  const std::string prefix = path_.substr(folder.size()) + ".bad-";
  std::vector<std::string> names;
  for (std::uint32_t version = version_; version > 0; --version)
    names.push_back(name_of_version(version).substr(folder.size()));
  if (const auto bad = files_.names(folder.empty() ? "." : folder, prefix)) {
    std::vector<std::string> newest = *bad;
    std::sort(newest.begin(), newest.end(),
              [](const std::string& a, const std::string& b) { return std::pair(a.size(), a) > std::pair(b.size(), b); });
    names.insert(names.end(), newest.begin(), newest.end());
  }
  for (const std::string& name : names) {
    const auto done = read(folder + name);
    if (!done && done.error().code != base::ErrorCode::kBusy) continue;
    if (done) base::log_info("state that was set aside is taken up again", {{"path", folder + name}});
    return;
  }
}

/// Tries again what the start could not read. True: it is not to be replaced by what was learnt since.
bool KeptState::is_unread_still() {
  if (unread_saves_ == 0) return false;
  const auto done = read(path_);
  if (done) {
    unread_saves_ = 0;
    base::log_info("state file can be read after all and is taken up", {{"path", path_}});
    return true;
  }
  if (done.error().code == base::ErrorCode::kBusy) return true;
  if (is_transient(done.error().code) && unread_saves_++ < kMostUnreadSaves) {
    ++failures_[kUnreadable];
    return true;
  }
  unread_saves_ = 0;
  if (done.error().code != base::ErrorCode::kAbsent) set_aside(done.error());
  return false;
}

template <typename Payload>
base::Result<void> KeptState::write(const Payload& payload) {
  if (is_unread_still()) return base::Error{base::ErrorCode::kIo, path_ + ": what it holds cannot be read, and stays"};
  auto saved = base::save_state(files_, path_, kind_, version_, payload);
  if (saved) last_save_ = clock_.wall();
  if (!saved) ++failures_[kUnwritable];
  say(saved ? std::string() : saved.error().message);
  return saved;
}

base::Result<void> KeptState::save(std::string_view payload) { return write(payload); }

base::Result<void> KeptState::save(const base::PieceMaker& payload) { return write(payload); }

void KeptState::note_unsaved(std::string_view why) {
  ++failures_[kUnwritable];
  say(path_ + ": " + std::string(why));
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
