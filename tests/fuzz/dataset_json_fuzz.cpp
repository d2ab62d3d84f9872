// Any bytes are a data set or its problems. What is read is written in each form, and read again as the same data set with the
// same bytes; and so through CSV with its sidecar.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "equipoise/core/text.h"
#include "equipoise/data/formats.h"
#include "tests/fuzz/fuzzing.h"

namespace {

using namespace equipoise;
using namespace equipoise::data;

using fuzzing::check;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto table = read_dataset_json(bytes, "fuzz.json");
  if (!table) {
    check(table.error());
    return 0;
  }
  for (const JsonForm form : {JsonForm::object, JsonForm::lines}) {
    const auto written = write_dataset_json(*table, form);
    expects(written.has_value(), "what is read can be written");
    expects(std::ranges::none_of(written->losses, &Loss::changes), "and Dataset-JSON holds it");
    const auto again = read_dataset_json(form == JsonForm::lines ? deflated(written->bytes) : written->bytes, "again.json");
    expects(again.has_value() && *again == *table, "what is written is read back as it was");
    expects(write_dataset_json(*again, form)->bytes == written->bytes, "and written with the same bytes");
  }
  if (const auto csv = write_typed_csv(*table); !csv) {
    check(csv.error());
  } else if (std::ranges::none_of(csv->losses, &Loss::changes)) {
    const auto back = read_typed_csv(csv->bytes, "again.csv", csv->sidecar);
    expects(back.has_value() && *back == *table, "CSV and its sidecar hold everything");
  }
  if (const auto xpt = write_xpt({*table}); !xpt) check(xpt.error());
  else expects(read_xpt(xpt->bytes, "again.xpt").has_value(), "what is written as a SAS transport file can be read");
  (void)cell_table(*table, "fuzz.json");
  return 0;
}
