// What cpp-httplib is told wherever it is included, before it is: inline functions with other settings would be other
// functions of one name. KMEM_TLS is set by CMake for those files alone.
#pragma once

// The server's guard has the tighter caps (config::Web::max_header_bytes is at most 64 KiB).
#define CPPHTTPLIB_REQUEST_URI_MAX_LENGTH 131072
#define CPPHTTPLIB_MAX_LINE_LENGTH 131072
#ifdef KMEM_TLS
#define CPPHTTPLIB_OPENSSL_SUPPORT
#endif
