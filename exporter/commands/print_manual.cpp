#include "exporter/commands/commands.h"
#include "exporter/commands/manual.h"

namespace kmem {

int print_manual(const Options&, Environment&) { return write_stdout(manual_page()) ? kExitFine : kExitFailed; }

int print_completions(const Options& options, Environment&) {
  return write_stdout(completions(options.shell)) ? kExitFine : kExitFailed;
}

}  // namespace kmem
