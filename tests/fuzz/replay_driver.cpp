// Runs a fuzz target over a corpus without a fuzzer: every file, and every file cut off at up to 256 places, except those
// that a fuzzer found (found-*), which are many and are cuts and mixtures already. Each input is a heap block of exactly
// its size, so that AddressSanitizer sees the first byte read beyond it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t kCutsPerInput = 256;

void run(const std::string& input, std::size_t size) {
  const std::unique_ptr<std::uint8_t[]> block(new std::uint8_t[size]);
  if (size > 0) std::memcpy(block.get(), input.data(), size);
  LLVMFuzzerTestOneInput(block.get(), size);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : std::filesystem::directory_iterator(argv[i], error))
      if (entry.is_regular_file()) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::size_t runs = 0;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    const std::string input((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file) {
      std::printf("[  FAILED  ] cannot read %s\n", path.string().c_str());
      return 1;
    }
    std::printf("%s\n", path.filename().string().c_str());
    std::fflush(stdout);
    run(input, input.size());
    ++runs;
    if (path.filename().string().starts_with("found-")) continue;
    const std::size_t step = input.size() / kCutsPerInput + 1;
    for (std::size_t size = 0; size < input.size(); size += step, ++runs) run(input, size);
  }
  if (runs == 0) {
    std::printf("[  FAILED  ] no inputs\n");
    return 1;
  }
  std::printf("[  PASSED  ] %zu inputs, %zu of them cut off\n", runs, runs - paths.size());
  return 0;
}
