#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/allocation/setting.h"
#include "equipoise/expression/flat_program.h"
#include "equipoise/simulate/draws.h"
#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

/// The eligibility criteria of a protocol and the factors of its randomisation, decided on virtual candidates.
///
/// A criterion that reads what the scenario does not fill before randomisation is taken as met, and said in `notes`; a factor
/// that does is a problem.
class CandidateRules {
 public:
  /// Reused from call to call.
  struct Memory {
    expression::flat::Workspace run;
    std::vector<double const*> arrays;
    std::vector<double> site;
  };

  /// `factors` in the order of the setting of the randomisation.
  static CandidateRules compile(protocol::Protocol const& protocol, Layout const& layout,
                                std::vector<allocation::Factor> const& factors, std::vector<std::string>& notes,
                                Problems& problems);

  /// Cells of the layout that the rules read, and the visits of these by their place in the schedule.
  std::vector<std::uint8_t> const& cells() const { return cells_; }
  std::vector<std::uint8_t> const& visits() const { return visits_; }
  std::size_t factors() const { return factors_.size(); }

  /// For each candidate the first criterion that is not met, or -1; and the level of each factor (factors x stride).
  void decide(People const& people, double const* values, Memory& memory, std::int32_t* failed, std::int32_t* levels) const;

  /// The criterion that most candidates fail, asked first, spares what the others read for those who fail it. Chosen from what
  /// `decide` has just said of n candidates, where it fails enough of them to be worth it.
  void choose_first(Memory const& memory, std::size_t n);
  bool has_first() const { return first_.has_value(); }
  /// What it reads; nothing when none was chosen.
  std::vector<std::uint8_t> const& first_cells() const { return criteria_[*first_].cells; }
  std::vector<std::uint8_t> const& first_visits() const { return criteria_[*first_].visits; }
  /// The same as `decide`, of this criterion alone.
  void decide_first(People const& people, double const* values, Memory& memory, std::int32_t* failed) const;

 private:
  struct Criterion {
    std::size_t place;  ///< in protocol.criteria
    bool inclusion;
    std::vector<std::uint8_t> cells, visits;  ///< that it reads
    expression::flat::Program program;        ///< gives it alone
  };
  struct Factor {
    bool site = false;
    std::vector<std::int32_t> levels;  ///< of each code of the rule, that of the setting
  };
  void run(expression::flat::Program const& program, People const& people, double const* values, Memory& memory) const;

  std::vector<Criterion> criteria_;
  std::optional<std::size_t> first_;  ///< of the criteria
  std::vector<Factor> factors_;
  std::vector<std::uint8_t> cells_, visits_;
  std::size_t n_cells_ = 0, n_visits_ = 0;  ///< arrays of the program: cells of the layout, days of visits, site
  expression::flat::Program program_;       ///< gives the criteria, then the factors that have a rule
};

/// The items that a rule reads, each with its visit, derivations opened: "cd4@screening", "age". A bare item of a rule that is
/// evaluated at visits has the given one.
std::vector<std::string> items_read(protocol::Protocol const& protocol, expression::Expression const& rule,
                                    std::string_view visit = {});

}  // namespace equipoise::simulate
