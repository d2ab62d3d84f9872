#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/simulate/virtual_trial.h"
#include "equipoise/study/study.h"

namespace equipoise::simulate {

/// One thing that an analysis of the plan says, trial after trial: of an arm against its control, of an arm by itself, or of all
/// arms together.
struct Statement {
  std::string analysis;
  std::string arm;          ///< empty: all arms, in one test
  std::string against;      ///< empty: of the arm by itself
  std::size_t planned = 0;  ///< place of the analysis in the plan
  std::size_t run = 0;      ///< place of its run
  int better = 0;           ///< +1: a larger estimate is better, -1: a smaller one, 0: the protocol does not say
  bool directed = true;     ///< the method says which way the data point; a chi-square does not
  bool has_se = true;       ///< the method gives an estimate with a standard error
};

/// What a statement was in one trial; NaN: not estimable, or nothing that the method gives.
struct Said {
  double p = missing_number;                              ///< two-sided, not adjusted
  double estimate = missing_number, se = missing_number;  ///< of a ratio the logarithm
  double lower = missing_number, upper = missing_number;
  double sign =
      missing_number;  ///< +1 or -1: which way the data point, on the scale of `Statement::better`; also without an estimate

  bool ratio = false;  ///< the estimate is the logarithm of a ratio

  bool answered() const { return !(p != p); }
};

/// Two-sided P values up to this one reject: the protocol's alpha belongs to one side when it is one-sided.
double two_sided_alpha(protocol::Conventions const& conventions);

/// The statements of a plan, in the order of its analyses and the protocol's arms. Curves without a P value make none.
std::vector<Statement> statements(study::Study const& study);

/// Analyses virtual trials as a real one is analysed, and keeps what was said. Not for several threads at once.
class Analyst {
 public:
  /// Both must outlive it.
  Analyst(study::Study const& study, Layout const& layout, std::vector<Statement> const& statements);
  ~Analyst();
  Analyst(Analyst&&) noexcept;

  /// said  one for each statement
  /// skip  one for each analysis of the plan: not run when it is 1, and what it would say is left without an answer; empty: none
  void analyse(VirtualTrial const& trial, std::span<Said> said, std::span<const std::uint8_t> skip = {});

  /// What of a trial it looks at: a world need not make the rest.
  Reads const& reads() const;

  /// Whether an analysis had to go on to a later structure of its declared list, of the last trial; one for each analysis.
  std::span<const std::uint8_t> fell_back() const;

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

}  // namespace equipoise::simulate
