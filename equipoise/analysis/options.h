#pragma once

#include "equipoise/core/node.h"

namespace equipoise::analysis {

/// A table of options with these members in place of those of the same key, the others behind them.
Node with_options(Node const& options, Node::Table const& changes);

}  // namespace equipoise::analysis
