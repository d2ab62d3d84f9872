#pragma once

#include <span>
#include <vector>

#include "equipoise/simulate/statements.h"

namespace equipoise::simulate {

/// The claims of a protocol, bound to the statements of its plan.
class Claims {
 public:
  /// Reports a condition of which the plan says nothing: an analysis without a P value, an arm that it does not speak of.
  Claims(protocol::Protocol const& protocol, std::vector<Statement> const& statements, Problems& problems);

  std::size_t size() const { return claims_.size(); }
  /// Statements that a claim reads, by itself or through other claims.
  std::vector<std::size_t> const& reads(std::size_t claim) const { return reads_[claim]; }
  /// holds    1 or 0 for each claim: what was not answered is not significant
  /// unknown  1 where a statement that it reads had no answer
  void judge(std::span<const Said> said, std::span<std::uint8_t> holds, std::span<std::uint8_t> unknown) const;

 private:
  struct Part {
    std::optional<std::size_t> claim{};
    std::vector<std::size_t> statements{};
    std::vector<int> better{};
    protocol::ClaimPart const* written;
  };
  std::vector<std::vector<Part>> claims_;
  std::vector<std::vector<std::size_t>> reads_;
};

}  // namespace equipoise::simulate
