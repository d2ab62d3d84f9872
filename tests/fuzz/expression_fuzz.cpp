// Any bytes are an expression or a problem; an expression prints to one with the same tree and evaluates to a column of its type.
// The first byte chooses where the expression stands (alone, at a visit, in a form); the rest is its text.
//
//     clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/expression_fuzz.cpp
//     equipoise/expression/[a-z]*.cpp
//         equipoise/core/{text,error,dates}.cpp -lfmt        (without the *_test.cpp files)

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "equipoise/core/text.h"
#include "equipoise/expression/small_trial_test.h"
#include "equipoise/expression/syntax.h"

namespace {

using namespace equipoise;
using namespace equipoise::expression;

/// Three participants with exact, bounded and missing values, huge ones, and entries of two forms.
small_trial::Data tables() {
  const double infinity = std::numeric_limits<double>::infinity();
  small_trial::Data data(3);
  data.attendance["w8"] = {1, 0, 1};
  data.cells["cd4@baseline"] = Column::of_numbers({100, 1e308, missing_number});
  data.cells["cd4@w4"] = Column::of_numbers({130, 0, -1e308});
  data.cells["cd4@w12"] = Column::of_intervals({{-infinity, 20, true, true}, Interval::exactly(5), {1e4, infinity, true, true}});
  data.cells["cd8@w4"] = Column::of_numbers({0, 5e-324, 7});
  data.cells["infused_on@w4"] = Column::of_intervals({{1000, 1030}, Interval::exactly(1010), {}}, Type::date);
  data.cells["hiv@screening"] = Column::of_truths({is_true, is_false, is_unknown});
  data.cells["given@w4"] = Column::of_codes({0, 2, missing_level}, {"full", "part", "none"});
  data.cells["comment@w4"] = Column::of_texts({"x", std::nullopt, "it's"});
  data.cells["randomisation"] = Column::of_numbers({1000, 1001, missing_number}, Type::date);
  data.rules["ratio"] = "cd4 / cd8";
  data.rules["response_30"] = "cd4 >= 1.3 * cd4@baseline";
  Entries& events = data.filled["adverse_event"];
  events.participant = {0, 0, 2};
  events.date = Column::of_intervals({Interval::exactly(1003), {1003, 1010}, {}}, Type::date);
  events.items["onset"] = events.date;
  events.items["resolved"] = Column::of_missing(Type::date, 3);
  events.items["grade"] = Column::of_numbers({1, missing_number, 5});
  events.items["serious"] = Column::of_truths({is_false, is_true, is_unknown});
  events.items["related"] = Column::of_codes({0, 1, missing_level}, {"no", "possible", "yes"});
  events.items["term"] = Column::of_texts({"a", std::nullopt, "b"});
  return data;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const small_trial::Data data = tables();
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  Context context;
  if (bytes[0] % 3 == 1) context.at_visit = true;
  if (bytes[0] % 3 == 2) context.form = "adverse_event";

  Problems problems;
  const auto expression = parse(text, data.names, context, {"fuzz", 1, 0}, problems);
  expects(expression.has_value() == problems.empty(), "a value or its problems");
  for (Error const& problem : problems) {
    expects(is_utf8(problem.message) && problem.message.size() < 400, "a message is readable");
    expects(problem.place.line >= 1 && problem.place.column >= 1, "a problem has a place");
  }
  if (!expression) return 0;

  const std::string canonical = canonical_text(*expression);
  if (canonical.size() <= longest_text) {
    const auto again = parse(canonical, data.names, context, {}, problems);
    expects(again && same(again->tree(), expression->tree()), "the canonical text has the same tree");
  }
  if (context.form) {
    expects(evaluate_entries(*expression, data, *context.form).size() == 3, "a value for each entry");
    return 0;
  }
  const Column column = context.at_visit ? evaluate(*expression, data, "w4") : evaluate(*expression, data);
  expects(column.type == expression->type() && column.size() == data.participants(), "a value of its type for each participant");
  if (!context.at_visit && (column.type == Type::moment || column.type == Type::date))
    expects(evaluate_moments(*expression, data).size() == data.participants(), "dates for each participant");
  return 0;
}
