#pragma once

#include <optional>

#include "equipoise/expression/lexer.h"
#include "equipoise/expression/syntax.h"

namespace equipoise::expression {

/// Resolves names, decides types and readings, and moves forms and counts of visits into their calls. Reports every mistake to
/// `slips`; a part with a mistake is not judged further, so that one mistake is one message. True when there was none.
bool check(Syntax& root, Names const& names, Context const& context, std::vector<Slip>& slips);

}  // namespace equipoise::expression
