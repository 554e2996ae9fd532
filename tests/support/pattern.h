// Matchers by std::regex: the expressions that GoogleTest knows on Windows have neither sets nor alternatives.
#pragma once

#include <gmock/gmock.h>

#include <regex>
#include <string>

namespace kmem::test {

MATCHER_P(HasPattern, pattern, "holds the pattern " + std::string(pattern)) {
  return std::regex_search(std::string(arg), std::regex(pattern));
}

MATCHER_P(IsPattern, pattern, "is wholly the pattern " + std::string(pattern)) {
  return std::regex_match(std::string(arg), std::regex(pattern));
}

}  // namespace kmem::test
