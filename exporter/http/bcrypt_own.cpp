// Where the system has no crypt library that knows bcrypt.
#include "exporter/http/bcrypt.h"

namespace kmem::http {

std::string bcrypt(const std::string& password, const std::string& setting) { return bcrypt_portable(password, setting); }

}  // namespace kmem::http
