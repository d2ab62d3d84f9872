#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/expression/expression.h"
#include "equipoise/simulate/draws.h"
#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

/// The eligibility criteria of a protocol and the factors of its randomisation, decided on virtual candidates.
///
/// A criterion that reads what the scenario does not fill before randomisation is taken as met, and said in `notes`; a factor that
/// does is a problem.
class CandidateRules {
 public:
  static CandidateRules compile(protocol::Protocol const& protocol, Layout const& layout, std::vector<std::string>& notes,
                                Problems& problems);

  /// Visits, by their place in the schedule, that the rules read.
  std::vector<std::uint8_t> const& visits() const { return visits_; }
  std::size_t factors() const { return factors_.size(); }

  /// For each candidate the first criterion that is not met, or -1; and the level of each factor (factors x stride).
  void decide(People const& people, double const* values, std::int32_t* failed, std::int32_t* levels) const;

 private:
  struct Criterion {
    std::size_t place;  ///< in protocol.criteria
    bool inclusion;
    expression::Expression rule;
  };
  struct Factor {
    std::string id;
    std::optional<expression::Expression> rule;  ///< none: the site
    std::vector<std::string> codes;
  };
  protocol::Protocol const* protocol_ = nullptr;
  Layout const* layout_ = nullptr;
  std::vector<Criterion> criteria_;
  std::vector<Factor> factors_;
  std::vector<std::uint8_t> visits_;
};

/// The items that a rule reads, each with its visit, derivations opened: "cd4@screening", "age". A bare item of a rule that is
/// evaluated at visits has the given one.
std::vector<std::string> items_read(protocol::Protocol const& protocol, expression::Expression const& rule,
                                    std::string_view visit = {});

}  // namespace equipoise::simulate
