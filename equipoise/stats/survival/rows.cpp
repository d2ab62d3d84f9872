#include "equipoise/stats/survival/rows.h"

#include <algorithm>
#include <cmath>

namespace equipoise::stats {
namespace {

struct Entry {
  double value;
  std::uint32_t index;  // below n a time, from n on a start
};

}  // namespace

Expected<SurvivalRows> survival_rows(Frame const& frame, std::string_view time, std::string_view event, std::string_view start) {
  const std::size_t n = frame.rows;
  if (n > (std::size_t(1) << 31)) return fail(Code::out_of_range, "{} rows are more than a survival analysis takes", n);
  const NumbersView times = frame.numbers(time);
  const NumbersView events = frame.numbers(event);
  const NumbersView starts = start.empty() ? NumbersView() : frame.numbers(start);

  for (const double t : times) {
    if (!std::isfinite(t)) return fail(Code::out_of_range, "column '{}' holds {}: a time must be finite", time, shortest(t));
    if (t < 0 && start.empty())
      return fail(Code::out_of_range, "column '{}' holds {}: a time cannot be negative", time, shortest(t));
  }
  for (const double t : starts)
    if (!std::isfinite(t)) return fail(Code::out_of_range, "column '{}' holds {}: a start must be finite", start, shortest(t));

  SurvivalRows rows{.time = {times.begin(), times.end()}, .start = {starts.begin(), starts.end()}};
  rows.event.reserve(n);
  for (const double e : events) {
    if (e != 0 && e != 1)
      return fail(Code::bad_cell, "column '{}' holds {}: an event is 1, a censored time 0", event, shortest(e));
    rows.event.push_back(e == 1);
  }

  std::vector<Entry> entries;
  entries.reserve(n + starts.size());
  for (std::size_t i = 0; i < n; ++i) entries.push_back({times[i], std::uint32_t(i)});
  for (std::size_t i = 0; i < starts.size(); ++i) entries.push_back({starts[i], std::uint32_t(n + i)});
  const auto earlier = [](Entry const& a, Entry const& b) {
    return a.value < b.value || (a.value == b.value && a.index < b.index);
  };
  if (!std::is_sorted(entries.begin(), entries.end(), earlier)) std::sort(entries.begin(), entries.end(), earlier);

  rows.by_time.reserve(n);
  double kept = 0.0, last = 0.0;
  bool first = true;
  for (Entry const& entry : entries) {
    // Measured from the first of a cluster, so that a chain of close values does not grow without end.
    if (first || entry.value - kept > same_time * std::max(std::abs(entry.value), std::abs(kept))) kept = entry.value;
    else if (entry.value != kept && entry.value != last) ++rows.merged;
    first = false;
    last = entry.value;
    if (entry.index < n) {
      rows.time[entry.index] = kept;
      rows.by_time.push_back(entry.index);
    } else {
      rows.start[entry.index - n] = kept;
    }
  }
  if (rows.merged > 0)  // inside a cluster the entries came by their old values
    std::sort(rows.by_time.begin(), rows.by_time.end(), [&](std::uint32_t a, std::uint32_t b) {
      return rows.time[a] < rows.time[b] || (rows.time[a] == rows.time[b] && a < b);
    });

  for (std::size_t i = 0; i < starts.size(); ++i)
    if (!(rows.start[i] < rows.time[i]))
      return fail(Code::out_of_range, "an interval at risk begins at {} and ends at {}: the start must come before the end",
                  shortest(starts[i]), shortest(times[i]));
  return rows;
}

std::string merged_note(SurvivalRows const& rows) {
  if (rows.merged == 0) return {};
  return fmt::format("{} time{} within a relative 1e-9 of an earlier time {} taken as that time.", rows.merged,
                     rows.merged == 1 ? "" : "s", rows.merged == 1 ? "was" : "were");
}

Partition partition(std::span<const std::uint32_t> order, std::span<const std::int32_t> classes, std::size_t count) {
  Partition parts{std::vector<std::uint32_t>(order.size()), std::vector<std::uint32_t>(count + 1, 0)};
  for (const std::uint32_t row : order) ++parts.begin[std::size_t(classes[row]) + 1];
  for (std::size_t c = 0; c < count; ++c) parts.begin[c + 1] += parts.begin[c];
  std::vector<std::uint32_t> next(parts.begin.begin(), parts.begin.end() - 1);
  for (const std::uint32_t row : order) parts.rows[next[std::size_t(classes[row])]++] = row;
  return parts;
}

}  // namespace equipoise::stats
