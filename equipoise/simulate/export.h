#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "equipoise/core/expected.h"
#include "equipoise/core/node.h"
#include "equipoise/simulate/virtual_trial.h"

/// One virtual trial as files that a real trial could have brought, so that it can be looked at and analysed by itself.
namespace equipoise::simulate {

/// Which virtual trial it is.
struct Origin {
  std::string version;  ///< of this program
  std::string scenario;
  std::uint64_t seed = 1, number = 0;
};

/// The begin of every protocol that `exported_protocol` makes.
inline constexpr std::string_view exported_mark = "# SIMULATED:";

/// The trial as a CSV file, a row for each visit of a participant that took place and for each entry of a form without a visit,
/// by day; somebody of whom nothing is known has a row of their own. Days are dates (see `opening_day`), an item of a visit
/// stands in the column "form.item". Read through `exported_protocol`, it gives the records that `to_records` gives. errors
/// out_of_range: a date that no file can hold checked tests/integration/export_test.cpp
Expected<std::string> trial_csv(protocol::Protocol const& protocol, Layout const& layout, VirtualTrial const& trial);

/// The protocol as a TOML file, its [source] replaced by the one of `trial_csv`, and declared as simulated.
/// document  what `protocol` was loaded from
/// file      name of the CSV file
std::string exported_protocol(Node const& document, protocol::Protocol const& protocol, Layout const& layout,
                              Origin const& origin, std::string const& file);

}  // namespace equipoise::simulate
