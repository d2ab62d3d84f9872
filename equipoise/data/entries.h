#pragma once

#include "equipoise/expression/evaluate.h"

namespace equipoise::data {

/// Entries of two mappings of one form, in the order that Entries promises.
expression::Entries joined(expression::Entries const& a, expression::Entries const& b);

}  // namespace equipoise::data
