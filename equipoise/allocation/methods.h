#pragma once

#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "equipoise/allocation/biased_coin.h"
#include "equipoise/allocation/maximal_procedure.h"
#include "equipoise/allocation/method.h"
#include "equipoise/allocation/minimisation.h"
#include "equipoise/allocation/permuted_block.h"
#include "equipoise/allocation/simple.h"
#include "equipoise/allocation/urn.h"

/// The methods of randomisation of this build, in one list.
namespace equipoise::allocation {

template <Method... Ms>
struct MethodList {
  using Any = std::variant<Ms...>;

  static std::vector<std::string> keywords() { return {std::string(Ms::keyword)...}; }

  /// The method with its keys checked; every problem is reported. Nothing for a keyword that is not in the list.
  static std::optional<Any> parse(std::string_view keyword, Setting const& setting, Section& text) {
    std::optional<Any> made;
    const auto offer = [&]<class M>(std::type_identity<M>) {
      if (keyword != M::keyword) return;
      if (std::optional<M> method = M::parse(setting, text)) made.emplace(std::move(*method));
    };
    (offer(std::type_identity<Ms>{}), ...);
    return made;
  }
};

// One method a line, so that two changes never meet on one.
// clang-format off
using Methods = MethodList<
    Simple,
    PermutedBlock,
    Minimisation,
    Taves,
    BiasedCoin,
    BigStick,
    Urn,
    MaximalProcedure
    // <- a new method joins here
    >;
// clang-format on

}  // namespace equipoise::allocation
