#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/section.h"
#include "equipoise/simulate/virtual_trial.h"

/// What models of items at visits have in common.
namespace equipoise::simulate {

/// The places in the schedule of the visits whose forms hold the item.
std::vector<std::size_t> visits_of(protocol::Protocol const& protocol, protocol::Item const& item);

/// The item of a visit that a member of a table names, of one of the kinds; a problem otherwise.
protocol::Item const* need_item(protocol::Protocol const& protocol, Section& table, Node::Member const& member,
                                std::vector<protocol::ItemKind> const& kinds);

/// Adds a cell for each visit of the item; returns [visit] -> cell, -1 where it is not collected.
std::vector<std::int32_t> add_cells(protocol::Protocol const& protocol, protocol::Item const& item, Layout& layout);

}  // namespace equipoise::simulate
