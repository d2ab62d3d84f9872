#pragma once

#include <string>
#include <utility>

namespace equipoise {

/// The right to learn an arm. Made only where the act of unblinding has been recorded; `act` names that event by its digest.
class UnblindingGrant {
 public:
  explicit UnblindingGrant(std::string act) : act_(std::move(act)) {}
  std::string const& act() const { return act_; }

 private:
  std::string act_;
};

}  // namespace equipoise
