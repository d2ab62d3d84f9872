// Any bytes are a protocol, or problems in file order; and what does not change a protocol does not change its digest.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "equipoise/core/digest.h"
#include "equipoise/protocol/describe.h"
#include "equipoise/protocol/load.h"

namespace {

void demand(bool promise) {
  if (!promise) __builtin_trap();
}

void demand_in_file_order(equipoise::Problems const& problems, int lines) {
  int before = 0;
  bool placed = true;  // problems without a place come last
  for (equipoise::Error const& problem : problems) {
    demand(!problem.message.empty());
    const int line = problem.place.line;
    demand(line >= 0 && line <= lines && (placed || line == 0));
    placed = line > 0;
    if (placed) {
      demand(line >= before);
      before = line;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace equipoise;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  int lines = 1;
  for (const char byte : bytes) lines += byte == '\n';

  const protocol::Loaded loaded = protocol::load_all(bytes, "fuzz.toml");
  demand(loaded.readable || !loaded.problems.empty());
  demand_in_file_order(loaded.problems, lines);
  if (!loaded.problems.empty()) return 0;

  protocol::Protocol const& protocol = loaded.protocol;
  demand(protocol.digest == sha256(protocol.canonical));
  const auto again = protocol::load(std::string(bytes) + "\n# a comment\n", "fuzz.toml");
  demand(again && again->digest == protocol.digest);
  return 0;
}
