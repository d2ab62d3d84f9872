#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "equipoise/simulate/binary.h"
#include "equipoise/simulate/count.h"
#include "equipoise/simulate/longitudinal.h"
#include "equipoise/simulate/time_to_event.h"

/// The truth models of this build, in one list.
namespace equipoise::simulate {

/// What the values of participants come from. `parse` reads the model's own keys of a scenario, reports every problem and leaves
/// `finish` to its caller; `lay_out` adds the cells it fills and is called once; `fill` is a pure function of people and draws
/// that allocates nothing but from the arena, and fills what `select` selected.
template <class M>
concept Model = requires(M const& model, M& made, protocol::Protocol const& protocol, Section& text, Layout& layout,
                         People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) {
  { M::keyword } -> std::convertible_to<std::string_view>;
  { M::parse(protocol, text) } -> std::same_as<std::optional<M>>;
  { made.lay_out(protocol, layout) } -> std::same_as<void>;
  { model.select(wanted.cells) } -> std::same_as<Selection>;
  { model.fill(people, draws, wanted, arena, values) } -> std::same_as<void>;
};

template <Model... Ms>
struct ModelList {
  using Any = std::variant<Ms...>;

  static std::vector<std::string> keywords() { return {std::string(Ms::keyword)...}; }

  /// Nothing for a keyword that is not in the list.
  static std::optional<Any> parse(std::string_view keyword, protocol::Protocol const& protocol, Section& text) {
    std::optional<Any> made;
    const auto offer = [&]<class M>(std::type_identity<M>) {
      if (keyword != M::keyword) return;
      if (std::optional<M> model = M::parse(protocol, text)) made.emplace(std::move(*model));
    };
    (offer(std::type_identity<Ms>{}), ...);
    return made;
  }
};

// clang-format off: one model a line, so that two changes never meet on one
using Models = ModelList<Longitudinal, TimeToEvent, Binary, Count
                         // <- a new model joins here
                         >;
// clang-format on

}  // namespace equipoise::simulate
