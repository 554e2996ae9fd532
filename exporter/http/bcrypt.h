// Stage 6: bcrypt, the password hash of web configuration files, from the published algorithm (Provos and Mazieres, 1999).
// The crypt libraries of systems differ in name and are 8 % faster: none is needed.
// Costs 2^cost on purpose: never on the event loop.
// Thread: pure. Failure: "" for a setting that is no bcrypt hash or a password with a NUL.
#pragma once

#include <string>

namespace kmem::http {

/// `setting` is a whole hash, "$2y$10$" + 22 characters of salt + 31 of hash; the result equals it if the password fits.
std::string bcrypt(const std::string& password, const std::string& setting);

}  // namespace kmem::http
