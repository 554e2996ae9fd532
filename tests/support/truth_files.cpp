// Writes every shape of the known truth into a folder, "00.txt" and on, and truth.json: what there was hour by hour, and what
// of it each file tells. "truth_files FOLDER".
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/exporter/commands/truth_shapes.h"

namespace kmem::test {
namespace {

using nlohmann::json;

json values(const std::function<std::uint64_t(int hour)>& value) {
  json list = json::array();
  for (int hour = 0; hour < kHours; ++hour) list.push_back(value(hour));
  return list;
}

json all_of(const Truth& truth) {
  json tags = json::array();
  for (int tag = 0; tag < kTags; ++tag)
    tags.push_back({{"bytes", values([&](int hour) { return truth.bytes(tag, hour); })},
                    {"allocations", values([&](int hour) { return truth.allocations(tag, hour); })},
                    {"frees", values([&](int hour) { return truth.frees(tag, hour); })}});
  return {{"reboot", truth.reboot},
          {"tags", tags},
          {"boot", values([&](int hour) { return static_cast<std::uint64_t>(truth.boot(hour)); })}};
}

void put(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error(path + " cannot be written");
}

void write_all(const std::string& folder) {
  json shapes = json::array();
  for (const Shape& shape : truth_shapes()) {
    const std::string file = words("%02d.txt", static_cast<int>(shapes.size()));
    put(folder + "/" + file, shape.make());
    json tags = json::array();
    for (int tag = 0; tag < kTags; ++tag) tags.push_back(text_of(shape.pool, tag));
    shapes.push_back({{"file", file},
                      {"name", shape.name},
                      {"truth", shape.truth.reboot < kHours ? "two boots" : "one boot"},
                      {"pool", pool_name(shape.pool)},
                      {"subject", shape.tag},
                      {"tags", tags},
                      {"unit_bytes", shape.unit_bytes},
                      {"counted", shape.counted},
                      {"allocation_bytes", shape.allocation_bytes},
                      {"idle", shape.idle}});
  }
  put(folder + "/truth.json",
      json{{"start", kStartSeconds}, {"shapes", shapes}, {"one boot", all_of(kOneBoot)}, {"two boots", all_of(kTwoBoots)}}
          .dump());
}

}  // namespace
}  // namespace kmem::test

int main(int argc, char** argv) try {
  if (argc != 2) return 2;
  kmem::test::write_all(argv[1]);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
