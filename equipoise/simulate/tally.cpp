#include "equipoise/simulate/tally.h"

#include <cmath>
#include <string_view>
#include <type_traits>

namespace equipoise::simulate {
namespace {

/// How each kind of field takes the same field of the blocks that follow.
void join(std::int64_t& to, std::int64_t from) { to += from; }
void join(Moments& to, Moments const& from) { to.merge(from); }
void join(StatementTally& to, StatementTally const& from) { to.merge(from); }
void join(LookTally& to, LookTally const& from) { to.merge(from); }
template <class T>
void join(std::vector<T>& to, std::vector<T> const& from) {
  if constexpr (std::is_same_v<T, Said> || std::is_same_v<T, double>) {  // kept one after the other
    to.insert(to.end(), from.begin(), from.end());
  } else {
    if (to.size() < from.size()) to.resize(from.size());
    for (std::size_t i = 0; i < from.size(); ++i) join(to[i], from[i]);
  }
}

template <class T>
void join_each(T& to, T const& from) {
  T::each(to, [&](std::string_view name, auto& field) {
    T::each(from, [&](std::string_view other, auto const& more) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, std::remove_cvref_t<decltype(more)>>)
        if (name == other) join(field, more);
    });
  });
}

}  // namespace

void Moments::add(double value) {
  ++n;
  const double away = value - mean;
  mean += away / double(n);
  squares += away * (value - mean);
}

void Moments::merge(Moments const& other) {
  if (other.n == 0) return;
  if (n == 0) {
    *this = other;
    return;
  }
  const double a = double(n), b = double(other.n), away = other.mean - mean;
  mean += away * (b / (a + b));
  squares += other.squares + away * away * (a * b / (a + b));
  n += other.n;
}

double Moments::standard_error() const { return std::sqrt(variance() / double(n)); }

void StatementTally::merge(StatementTally const& other) { join_each(*this, other); }
void LookTally::merge(LookTally const& other) { join_each(*this, other); }
void Tally::merge(Tally const& other) { join_each(*this, other); }

}  // namespace equipoise::simulate
