#include "equipoise/simulate/claims.h"

#include <algorithm>

namespace equipoise::simulate {
namespace {

bool points(Said const& said, int better, protocol::Direction direction) {
  using protocol::Direction;
  const double sign = said.sign;
  switch (direction) {
    case Direction::either:
      return true;
    case Direction::up:
      return sign > 0;
    case Direction::down:
      return sign < 0;
    case Direction::better:
      return sign * better > 0;
    case Direction::worse:
      return sign * better < 0;
  }
  return false;
}

}  // namespace

Claims::Claims(protocol::Protocol const& protocol, std::vector<Statement> const& statements, Problems& problems) {
  for (protocol::Claim const& claim : protocol.claims) {
    std::vector<Part>& parts = claims_.emplace_back();
    for (protocol::ClaimPart const& written : claim.all) {
      Part part{.written = &written};
      if (!written.claim.empty())
        part.claim =
            std::size_t(std::ranges::find(protocol.claims, written.claim, &protocol::Claim::id) - protocol.claims.begin());
      for (std::string const& arm : written.arms) {
        const auto found = std::ranges::find_if(
            statements, [&](Statement const& one) { return one.analysis == written.analysis && one.arm == arm; });
        if (found == statements.end()) {
          add_problem(problems, claim.place, Code::inconsistent,
                      "claim '{}' reads a P value of arm '{}' in analysis '{}', and there is none", claim.id, arm,
                      written.analysis)
              .hint =
              "an analysis speaks of the arms it compares with a control, or with by = \"arm\" of each; a curve has no P value";
          continue;
        }
        if (!found->directed && written.direction != protocol::Direction::either)
          add_problem(problems, claim.place, Code::inconsistent,
                      "claim '{}' asks which way analysis '{}' points, and its method does not say", claim.id, written.analysis)
              .hint = "leave out the direction, or read an analysis with an estimate";
        part.statements.push_back(std::size_t(found - statements.begin()));
        part.better.push_back(found->better);
      }
      parts.push_back(std::move(part));
    }
    std::vector<std::size_t>& reads = reads_.emplace_back();
    for (Part const& part : parts) {
      reads.insert(reads.end(), part.statements.begin(), part.statements.end());
      if (part.claim && *part.claim + 1 < reads_.size())
        reads.insert(reads.end(), reads_[*part.claim].begin(), reads_[*part.claim].end());
    }
  }
}

void Claims::judge(std::span<const Said> said, std::span<std::uint8_t> holds, std::span<std::uint8_t> unknown) const {
  for (std::size_t c = 0; c < claims_.size(); ++c) {
    bool all = true, missing = false;
    for (Part const& part : claims_[c]) {
      bool here;
      if (part.claim) {
        here = holds[*part.claim], missing |= unknown[*part.claim] != 0;
      } else {
        std::size_t significant = 0;
        for (std::size_t k = 0; k < part.statements.size(); ++k) {
          Said const& one = said[part.statements[k]];
          missing |= !one.answered();
          const bool small = part.written->p_included ? one.p <= part.written->p : one.p < part.written->p;  // not for NaN
          significant += small && points(one, part.better[k], part.written->direction);
        }
        here = part.written->every ? significant == part.statements.size() : significant > 0;
      }
      all = all && here != part.written->negated;
    }
    holds[c] = all, unknown[c] = missing;
  }
}

}  // namespace equipoise::simulate
