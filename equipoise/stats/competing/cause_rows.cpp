#include "equipoise/stats/competing/cause_rows.h"

#include <algorithm>

#include "equipoise/stats/parts.h"

namespace equipoise::stats {

Expected<CauseRows> cause_rows(Frame const& frame, std::string_view time, std::string_view cause) {
  CategoriesView const& category = frame.categories(cause);
  CauseRows data;
  std::vector<std::int32_t> number(category.levels.size(), 0);
  for (std::size_t level = 0; level < category.levels.size(); ++level) {
    if (category.levels[level] == censored_cause) continue;
    data.names.push_back(category.levels[level]);
    number[level] = std::int32_t(data.names.size());
  }
  std::vector<double> event;
  for (const std::int32_t code : category.codes) {
    data.cause.push_back(number[std::size_t(code)]);
    event.push_back(data.cause.back() > 0 ? 1.0 : 0.0);
  }
  const Frame times{frame.rows, {{"time", frame.numbers(time)}, {"event", NumbersView(event)}}};
  auto rows = survival_rows(times, "time", "event");
  if (!rows) return tl::unexpected(rows.error());
  data.rows = std::move(*rows);
  return data;
}

Expected<std::int32_t> find_cause(CauseRows const& data, std::string_view name, std::string_view column) {
  const auto found = std::find(data.names.begin(), data.names.end(), name);
  if (found == data.names.end())
    return fail(Code::unresolved, "'{}' is not a cause in column '{}'; its causes are {}", name, column,
                data.names.empty() ? "none" : quoted(data.names));
  return std::int32_t(found - data.names.begin()) + 1;
}

std::string parse_cause(Section& options) {
  const std::string cause = options.need_text("cause").value_or("");
  if (cause == censored_cause)
    options.report_at("cause", Code::out_of_range, "the cause '0' is the word for censored, and cannot be the cause of interest");
  return cause;
}

}  // namespace equipoise::stats
