// Whether people watch: what standard error and standard output are connected to. Thread: any. Failure: unknown reads
// as no.
#pragma once

namespace kmem::service {

[[nodiscard]] bool stderr_is_terminal();
/// Block characters can be shown: the locale is UTF-8, or the Windows console's code page is.
[[nodiscard]] bool shows_utf8();

}  // namespace kmem::service
