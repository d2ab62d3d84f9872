// Any bytes are a table or its problems, the same for several threads as for one. A table that is read is read into columns (of
// kinds that its cells allow), written, and read again as the same columns and the same bytes.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/csv.h"
#include "tests/fuzz/fuzzing.h"

namespace {

using namespace equipoise;
using namespace equipoise::data;

using fuzzing::check;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  // Small limits, so that a small input can reach them.
  CsvOptions options{.allow_no_rows = size % 2 == 0,
                     .most_bytes = 1 << 16,
                     .most_columns = 64,
                     .most_rows = 1000,
                     .longest_cell = 4096,
                     .problems_shown = 5,
                     .threads = 1,
                     .least_share = 1};
  const std::string text(reinterpret_cast<const char*>(bytes), size);
  const auto table = read_csv(text, "fuzz.csv", options);
  options.threads = 3;
  const auto shared = read_csv(text, "fuzz.csv", options);
  expects(shared.has_value() == table.has_value(), "several threads refuse what one refuses");
  if (!table)
    expects(std::ranges::equal(
                table.error(), shared.error(), {}, [](Error const& e) { return to_string(e); },
                [](Error const& e) { return to_string(e); }),
            "several threads tell what one tells");
  for (std::size_t c = 0; table && c < table->header.size(); ++c)
    for (std::size_t row = 0; row < table->rows(); ++row)
      expects(table->cell(row, c) == shared->cell(row, c) && table->line(row) == shared->line(row),
              "several threads read what one reads");
  if (!table) {
    check(table.error());
    return 0;
  }

  std::vector<CsvColumn> how;
  for (std::string const& name : table->header) {
    CsvColumn column{.column = name, .kind = Kind::text, .bounds = true};
    for (const Kind kind : {Kind::flag, Kind::integer, Kind::date, Kind::number, Kind::code}) {
      Problems problems;
      column.kind = kind;
      (void)read_column(*table, column, problems);
      if (problems.empty()) break;
      check(problems);
    }
    if (how.size() % 3 == 2) column.kind = Kind::text;
    how.push_back(column);
  }
  const auto dataset = read_dataset(*table, how);
  if (!dataset) {
    check(dataset.error());
    return 0;
  }
  expects(dataset->rows() == table->rows(), "a row for each row");

  const std::string written = write_csv(*dataset);
  const auto again = read_csv(written, "again.csv", {.allow_no_rows = true});
  expects(again.has_value(), "what is written can be read");
  const auto same = read_dataset(*again, how);
  expects(same.has_value() && *same == *dataset, "what is written is read back as it was");
  expects(write_csv(*same) == written, "and written with the same bytes");
  return 0;
}
