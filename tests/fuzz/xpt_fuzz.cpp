// Any bytes are data sets or their problems. What is read is written, and read again as the same data sets, unless the writer
// says that it had to change something; and so through CSV with its sidecar.

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

bool changed(Losses const& losses) {
  for (Loss const& loss : losses) expects(is_utf8(sentence(loss)) && !loss.what.empty(), "a loss is readable");
  return std::ranges::any_of(losses, &Loss::changes);
}

/// Texts longer than the format allows are read, and written with another length.
bool longer_than_allowed(ExchangeTable const& table) {
  return std::ranges::any_of(table.columns, [](ExchangeColumn const& column) { return column.length > 200; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto encoding = Encoding(size % 3);
  const auto tables = read_xpt(bytes, "fuzz.xpt", encoding);
  if (!tables) {
    check(tables.error());
    return 0;
  }
  const auto written = write_xpt(*tables);
  if (!written) {
    check(written.error());
    return 0;
  }
  if (!changed(written->losses) && std::ranges::none_of(*tables, longer_than_allowed)) {
    const auto again = read_xpt(written->bytes, "again.xpt");
    expects(again.has_value() && *again == *tables, "what is written is read back as it was");
    expects(write_xpt(*again)->bytes == written->bytes, "and written with the same bytes");
  }
  for (ExchangeTable const& table : *tables) {
    const auto csv = write_typed_csv(table);
    if (!csv) {
      check(csv.error());
      continue;
    }
    const bool same = !changed(csv->losses);
    const auto back = read_typed_csv(csv->bytes, "again.csv", csv->sidecar);
    if (!same) continue;
    expects(back.has_value() && *back == table, "CSV and its sidecar hold everything");
    (void)cell_table(table, "fuzz.xpt");
    if (const auto json = write_dataset_json(table, JsonForm::lines); json && !changed(json->losses)) {
      const auto read = read_dataset_json(json->bytes, "again.ndjson");
      expects(read.has_value() && read->rows == table.rows, "what is written as Dataset-JSON can be read");
    }
  }
  return 0;
}
