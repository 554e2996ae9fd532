#include <crypt.h>

#include <memory>

#include "exporter/http/bcrypt.h"

namespace kmem::http {

std::string bcrypt(const std::string& password, const std::string& setting) {
  if (setting.size() != 60 || !setting.starts_with("$2") || password.find('\0') != std::string::npos) return {};
  const auto scratch = std::make_unique<crypt_data>();
  const char* hash = ::crypt_r(password.c_str(), setting.c_str(), scratch.get());
  const std::string result = hash == nullptr ? "" : hash;
  return result.size() == 60 ? result : "";
}

}  // namespace kmem::http
