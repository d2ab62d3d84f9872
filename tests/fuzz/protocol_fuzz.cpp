// Any bytes are a protocol, or problems in file order; and what does not change a protocol does not change its digest. A protocol
// without problems can be planned, and its [source] reads a data file or says why not.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "equipoise/core/digest.h"
#include "equipoise/data/formats/csv.h"
#include "equipoise/data/source.h"
#include "equipoise/protocol/describe.h"
#include "equipoise/protocol/load.h"
#include "equipoise/study/study.h"

namespace {

// The first lines of examples/cgd/cgd.csv.
constexpr const char* rows =
    R"csv("id","center","random","treat","sex","age","height","weight","inherit","steroids","propylac","hos.cat","tstart","enum","tstop","status"
1,"Scripps Institute",1989-06-07,"rIFN-g","female",12,147,62,"autosomal",0,0,"US:other",0,1,219,1
1,"Scripps Institute",1989-06-07,"rIFN-g","female",12,147,62,"autosomal",0,0,"US:other",219,2,373,1
1,"Scripps Institute",1989-06-07,"rIFN-g","female",12,147,62,"autosomal",0,0,"US:other",373,3,414,0
2,"Scripps Institute",1989-06-07,"placebo","male",15,159,47.5,"autosomal",0,1,"US:other",0,1,8,1
2,"Scripps Institute",1989-06-07,"placebo","male",15,159,47.5,"autosomal",0,1,"US:other",8,2,26,1
2,"Scripps Institute",1989-06-07,"placebo","male",15,159,47.5,"autosomal",0,1,"US:other",26,3,152,1
2,"Scripps Institute",1989-06-07,"placebo","male",15,159,47.5,"autosomal",0,1,"US:other",152,4,241,1
2,"Scripps Institute",1989-06-07,"placebo","male",15,159,47.5,"autosomal",0,1,"US:other",241,5,249,1
2,"Scripps Institute",1989-06-07,"placebo","male",15,159,47.5,"autosomal",0,1,"US:other",249,6,322,1
2,"Scripps Institute",1989-06-07,"placebo","male",15,159,47.5,"autosomal",0,1,"US:other",322,7,350,1
2,"Scripps Institute",1989-06-07,"placebo","male",15,159,47.5,"autosomal",0,1,"US:other",350,8,439,0
3,"Scripps Institute",1989-06-08,"rIFN-g","male",19,171,72.7,"X-linked",0,1,"US:other",0,1,382,0
4,"Scripps Institute",1989-06-23,"rIFN-g","male",12,142,34,"X-linked",0,1,"US:other",0,1,388,0
5,"NIH",1989-07-08,"placebo","male",17,162.5,52.7,"X-linked",0,1,"US:NIH",0,1,246,1
5,"NIH",1989-07-08,"placebo","male",17,162.5,52.7,"X-linked",0,1,"US:NIH",246,2,253,1
5,"NIH",1989-07-08,"placebo","male",17,162.5,52.7,"X-linked",0,1,"US:NIH",253,3,383,0
6,"Univ. of Utah",1989-07-10,"rIFN-g","female",44,153.3,45,"autosomal",0,0,"US:other",0,1,364,0
7,"Univ. of Utah",1989-07-10,"placebo","male",22,175,59.7,"X-linked",0,1,"US:other",0,1,292,1
7,"Univ. of Utah",1989-07-10,"placebo","male",22,175,59.7,"X-linked",0,1,"US:other",292,2,364,0
)csv";

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

  const Checked<study::Study> study = study::load(bytes, "fuzz.toml");
  if (!study) demand_in_file_order(study.error(), lines);
  if (!protocol.source) return 0;
  static const Checked<data::CellTable> table = data::read_csv(rows, "fuzz.csv");
  demand(table.has_value());
  const Checked<data::TrialRecords> records = data::read_source(protocol, *table);
  demand(records || !records.error().empty());
  return 0;
}
