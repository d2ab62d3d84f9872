#pragma once

#include <string>
#include <utility>

namespace equipoise {

/// The right to open one sealed value. Made only where the act of unblinding has been recorded; `act` names that event by its
/// digest.
class UnblindingGrant {
 public:
  explicit UnblindingGrant(std::string act) : act_(std::move(act)) {}
  std::string const& act() const { return act_; }

 private:
  std::string act_;
};

/// A value that nobody sees by accident: no printer, no comparison, no encoding.
template <class T>
class Sealed {
 public:
  explicit Sealed(T value) : value_(std::move(value)) {}
  Sealed(Sealed const&) = default;
  Sealed& operator=(Sealed const&) = default;

  T const& open(UnblindingGrant const&) const { return value_; }
  friend bool operator==(Sealed const&, Sealed const&) = delete;

 private:
  T value_;
};

}  // namespace equipoise
