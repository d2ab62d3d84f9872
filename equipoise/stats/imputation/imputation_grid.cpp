#include "equipoise/stats/imputation/imputation_grid.h"

#include <algorithm>

#include "equipoise/core/text.h"

namespace equipoise::stats {
namespace {

constexpr std::size_t most_visits = 64;

class Reader {
 public:
  Reader(Frame const& frame, GridRoles const& roles, StrategyRule const& rule)
      : frame_(frame),
        roles_(roles),
        rule_(rule),
        subject_(frame.categories(roles.subject)),
        visit_(frame.categories(roles.visit)) {}

  Expected<VisitGrid> read(std::vector<std::string> const& covariates) {
    if (frame_.rows == 0) return fail(Code::no_data, "no row is left to impute and analyse");
    find_visits();
    if (grid_.m() > most_visits)
      return fail(Code::out_of_range, "column '{}' has {} visits; at most {} are possible", roles_.visit, grid_.m(), most_visits);
    if (auto placed = place_rows(); !placed) return tl::unexpected(placed.error());
    if (auto grouped = read_groups(); !grouped) return tl::unexpected(grouped.error());
    if (auto dated = read_events(); !dated) return tl::unexpected(dated.error());
    for (std::string const& column : covariates)
      if (auto told = check_covariate(column); !told) return tl::unexpected(told.error());
    return std::move(grid_);
  }

 private:
  std::string who(std::size_t i) const { return subject_.levels[std::size_t(grid_.subject[i])]; }
  std::string when(std::size_t j) const { return grid_.visits[j]; }

  void find_visits() {
    visit_at_.assign(visit_.levels.size(), -1);
    for (std::size_t i = 0; i < frame_.rows; ++i) visit_at_[std::size_t(visit_.codes[i])] = 0;
    for (std::size_t level = 0; level < visit_at_.size(); ++level)
      if (visit_at_[level] == 0) {
        visit_at_[level] = std::int32_t(grid_.visits.size());
        grid_.visits.push_back(visit_.levels[level]);
      }
  }

  Expected<void> place_rows() {
    std::vector<std::int32_t> at(subject_.levels.size(), -1);
    for (std::size_t i = 0; i < frame_.rows; ++i) at[std::size_t(subject_.codes[i])] = 0;
    for (std::size_t level = 0; level < at.size(); ++level)
      if (at[level] == 0) {
        at[level] = std::int32_t(grid_.subject.size());
        grid_.subject.push_back(std::int32_t(level));
      }
    const std::size_t m = grid_.m();
    const NumbersView response = frame_.numbers(roles_.response);
    grid_.row.assign(grid_.n() * m, -1);
    grid_.response.assign(grid_.n() * m, missing_number);
    for (std::size_t r = 0; r < frame_.rows; ++r) {
      const std::size_t i = std::size_t(at[std::size_t(subject_.codes[r])]);
      const std::size_t cell = i * m + std::size_t(visit_at_[std::size_t(visit_.codes[r])]);
      if (grid_.row[cell] >= 0)
        return fail(Code::duplicate, "participant '{}' has two rows at visit '{}' (rows {} and {} of those analysed)", who(i),
                    when(cell % m), grid_.row[cell] + 1, r + 1);
      if (std::isinf(response[r]))
        return fail(Code::bad_cell, "column '{}' holds {}: a response is finite or missing", roles_.response, shortest(response[r]));
      grid_.row[cell] = std::int32_t(r);
      grid_.response[cell] = response[r];
    }
    for (std::size_t i = 0; i < grid_.n(); ++i)
      grid_.any_row.push_back(*std::find_if(grid_.row.begin() + std::ptrdiff_t(i * m), grid_.row.end(), [](auto r) { return r >= 0; }));
    return {};
  }

  template <class Visit>
  Expected<void> for_each_row(std::size_t i, Visit visit) const {
    for (std::size_t j = 0; j < grid_.m(); ++j)
      if (const std::int32_t row = grid_.row[i * grid_.m() + j]; row >= 0)
        if (auto made = visit(j, std::size_t(row)); !made) return made;
    return {};
  }

  Expected<void> read_groups() {
    if (roles_.group.empty()) return {};
    CategoriesView const& group = frame_.categories(roles_.group);
    for (std::size_t i = 0; i < grid_.n(); ++i) {
      const std::int32_t own = group.codes[std::size_t(grid_.any_row[i])];
      auto same = for_each_row(i, [&](std::size_t, std::size_t row) -> Expected<void> {
        if (group.codes[row] == own) return {};
        return fail(Code::bad_cell, "participant '{}' is in two groups, '{}' and '{}'", who(i), group.levels[std::size_t(own)],
                    group.levels[std::size_t(group.codes[row])]);
      });
      if (!same) return same;
      grid_.group.push_back(own);
    }
    return {};
  }

  /// The first visit with `ice` 1, and what its reason leads to.
  Expected<void> read_events() {
    const std::size_t m = grid_.m();
    grid_.event.assign(grid_.n(), std::uint32_t(m));
    grid_.reason.assign(grid_.n(), missing_level);
    grid_.strategy.assign(grid_.n(), ImputationStrategy::mar);
    if (roles_.ice.empty()) return {};
    const NumbersView ice = frame_.numbers(roles_.ice);
    for (std::size_t i = 0; i < grid_.n(); ++i) {
      std::size_t event_row = 0;
      auto read = for_each_row(i, [&](std::size_t j, std::size_t row) -> Expected<void> {
        if (ice[row] != 0 && ice[row] != 1)
          return fail(Code::bad_cell, "column '{}' holds {}: 1 at and after the intercurrent event, else 0", roles_.ice,
                      shortest(ice[row]));
        if (ice[row] == 1 && grid_.event[i] == m) {
          grid_.event[i] = std::uint32_t(j);
          event_row = row;
        }
        if (ice[row] == 0 && grid_.event[i] < m)
          return fail(Code::inconsistent, "participant '{}' is after the intercurrent event at visit '{}' and before it at visit '{}'",
                      who(i), when(grid_.event[i]), when(j));
        return {};
      });
      if (!read) return read;
      if (grid_.event[i] == m) continue;
      if (auto chosen = choose(i, event_row); !chosen) return chosen;
    }
    return {};
  }

  Expected<void> choose(std::size_t i, std::size_t event_row) {
    if (!roles_.ice_reason.empty()) {
      CategoriesView const& reason = frame_.categories(roles_.ice_reason);
      grid_.reason[i] = reason.codes[event_row];
    }
    const std::string reason =
        grid_.reason[i] == missing_level ? "" : frame_.categories(roles_.ice_reason).levels[std::size_t(grid_.reason[i])];
    if (const auto own = rule_.by_reason.find(reason); own != rule_.by_reason.end()) grid_.strategy[i] = own->second;
    else if (rule_.otherwise) grid_.strategy[i] = *rule_.otherwise;
    else {
      Error error{Code::unresolved,
                  reason.empty() ? fmt::format("participant '{}' has an intercurrent event without a reason at visit '{}', and there "
                                               "is no strategy for that",
                                               who(i), when(grid_.event[i]))
                                 : fmt::format("participant '{}' has an intercurrent event of the reason '{}', for which `strategies` "
                                               "has no strategy",
                                               who(i), reason),
                  {},
                  "`strategy` is that of every other event"};
      return tl::unexpected(std::move(error));
    }
    if (grid_.strategy[i] == ImputationStrategy::last_mean_carried_forward && grid_.event[i] == 0)
      return fail(Code::inconsistent,
                  "participant '{}' has the intercurrent event at the first visit, '{}': there is no mean before it to carry forward",
                  who(i), when(0));
    return {};
  }

  /// Where a row is absent another of the participant stands in, which must not differ.
  Expected<void> check_covariate(std::string const& name) const {
    if (name == roles_.visit) return {};
    const auto column = std::find_if(frame_.columns.begin(), frame_.columns.end(), [&](ColumnView const& c) { return c.name == name; });
    expects(column != frame_.columns.end(), fmt::format("the frame has no column '{}'", name));
    const auto differ = [&](std::size_t a, std::size_t b) {
      return column->numeric() ? column->numbers()[a] != column->numbers()[b]
                               : column->categories().codes[a] != column->categories().codes[b];
    };
    std::size_t absent = grid_.row.size(), changing = grid_.n();
    for (std::size_t i = 0; i < grid_.n(); ++i)
      for (std::size_t j = 0; j < grid_.m(); ++j) {
        const std::int32_t row = grid_.row[i * grid_.m() + j];
        if (row < 0) absent = std::min(absent, i * grid_.m() + j);
        else if (differ(std::size_t(row), std::size_t(grid_.any_row[i]))) changing = std::min(changing, i);
      }
    if (absent == grid_.row.size() || changing == grid_.n()) return {};
    return fail(Code::inconsistent,
                "participant '{}' has no row at visit '{}', and '{}' changes between visits (of participant '{}'): its value there is "
                "not known",
                who(absent / grid_.m()), when(absent % grid_.m()), name, who(changing));
  }

  Frame const& frame_;
  GridRoles const& roles_;
  StrategyRule const& rule_;
  CategoriesView const &subject_, &visit_;
  std::vector<std::int32_t> visit_at_;
  VisitGrid grid_;
};

}  // namespace

std::string_view keyword(ImputationStrategy strategy) {
  for (auto const& [word, meaning] : imputation_strategies)
    if (meaning == strategy) return word;
  return "";
}

bool VisitGrid::complete(std::size_t i) const {
  for (std::size_t j = 0; j < m(); ++j)
    if (missing(i, j)) return false;
  return true;
}

bool VisitGrid::complete() const {
  return std::none_of(response.begin(), response.end(), [](double value) { return std::isnan(value); });
}

Expected<VisitGrid> read_grid(Frame const& frame, GridRoles const& roles, StrategyRule const& rule,
                              std::vector<std::string> const& covariates) {
  return Reader(frame, roles, rule).read(covariates);
}

GatheredFrame::GatheredFrame(Frame const& from, std::vector<std::size_t> const& rows) {
  numbers_.reserve(from.columns.size() + 1);  // the views look into them
  codes_.reserve(from.columns.size() + 1);
  frame_.rows = rows.size();
  for (ColumnView const& column : from.columns) {
    if (column.numeric()) {
      std::vector<double>& own = numbers_.emplace_back();
      own.reserve(rows.size());
      for (const std::size_t row : rows) own.push_back(column.numbers()[row]);
      frame_.columns.push_back({column.name, NumbersView(own)});
    } else {
      std::vector<std::int32_t>& own = codes_.emplace_back();
      own.reserve(rows.size());
      for (const std::size_t row : rows) own.push_back(column.categories().codes[row]);
      frame_.columns.push_back({column.name, CategoriesView{own, column.categories().levels}});
    }
  }
}

void GatheredFrame::number(std::string const& name, std::vector<std::int32_t> codes, std::size_t participants) {
  numbered_.clear();
  for (std::size_t i = 0; i < participants; ++i) numbered_.push_back(std::to_string(i + 1));
  codes_.push_back(std::move(codes));
  for (ColumnView& column : frame_.columns)
    if (column.name == name) column.cells = CategoriesView{codes_.back(), numbered_};
}

void GatheredFrame::replace(std::string const& name, std::vector<double> values) {
  numbers_.push_back(std::move(values));
  for (ColumnView& column : frame_.columns)
    if (column.name == name) column.cells = NumbersView(numbers_.back());
}

}  // namespace equipoise::stats
