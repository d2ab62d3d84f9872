#pragma once

#include "equipoise/expression/column.h"
#include "equipoise/expression/syntax.h"

/// Operators on whole columns of equal length.
namespace equipoise::expression {

Column arithmetic(Operator op, Column const& a, Column const& b);  ///< + - * /
Column comparison(Operator op, Column const& a, Column const& b);
Column logical(Operator op, Column const& a, Column const& b);  ///< and, or
Column logical_not(Column a);
Column negated_numbers(Column const& a);
Column logarithms(Column const& a);
Column missing_rows(Column const& a);

}  // namespace equipoise::expression
