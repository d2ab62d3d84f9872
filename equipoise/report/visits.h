#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/context.h"

/// What an analysis of repeated measures says, ordered by arm and visit, for the tables and figures of them.
namespace equipoise::report {

/// The first visit of an analysis has this index in the columns `visit` of its series.
inline constexpr int first_visit_index = 0;

/// LS means and differences of one analysis; where the model has another scale than the response, what they say of the response.
struct ArmsOverVisits {
  /// LS means and differences; geometric means and their ratios (response on the logarithm); proportions and odds ratios; means
  /// of counts and rate ratios.
  enum class Kind { mean, geometric_mean, share, count };
  std::vector<std::string> arms;    ///< with a mean, in protocol order
  std::vector<std::string> visits;  ///< ids, in order
  std::string control;              ///< the arm that the others are compared with; empty when there are no differences
  std::string primary;              ///< the visit at which the endpoint is read; empty when none of them
  Kind kind = Kind::mean;
  bool imputed = false;      ///< values that are missing were imputed: n is all participants of the arm
  bool constrained = false;  ///< the first visit is a baseline at which all arms have the control's mean

  bool ratio() const { return kind != Kind::mean; }
  results::Record const* mean(std::string_view arm, std::string_view visit) const;
  results::Record const* difference(std::string_view arm, std::string_view visit) const;  ///< from the control
  results::Record const* mean_over_visits(std::string_view arm) const;
  results::Record const* difference_over_visits(std::string_view arm) const;
  std::vector<std::string> compared() const;  ///< arms with a difference

  /// Records with their arm and visit; without a visit the number is of all of them together.
  struct Cell {
    std::string arm, visit;
    results::Record const* record;
  };
  std::vector<Cell> means, differences;
};

/// "LS mean", "Geometric mean", ...: a mean of this kind; and several of them inside a caption.
std::string mean_in_words(Context const& context, ArmsOverVisits const& numbers);
std::string means_in_words(Context const& context, ArmsOverVisits const& numbers);
/// "Difference from Placebo", "Odds ratio to Placebo"; and several of them inside a caption: "differences from Placebo".
std::string comparison_in_words(Context const& context, ArmsOverVisits const& numbers);
std::string comparisons_in_words(Context const& context, ArmsOverVisits const& numbers);

/// Nothing when the analysis has no LS mean of an arm at a visit.
std::optional<ArmsOverVisits> arms_over_visits(Context const& context, results::AnalysisRun const& run);

/// By study day where the protocol has them all (a constrained baseline is no visit of the endpoint); else as the endpoint has
/// them.
std::vector<std::string> in_visit_order(Context const& context, results::AnalysisRun const& run, std::vector<std::string> visits);

/// The visits to which the series of an analysis count: those of its endpoint, else of its LS means in their order.
std::vector<std::string> visits_of(Context const& context, results::AnalysisRun const& run);

/// A column of a series; null when it has none.
std::vector<double> const* column(Series const& series, std::string_view name);

/// The series of a quantity of one analysis.
std::vector<Series const*> series_of(Context const& context, std::string_view analysis, std::string_view quantity);

/// True for the first analysis of an endpoint and set that has series of a quantity: what only repeats the data is shown once.
bool first_with(Context const& context, results::AnalysisRun const& run, std::string_view quantity);

/// What one arm's participants gave, each a line.
struct Trajectories {
  struct Line {
    std::vector<int> visit;  ///< places among the visits, increasing
    std::vector<double> value;
  };
  std::string arm;
  std::vector<Line> lines;
  std::vector<double> mean;  ///< of the values seen at each visit; NaN where nobody was seen
};
/// In protocol order; an arm whose columns do not fit together is left out.
std::vector<Trajectories> trajectories_of(Context const& context, results::AnalysisRun const& run);

/// Which visits participants have, and how many of each arm have just these.
struct MissingPatterns {
  enum class Kind { complete, stopped, gaps, nothing };
  struct Pattern {
    std::vector<bool> observed;        ///< by visit
    std::vector<std::int64_t> of_arm;  ///< participants, in the order of `arms`
    Kind kind() const;                 ///< stopped: every visit up to one, and none after it
    std::size_t last() const;          ///< place of the last visit seen; only with one
    std::int64_t participants() const;
  };
  std::vector<std::string> visits, arms;
  std::vector<Pattern> patterns;  ///< complete first, then by the last visit seen from late to early, then those with gaps

  std::int64_t participants(std::size_t arm) const;
  std::int64_t observed(std::size_t arm, std::size_t visit) const;
};
MissingPatterns missing_patterns_of(Context const& context, results::AnalysisRun const& run);

}  // namespace equipoise::report
