#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {

/// The text of the role `cause` that means censored.
inline constexpr std::string_view censored_cause = "0";

/// Times to the first of several kinds of event, ready for one pass. `rows.event` is 1 for an event of any cause.
struct CauseRows {
  SurvivalRows rows;
  std::vector<std::int32_t> cause;  ///< of each row: 0 censored, k the k-th name
  std::vector<std::string> names;   ///< the causes, in the order of the column's levels

  std::size_t size() const { return cause.size(); }
};

/// Reads the roles `time` and `cause`. errors: those of `survival_rows`
Expected<CauseRows> cause_rows(Frame const& frame, std::string_view time, std::string_view cause);

/// Number of the cause called `name`, from 1. errors: unresolved, naming the causes of the column
Expected<std::int32_t> find_cause(CauseRows const& data, std::string_view name, std::string_view column);

/// `cause = "relapse"`: required, and not the word for censored.
std::string parse_cause(Section& options);

}  // namespace equipoise::stats
