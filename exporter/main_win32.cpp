#include <string>
#include <vector>

#include "collectors/base/text_win32.h"
#include "exporter/main.h"

int wmain(int argc, wchar_t** argv) {
  std::vector<std::string> texts;
  for (int i = 0; i < argc; ++i) texts.push_back(kmem::base::to_utf8(argv[i]));
  std::vector<const char*> arguments;
  for (const std::string& text : texts) arguments.push_back(text.c_str());
  arguments.push_back(nullptr);
  return kmem::program(argc, arguments.data(), false);
}
