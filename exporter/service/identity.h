// Names that the service goes by. Thread: constants.
#pragma once

namespace kmem::service {

inline constexpr wchar_t kServiceName[] = L"kmem_exporter";
inline constexpr wchar_t kServiceTitle[] = L"Kernel memory exporter";
inline constexpr wchar_t kServiceDescription[] =
    L"Shows kernel pools, pool tags and page table entries to Prometheus, and says which of them leak.";
/// NT SERVICE\kmem_exporter: S-1-5-80 and the SHA-1 of the name in upper case UTF-16. Systems before Vista know no such
/// names, but every system accepts the numbers.
inline constexpr wchar_t kServiceSid[] = L"S-1-5-80-1799830066-3579440802-3610556602-1681163219-525485621";

}  // namespace kmem::service
