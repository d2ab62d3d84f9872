#include "equipoise/stats/interval/interval_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {
namespace {

/// One end of an interval on the line. At one time a closed left end comes first, then right ends, then open left ends: [t, t]
/// lies in (s, t] and not in (t, u].
struct End {
  enum Kind : std::uint8_t { closed_left, right, open_left };
  double time;
  Kind kind;
  friend auto operator<=>(End const&, End const&) = default;
};

End left_end(IntervalRows const& data, std::size_t row) {
  return {data.left[row], data.exact(row) ? End::closed_left : End::open_left};
}
End right_end(IntervalRows const& data, std::size_t row) { return {data.right[row], End::right}; }

}  // namespace

Expected<IntervalRows> interval_rows(Frame const& frame, std::string_view left, std::string_view right) {
  const std::size_t n = frame.rows;
  if (n > (std::size_t(1) << 31)) return fail(Code::out_of_range, "{} rows are more than an analysis of intervals takes", n);
  const NumbersView lefts = frame.numbers(left), rights = frame.numbers(right);
  IntervalRows rows{.left = {lefts.begin(), lefts.end()}, .right = {rights.begin(), rights.end()}};
  for (std::size_t i = 0; i < n; ++i) {
    if (!std::isfinite(lefts[i]))
      return fail(Code::out_of_range, "column '{}' holds {}: the left end of an interval must be finite", left,
                  shortest(lefts[i]));
    if (lefts[i] < 0)
      return fail(Code::out_of_range, "column '{}' holds {}: a time cannot be negative", left, shortest(lefts[i]));
    if (std::isnan(rights[i])) rows.right[i] = std::numeric_limits<double>::infinity();
    if (rows.right[i] < lefts[i])
      return fail(Code::out_of_range, "an interval begins at {} and ends at {}: the right end cannot come before the left",
                  shortest(lefts[i]), shortest(rights[i]));
  }

  std::vector<double> values = rows.left;
  for (const double r : rows.right)
    if (std::isfinite(r)) values.push_back(r);
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  // Measured from the first of a cluster, so that a chain of close values does not grow without end.
  std::vector<double> kept = values;
  for (std::size_t i = 1; i < values.size(); ++i)
    if (values[i] - kept[i - 1] <= same_time * values[i]) kept[i] = kept[i - 1], ++rows.merged;
  if (rows.merged > 0) {
    const auto settle = [&](double& value) {
      if (std::isfinite(value)) value = kept[std::size_t(std::lower_bound(values.begin(), values.end(), value) - values.begin())];
    };
    for (double& value : rows.left) settle(value);
    for (double& value : rows.right) settle(value);
  }
  return rows;
}

std::string merged_note(IntervalRows const& rows) {
  if (rows.merged == 0) return {};
  return fmt::format("{} time{} within a relative 1e-9 of an earlier time {} taken as that time.", rows.merged,
                     rows.merged == 1 ? "" : "s", rows.merged == 1 ? "was" : "were");
}

InnermostIntervals innermost_intervals(IntervalRows const& data, std::span<const std::uint32_t> rows) {
  std::vector<End> ends;
  ends.reserve(2 * rows.size());
  for (const std::uint32_t row : rows) {
    ends.push_back(left_end(data, row));
    ends.push_back(right_end(data, row));
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());

  InnermostIntervals made;
  std::vector<End> from, to;
  for (std::size_t i = 1; i < ends.size(); ++i)
    if (ends[i - 1].kind != End::right && ends[i].kind == End::right) {
      from.push_back(ends[i - 1]);
      to.push_back(ends[i]);
      made.cells.push_back({ends[i - 1].time, ends[i].time});
    }
  made.first.reserve(rows.size());
  made.last.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    made.first.push_back(std::uint32_t(std::lower_bound(from.begin(), from.end(), left_end(data, row)) - from.begin()));
    made.last.push_back(std::uint32_t(std::upper_bound(to.begin(), to.end(), right_end(data, row)) - to.begin()) - 1);
  }
  return made;
}

std::vector<std::uint32_t> all_rows(std::size_t n) {
  std::vector<std::uint32_t> rows(n);
  std::iota(rows.begin(), rows.end(), 0u);
  return rows;
}

}  // namespace equipoise::stats
