// How the Windows service manager's controls reach Signals::wait(). Thread: any. Failure: nothing is heard when no
// Signals exists.
#pragma once

#include "exporter/service/signals.h"

namespace kmem::service {

void ask(Event event);

}  // namespace kmem::service
