#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/protocol/protocol.h"

/// Virtual participants, whole virtual trials, and what a plan is worth in them.
namespace equipoise::simulate {

/// Which values a virtual trial has and where they stand: fixed by protocol and scenario, the same for all replicates.
struct Layout {
  /// An item at a visit, or (no visit) one that a participant has once.
  struct Cell {
    protocol::Item const* item;
    std::optional<std::size_t> visit;  ///< place in protocol.visits
  };
  /// A form without a visit, with those of its items that the scenario fills.
  struct Form {
    protocol::Form const* form;
    std::vector<protocol::Item const*> items;
  };
  std::vector<Cell> cells;
  std::vector<Form> forms;
  std::size_t visits = 0, arms = 0, sites = 0, factors = 0;

  std::optional<std::size_t> cell(std::string_view item, std::optional<std::size_t> visit) const;
};

/// Which values of a trial somebody reads: the rest need not be made.
struct Reads {
  std::vector<std::uint8_t> cells, forms;  ///< a flag for each of the layout

  static Reads all(Layout const& layout) {
    return {std::vector<std::uint8_t>(layout.cells.size(), 1), std::vector<std::uint8_t>(layout.forms.size(), 1)};
  }
};

/// What happened to the participants of one virtual trial. Flat arrays, all with participants in the order of their randomisation
/// running fastest; a workspace fills the same ones again for the next replicate. Days are whole days since a participant's own
/// randomisation (day 0) unless said otherwise. Codes are level numbers, flags 1 or 0; NaN is missing.
struct VirtualTrial {
  std::size_t n = 0;                         ///< randomised
  std::vector<double> entry{};               ///< n: day of randomisation, whole days since the trial opened
  std::vector<std::int32_t> site{};          ///< n: place in protocol.sites
  std::vector<std::int32_t> arm{};           ///< n: place in protocol.arms, as randomised
  std::vector<std::int32_t> arm_received{};  ///< n
  std::vector<std::int32_t> factor{};        ///< factors x n: level of each randomisation factor
  std::vector<double> visit_day{};           ///< visits x n: day on which the visit took place; NaN: it did not
  std::vector<double> value{};               ///< cells x n
  std::vector<double> follow_up_end{};       ///< n: last day on which the participant was seen

  /// Entries of a form without a visit, sorted by participant, then date.
  struct Entries {
    std::vector<std::uint32_t> participant{};
    std::vector<double> date{};                ///< of the form's first date item
    std::vector<std::vector<double>> items{};  ///< of the layout's items of the form; dates too are days since randomisation
  };
  std::vector<Entries> entries{};  ///< of each form of the layout

  std::size_t screened = 0;           ///< candidates, randomised or not
  std::vector<std::size_t> failed{};  ///< of each criterion of the protocol: candidates who failed it (the first one that failed)

  double accrual_end() const { return n > 0 ? entry[n - 1] : 0; }  ///< day of the last randomisation, since the trial opened
  double last_day() const;                                         ///< on which anybody was seen, since the trial opened
};

}  // namespace equipoise::simulate
