#pragma once

#include <string_view>

#include "equipoise/expression/lexer.h"
#include "equipoise/expression/syntax.h"

namespace equipoise::expression {

/// The tree of a text, by recursive descent; names, types and readings are left to the checker. Stops at the first mistake.
/// A call of an unknown function is a mistake of names, so the parser keeps it as a VariableName with operands for the checker to
/// report.
tl::expected<Syntax, Slip> parse_syntax(std::string_view text);

}  // namespace equipoise::expression
