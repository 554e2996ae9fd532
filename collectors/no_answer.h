// STAGE 1: a part whose reading does not return -> its status. Thread: pure.
#pragma once

#include <string>

#include "collectors/base/time_words.h"
#include "collectors/snapshot.h"

namespace kmem {

/// `what` is what was asked.
inline void tell_no_answer(const RawPart& part, const std::string& what, PartStatus& status) {
  status.state = PartState::kFailed;
  status.no_answer = true;
  status.reason = what + " does not answer";
  if (!part.bytes.empty()) status.reason += "; its figures are of " + base::rfc3339(part.time);
}

}  // namespace kmem
