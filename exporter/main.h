// The program behind both systems' entry points. Arguments are UTF-8. Thread: the main one.
#pragma once

namespace kmem {

[[nodiscard]] int program(int argc, const char* const* argv);

}  // namespace kmem
