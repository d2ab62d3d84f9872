#include "equipoise/stats/repeated/subjects.h"

#include <algorithm>
#include <numeric>

#include "equipoise/core/error.h"

namespace equipoise::stats {

std::size_t Subjects::largest() const {
  std::size_t most = 0;
  for (std::size_t k = 0; k < count(); ++k) most = std::max(most, size(k));
  return most;
}

Expected<Subjects> by_subject(CategoriesView const& subject, std::string_view subject_column, CategoriesView const* visit,
                              std::string_view visit_column) {
  Subjects subjects;
  subjects.rows.resize(subject.size());
  std::iota(subjects.rows.begin(), subjects.rows.end(), std::size_t{0});
  std::stable_sort(subjects.rows.begin(), subjects.rows.end(), [&](std::size_t a, std::size_t b) {
    if (subject.codes[a] != subject.codes[b]) return subject.codes[a] < subject.codes[b];
    return visit && visit->codes[a] < visit->codes[b];
  });
  for (std::size_t i = 0; i < subjects.rows.size(); ++i) {
    const std::size_t row = subjects.rows[i];
    const bool same = i > 0 && subject.codes[subjects.rows[i - 1]] == subject.codes[row];
    if (!same) subjects.first.push_back(i);
    if (!visit) continue;
    if (same && subjects.visit.back() == visit->codes[row])
      return fail(Code::inconsistent, "'{}' of column '{}' has two rows at '{}' of column '{}': a participant has one row a visit",
                  subject.levels[std::size_t(subject.codes[row])], subject_column,
                  visit->levels[std::size_t(visit->codes[row])], visit_column);
    subjects.visit.push_back(visit->codes[row]);
  }
  subjects.first.push_back(subjects.rows.size());
  if (visit) subjects.visits = visit->levels.size();
  return subjects;
}

}  // namespace equipoise::stats
