#include "collectors/make_source.h"

#include <array>
#include <string>
#include <string_view>

#include "collectors/base/file_io.h"
#include "collectors/base/suggest.h"
#include "collectors/live_frames.h"
#include "collectors/replay/replay_source.h"

namespace kmem {
namespace {

using base::Error;
using base::ErrorCode;
using Frames = base::Result<std::unique_ptr<FrameSource>>;

Frames make_live(const config::Source& source, std::string_view, const base::Clock& clock) {
  return make_live_frames(source, clock);
}

Frames make_named(const config::Source& source, std::string_view, const base::Clock& clock) {
  if (source.kind == live_kernel()) return make_live_frames(source, clock);
  return Error{ErrorCode::kUnsupported, "source " + source.kind + ": this program runs on " +
                                            std::string(live_kernel()) + "; it can auto, " +
                                            std::string(live_kernel()) + ", replay:FILE"};
}

Frames make_replay(const config::Source&, std::string_view path, const base::Clock&) {
  if (path.empty()) return Error{ErrorCode::kInvalid, "source replay: names no file; write replay:FILE"};
  return replay::make_replay_frames(base::os_file_system(), {std::string(path)});
}

struct Kind {
  std::string_view name;
  bool takes_path;
  Frames (*make)(const config::Source&, std::string_view path, const base::Clock&);
};
constexpr std::array kKinds = {
    Kind{"auto", false, make_live},
    Kind{"linux", false, make_named},
    Kind{"windows", false, make_named},
    Kind{"replay", true, make_replay},
};

}  // namespace

Frames make_frames(const config::Source& source, const base::Clock& clock) {
  const std::string_view text = source.kind;
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view path = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
  std::array<std::string_view, kKinds.size()> names;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    names[i] = kKinds[i].name;
    if (kKinds[i].name == name && (kKinds[i].takes_path || colon == std::string_view::npos))
      return kKinds[i].make(source, path, clock);
  }
  std::string message = "source \"" + source.kind + "\" is none of auto, linux, windows, replay:FILE";
  if (const auto near = base::nearest(name, names))
    message += "; did you mean " + *near + (*near == "replay" ? ":FILE?" : "?");
  return Error{ErrorCode::kInvalid, message};
}

}  // namespace kmem
