#include "equipoise/conduct/commands.h"

#include "equipoise/core/record.h"
#include "equipoise/core/text.h"

namespace equipoise::conduct {
namespace {

template <class Visit, std::size_t... I>
bool find(std::string_view name, Visit const& visit, std::index_sequence<I...>) {
  return ((name == std::variant_alternative_t<I, Command>::name && (visit(std::in_place_index<I>), true)) || ...);
}

using Places = std::make_index_sequence<std::variant_size_v<Command>>;

template <std::size_t... I>
std::vector<std::string> names(std::index_sequence<I...>) {
  return {std::string(std::variant_alternative_t<I, Command>::name)...};
}

}  // namespace

std::string_view name_of(Command const& command) {
  return std::visit([](auto const& one) { return std::remove_cvref_t<decltype(one)>::name; }, command);
}

std::optional<Command> read_command(std::string_view name, Node const& data, Problems& problems) {
  const std::size_t before = problems.size();
  std::optional<Command> made;
  const bool known = find(
      name,
      [&]<std::size_t I>(std::in_place_index_t<I>) {
        std::variant_alternative_t<I, Command> command;
        Section section(data, fmt::format("the data of '{}'", name), problems);
        record::take(section, command);
        made = std::move(command);
      },
      Places{});
  if (!known) {
    Error& error = add_problem(problems, data.place(), Code::unknown_keyword, "there is no command '{}'", name);
    if (const auto near = nearest(name, names(Places{}))) error.hint = fmt::format("did you mean '{}'?", *near);
  }
  if (problems.size() > before) return {};
  return made;
}

std::string encoded_command(Command const& command) {
  return std::visit([](auto const& one) { return encoded(one); }, command);
}

Expected<Command> decoded_command(std::string_view name, std::string_view bytes) {
  Expected<Command> made = fail(Code::unknown_keyword, "there is no command '{}'", name);
  find(
      name,
      [&]<std::size_t I>(std::in_place_index_t<I>) {
        auto one = decoded<std::variant_alternative_t<I, Command>>(bytes);
        if (one) made = Command(std::move(*one));
        else made = tl::unexpected(one.error());
      },
      Places{});
  return made;
}

}  // namespace equipoise::conduct
