#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/imputation/imputation_grid.h"
#include "equipoise/stats/linear/ancova.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// Last observation carried forward: each participant's last value up to a visit, analysed by ANCOVA as if observed there. Page:
/// docs/methods/locf.md
struct Locf {
  GridRoles roles;
  Ancova analysis;
  std::vector<std::string> covariates;  ///< of the formula
  std::string at;                       ///< visit analysed; "" = the last

  static MethodCard const& card();
  static std::optional<Locf> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return needs_; }
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Locf>);

}  // namespace equipoise::stats
