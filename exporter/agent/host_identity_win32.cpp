#include <windows.h>

#include "exporter/agent/host_identity.h"

#include "collectors/base/host_key.h"

namespace kmem {

std::string host_identity(base::FileSystem&) {
  // A 32-bit program would otherwise look into a part of its own, where this value is not.
  HKEY key = nullptr;
  if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Cryptography", 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key) !=
      ERROR_SUCCESS)
    return {};
  wchar_t text[64] = {};
  DWORD bytes = sizeof text - sizeof *text, type = 0;
  const LONG error = RegQueryValueExW(key, L"MachineGuid", nullptr, &type, reinterpret_cast<BYTE*>(text), &bytes);
  RegCloseKey(key);
  std::string identity;
  if (error != ERROR_SUCCESS || type != REG_SZ) return identity;
  for (const wchar_t* c = text; *c != 0; ++c) identity += *c < 0x80 ? static_cast<char>(*c) : '?';
  return base::host_key(identity);
}

}  // namespace kmem
