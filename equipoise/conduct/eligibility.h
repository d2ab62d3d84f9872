#pragma once

#include <string>
#include <vector>

#include "equipoise/conduct/records.h"

namespace equipoise::conduct {

/// What one criterion says of one participant. Inclusion is met by true alone, exclusion is passed by false alone; what is unknown
/// blocks, and says what is missing.
struct CriterionAnswer {
  std::string id{};
  bool inclusion = true;
  enum class Answer { met, not_met, unknown } answer = Answer::unknown;  ///< met: it does not stand in the way
  std::vector<std::string> missing{};                                     ///< items without a value, "hiv_rna@screening"
};

/// What the randomisation of a participant would rest on, today at the site.
struct Readiness {
  std::vector<CriterionAnswer> criteria{};
  std::vector<std::int32_t> levels{};        ///< of the randomisation factors; empty when one is not known
  std::vector<std::string> factors{};        ///< the same as words
  std::vector<std::string> reasons{};        ///< sentences: why it is not possible; empty when it is
};

/// today  date at the site, YYYY-MM-DD: the date of randomisation
Readiness readiness(Plan const& plan, State const& state, Participant const& who, std::string const& today);

}  // namespace equipoise::conduct
