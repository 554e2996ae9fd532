// STAGE 1: the NTSTATUS values this program tells apart. Thread: constants.
#pragma once

#include <cstdint>
#include <string>

namespace kmem::windows {

using NtStatus = std::uint32_t;

inline constexpr NtStatus kStatusOk = 0;
inline constexpr NtStatus kStatusBufferOverflow = 0x80000005;
inline constexpr NtStatus kStatusNotImplemented = 0xC0000002;
inline constexpr NtStatus kStatusInvalidInfoClass = 0xC0000003;
inline constexpr NtStatus kStatusLengthMismatch = 0xC0000004;
inline constexpr NtStatus kStatusAccessDenied = 0xC0000022;
inline constexpr NtStatus kStatusBufferTooSmall = 0xC0000023;
inline constexpr NtStatus kStatusPrivilegeNotHeld = 0xC0000061;
inline constexpr NtStatus kStatusNameNotFound = 0xC0000034;

[[nodiscard]] constexpr bool succeeded(NtStatus status) { return status < 0x80000000; }

/// This kernel does not have what was asked for: Wine, ReactOS and old versions answer so. Not a failure.
[[nodiscard]] constexpr bool is_unsupported(NtStatus status) {
  return status == kStatusNotImplemented || status == kStatusInvalidInfoClass || status == kStatusNameNotFound;
}

/// "0xc0000022".
[[nodiscard]] std::string status_text(NtStatus status);

}  // namespace kmem::windows
