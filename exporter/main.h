// The program behind both systems' entry points. Arguments are UTF-8. Thread: the main one.
#pragma once

namespace kmem {

/// `shell_expands`: * and ? of file names are names already, as every shell makes them but Windows'.
[[nodiscard]] int program(int argc, const char* const* argv, bool shell_expands);

}  // namespace kmem
